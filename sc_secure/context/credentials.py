"""Registry credentials from docker's configuration, where docker, cosign and syft find theirs too.

https://docs.docker.com/reference/cli/docker/login/#configuration-file (`auths`, `credsStore`, `credHelpers`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from sc_secure.errors import InfrastructureError, ToolMissing
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.environment import environment_for
from sc_secure.tools.process import MIB, Runner
from sc_secure.tools.registry import Credentials

_DOCKER_HUB = "https://index.docker.io/v1/"
_MAX_CONFIG = MIB
_TOKEN_USER = "<token>"  # noqa: S105 - the helper protocol's mark of an identity token


def credentials_for(host: str, runner: Runner, environ: Mapping[str, str], temp: Path) -> Credentials | None:
    """What docker's configuration holds for a registry; None: nothing.

    Args:
        host: the registry's host and port, `index.docker.io` for Docker Hub.
        runner: runs a credential helper.
        environ: our environment (`DOCKER_CONFIG`, `HOME`).
        temp: the run's private folder.
    """
    server = _DOCKER_HUB if host == "index.docker.io" else host
    config = _read_config(environ)
    helper = _mapping(config, "credHelpers").get(host) or config.get("credsStore")
    if isinstance(helper, str) and re.fullmatch(r"[\w.-]+", helper, re.ASCII):
        found = _ask_helper(helper, server, runner, environ, temp)
        if found:
            return found
    auths = _mapping(config, "auths")
    for name in (server, f"https://{host}", f"https://{host}/v1/", f"https://{host}/v2/"):
        entry = auths.get(name)
        if isinstance(entry, dict):
            return _entry(cast("Json", entry))
    return None


def _read_config(environ: Mapping[str, str]) -> Json:
    folder = environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path(environ.get("HOME") or Path.home()) / ".docker") / "config.json"
    try:
        with path.open("rb") as file:
            return parse_object(file.read(_MAX_CONFIG), "docker's configuration")
    except (OSError, InfrastructureError):
        return {}


def _mapping(config: Json, key: str) -> Json:
    value = config.get(key)
    return cast("Json", value) if isinstance(value, dict) else {}


def _text(entry: Json, key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _entry(entry: Json) -> Credentials | None:
    username, password = _text(entry, "username"), _text(entry, "password")
    if _text(entry, "auth"):
        try:
            username, _, password = base64.b64decode(_text(entry, "auth")).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
    found = Credentials(username, password.rstrip("\x00"), _text(entry, "identitytoken"))
    return found if found.identity_token or found.username else None


def _ask_helper(helper: str, server: str, runner: Runner, environ: Mapping[str, str], temp: Path) -> Credentials | None:
    """https://github.com/docker/docker-credential-helpers: `get` reads the server's name, prints JSON."""
    env = environment_for("docker-credential", environ, temp)
    try:
        done = runner.run([f"docker-credential-{helper}", "get"], env=env, stdin=server.encode(), stdout_limit=MIB)
        answer = parse_object(done.stdout, helper) if done.code == 0 else {}
    except (ToolMissing, InfrastructureError):
        return None
    username, secret = _text(answer, "Username"), _text(answer, "Secret")
    runner.hide([secret])
    if username == _TOKEN_USER:
        return Credentials(identity_token=secret)
    return Credentials(username, secret) if username else None
