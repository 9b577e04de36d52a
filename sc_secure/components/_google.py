"""Names, labels and members, as Google Cloud takes them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from sc_secure.components._deployment import unique_name
from sc_secure.components._problems import Problems
from sc_secure.components._validate import InvalidArgs
from sc_secure.components._wholes import now

MAX_LABELS = 64
"""https://cloud.google.com/resource-manager/docs/labels-overview, as the two forms."""

LABEL_KEY = re.compile(r"[^\W\d_][\w-]{0,62}")
LABEL_VALUE = re.compile(r"[\w-]{0,63}")

_MEMBER = re.compile(r"(user|group|serviceAccount|domain|principal|principalSet):\S+")
"""https://cloud.google.com/iam/docs/principal-identifiers"""

KMS_KEY = re.compile(r"projects/[^/\s]+/locations/[^/\s]+/keyRings/[^/\s]+/cryptoKeys/[^/\s]+")
KMS_KEY_REASON = "a key's full name is needed: projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>"

_LOCATION = re.compile(r"[a-z]+[0-9]*(-[a-z]+[0-9]*)*")


def cloud_name(logical: str, limit: int) -> str:
    """A unique name of lower-case letters, digits and hyphens that starts with a letter.

    Args:
        logical: the resource's name in the program.
        limit: the longest name that Google takes, in characters.
    """
    name = re.sub(r"[^a-z0-9-]", "-", unique_name(logical, limit).lower())
    return name if name[0].isalpha() else f"s{name[1:]}"


def check_location(problems: Problems, value: Any) -> None:
    """A region or multi-region."""
    problems.matches("location", value, _LOCATION, "a region's name is needed, as europe-west1")


def check_labels(problems: Problems, labels: Any) -> None:
    """Labels; an output isn't looked at before its value is known."""
    for path, reason in label_problems(now(labels, {})):
        problems.add(path, reason)


def label_problems(labels: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Labels: their number and form."""
    if len(labels) > MAX_LABELS:
        yield "labels", f"at most {MAX_LABELS}"
    for key, value in labels.items():
        if not LABEL_KEY.fullmatch(key) or key != key.lower():
            yield f"labels.{key}", "a key is at most 63 lower-case letters, digits, _ and -, and starts a letter"
        if isinstance(value, str) and (not LABEL_VALUE.fullmatch(value) or value != value.lower()):
            yield f"labels.{key}", "a value is at most 63 lower-case letters, digits, _ and -"


def members(component: str, path: str, given: dict[str, Any]) -> dict[str, pulumi.Output[str]]:
    """Who gets a right, by a name of the user's own; never everybody, also where that is known only later.

    Raises:
        InvalidArgs: every member that is no single identity.
    """

    def checked(where: str, member: str) -> str:
        if member in ("allUsers", "allAuthenticatedUsers"):
            reason = f"{member} is everybody: name whom you mean, or make it public by the argument that says so"
            raise InvalidArgs(component, [(where, reason)])
        if not _MEMBER.fullmatch(member):
            reason = "an IAM member is needed, as user:…, group:…, serviceAccount:…, domain:… or principalSet:…"
            raise InvalidArgs(component, [(where, reason)])
        return member

    problems = Problems(component)
    resolved: dict[str, pulumi.Output[str]] = {}
    for key, member in sorted(given.items()):
        where = f"{path}.{key}"
        output: pulumi.Output[str] = pulumi.Output.from_input(member)
        if isinstance(member, str):
            with problems.gathered():
                checked(where, member)
            resolved[key] = output
        else:
            resolved[key] = output.apply(lambda known, where=where: checked(where, known))
    problems.stop_if_any()
    return resolved
