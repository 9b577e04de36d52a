"""What other stacks have secured, from their recorded state."""

import functools
import json
import subprocess
from collections.abc import Iterator
from typing import Any

from steps import DIGEST, is_secured_image

_SECONDS = 60
"""How long reading one stack may take."""


class StackUnreadable(Exception):
    """A stack's state can't be read."""


@functools.cache
def secured_by(stack: str) -> frozenset[str]:
    """The images by digest that came out of a stack's `SecuredImage`s, security switched on.

    Args:
        stack: its full name, as `organization/project/stack`.

    Raises:
        StackUnreadable: there is no such stack, or its state can't be read.
    """
    command = ["pulumi", "stack", "export", "--stack", stack, "--non-interactive"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        if done.returncode != 0:
            raise StackUnreadable(f"`pulumi stack export --stack {stack}` failed: {done.stderr.strip()[:500]}")
        return frozenset(_secured(json.loads(done.stdout)))
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise StackUnreadable(f"`pulumi stack export --stack {stack}` failed: {type(error).__name__}") from error


def _secured(state: dict[str, Any]) -> Iterator[str]:
    for resource in (state.get("deployment") or {}).get("resources") or []:
        outputs = resource.get("outputs") or {}
        reference = outputs.get("deployableRef")
        secured = is_secured_image(resource["urn"]) and outputs.get("status") in ("secured", "degraded")
        if secured and isinstance(reference, str) and DIGEST.fullmatch(reference):
            yield reference
