"""What a `SecuredImage` leaves in sight of a policy: one command a step, about one digest."""

import itertools
import re
import shlex
from collections.abc import Mapping
from typing import Any

DIGEST = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
"""An image by digest: `repository@sha256:…`."""

_IMAGE = "sc-secure:index:SecuredImage"
_STEP = re.compile(rf"(?:.*\$)?{_IMAGE}\$sc-secure:index:(\w+)Command\$command:(?:local|remote):Command")


def step(urn: str) -> str | None:
    """Which step of a `SecuredImage` the resource of this URN runs, as `scan`; None: none.

    The chain of types in a URN is the engine's, so that a command elsewhere can't pass for a step.
    """
    found = _STEP.fullmatch(_types(urn))
    return found[1].lower() if found else None


def is_secured_image(urn: str) -> bool:
    """Whether the resource of this URN is a `SecuredImage`."""
    return _types(urn).rpartition("$")[2] == _IMAGE


def subject(properties: Mapping[str, Any]) -> str | None:
    """The image by digest that a step's command is about.

    Raises:
        UnknownValueError: it isn't known, in a preview.
    """
    try:
        words = shlex.split(properties.get("create") or "")
    except ValueError:  # A quotation that doesn't end: no command of ours.
        return None
    for flag, value in itertools.pairwise(words):
        if flag == "--image" and DIGEST.fullmatch(value):
            return value
    return None


def _types(urn: str) -> str:
    # urn:pulumi:STACK::PROJECT::TYPES::NAME
    _, _, types, *_ = [*urn.split("::", 3), "", "", ""]
    return types
