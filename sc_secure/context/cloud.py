"""Registry credentials from the ambient cloud identity, through the clouds' own programs where they are on PATH.

Docker's configuration comes first (`credentials.py`): this is for a machine with a cloud identity whose docker nobody
has set up, as a CI job or a build machine.

Amazon ECR: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html;
Google Artifact Registry: https://cloud.google.com/artifact-registry/docs/docker/authentication;
Azure Container Registry: https://learn.microsoft.com/azure/container-registry/container-registry-authentication.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sc_secure.errors import InfrastructureError, ToolMissing
from sc_secure.tools.environment import environment_for
from sc_secure.tools.process import MIB, Runner
from sc_secure.tools.registry import Credentials

_TOKEN = re.compile(r"[\x21-\x7e]{16,}", re.ASCII)


@dataclass(frozen=True)
class _Cloud:
    """A cloud's registries, and the program that prints a token for one."""

    hosts: re.Pattern[str]
    helper: str
    """Its docker credential helper, which speaks docker's protocol."""
    username: str
    """What a token's user is called."""
    command: tuple[str, ...]
    """Prints a token; `{name}` stands for a group of `hosts`."""


_CLOUDS = (
    _Cloud(
        re.compile(r"\d{12}\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"),
        "ecr-login",
        "AWS",
        ("aws", "ecr", "get-login-password", "--region", "{region}"),
    ),
    _Cloud(
        re.compile(r"[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io"),
        "gcloud",
        "oauth2accesstoken",
        ("gcloud", "auth", "print-access-token", "--quiet"),
    ),
    _Cloud(
        re.compile(r"(?P<name>[a-z0-9]+)\.azurecr\.io"),
        "acr-env",
        "00000000-0000-0000-0000-000000000000",
        ("az", "acr", "login", "--name", "{name}", "--expose-token", "--output", "tsv", "--query", "accessToken"),
    ),
)


def helper_of(host: str) -> str | None:
    """The name of the docker credential helper of the cloud that this registry belongs to; None: it is no cloud's."""
    found = _cloud_of(host)
    return found[0].helper if found else None


def token_for(host: str, runner: Runner, environ: Mapping[str, str], temp: Path) -> Credentials | None:
    """A token for the registry from its cloud's command line program; None: another registry, no program, no identity.

    Args:
        host: the registry's host, without a port.
        runner: runs the program; what it prints is hidden from all messages.
        environ: our environment, which holds or names the identity.
        temp: the run's private folder.
    """
    found = _cloud_of(host)
    if found is None:
        return None
    cloud, groups = found
    argv = [word.format(**groups) for word in cloud.command]
    try:
        done = runner.run(argv, env=environment_for("docker-credential", environ, temp), stdout_limit=MIB)
    except (ToolMissing, InfrastructureError):
        return None
    token = done.stdout.decode("ascii", "replace").strip()
    if done.code != 0 or not _TOKEN.fullmatch(token):
        return None
    runner.hide([token])
    return Credentials(cloud.username, token)


def _cloud_of(host: str) -> tuple[_Cloud, dict[str, str]] | None:
    for cloud in _CLOUDS:
        match = cloud.hosts.fullmatch(host)
        if match:
            return cloud, match.groupdict()
    return None
