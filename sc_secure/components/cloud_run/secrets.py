"""The secrets of Secret Manager that a service reads, and its right to read exactly those."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from sc_secure.components._problems import Problems
from sc_secure.components._wholes import made_of
from sc_secure.components.cloud_run.instance import Container
from sc_secure.components.cloud_run.volumes import secret_volume_name

ACCESSOR = "roles/secretmanager.secretAccessor"

LATEST = "latest"

_SECRET = re.compile(r"(?:projects/[^/\s]+/secrets/)?[A-Za-z0-9_-]{1,255}")
"""https://cloud.google.com/secret-manager/docs/creating-and-accessing-secrets"""

_VERSION = re.compile(r"latest|[1-9][0-9]*|[A-Za-z][A-Za-z0-9_-]{0,62}")
"""https://cloud.google.com/secret-manager/docs/assign-alias-to-secret-version"""


@dataclass(frozen=True)
class _Use:
    """A place where a secret is read."""

    path: str
    label: str
    """A name that no other use has, and that stays when other uses come and go."""
    given: Mapping[str, Any]


def _uses(containers: Sequence[Container]) -> list[_Use]:
    uses: list[_Use] = []
    for container in containers:
        for path, secret in container.items("secrets"):
            uses.append(_Use(path, f"{container.name}-{path.rpartition('.')[2]}", secret))
        for path, volume in container.items("secret_volumes"):
            uses.append(_Use(path, secret_volume_name(container, volume), volume))
    return uses


def check_secrets(problems: Problems, containers: Sequence[Container]) -> None:
    """The form of each secret's name and version."""
    for use in _uses(containers):
        reason = "a secret's id is needed, or projects/<project>/secrets/<id>; the version is an argument of its own"
        problems.matches(f"{use.path}.secret", use.given["secret"], _SECRET, reason)
        problems.matches(f"{use.path}.version", use.given.get("version"), _VERSION, "a number, an alias or latest")


def version_of(secret: Mapping[str, Any]) -> pulumi.Input[str]:
    """The version that is read: of a secret that is an output as a whole nobody knew beforehand whether it says one."""
    return made_of(secret.get("version", LATEST), lambda known: LATEST if known is None else known)


def grant_access(
    name: str,
    containers: Sequence[Container],
    email: pulumi.Output[str],
    project: pulumi.Input[str] | None,
    opts: pulumi.ResourceOptions,
) -> list[gcp.secretmanager.SecretIamMember]:
    """The account's right to read each secret.

    A secret that is named by its id has one right, however often it is used. Whether two outputs of other resources are
    the same secret isn't known here: two uses of one output share a right, two outputs have one each.

    Args:
        name: the service's name.
        containers: what reads the secrets.
        email: the account's e-mail address.
        project: the service's project; None: the provider's.
        opts: the options of each right.
    """
    rights: dict[str, Any] = {}
    outputs: list[Any] = []
    for use in _uses(containers):
        secret = use.given["secret"]
        if isinstance(secret, str):
            label = secret.removeprefix("projects/").replace("/secrets/", "-")
            rights[f"{name}-secret-{label}"] = secret
        elif not any(secret is known for known in outputs):
            outputs.append(secret)
            rights[f"{name}-secret-of-{use.label}"] = secret
    member = email.apply(lambda address: f"serviceAccount:{address}")
    return [
        gcp.secretmanager.SecretIamMember(
            logical, secret_id=_full_name(secret, project), role=ACCESSOR, member=member, opts=opts
        )
        for logical, secret in sorted(rights.items())
    ]


def _full_name(secret: pulumi.Input[str], project: pulumi.Input[str] | None) -> pulumi.Input[str]:
    """The secret in the service's project, not in the provider's, where it's named by its id alone."""
    if project is None:
        return secret
    return pulumi.Output.all(secret, project).apply(
        lambda got: got[0] if "/" in got[0] else f"projects/{got[1]}/secrets/{got[0]}"
    )
