"""How a step's command stands in Pulumi's state and plans: one that runs here, or one that runs on a build host."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final, cast

COMMANDS: Final = ("command:local:Command", "command:remote:Command")
"""The types of a step's command."""


def words_of(inputs: Mapping[str, Any]) -> list[str]:
    """A step's command, from the program on; empty: it isn't known, or another program's.

    On a build host it is the last of a few lines, with which the shell is replaced.
    """
    text = inputs.get("create")
    try:
        words = shlex.split(text) if isinstance(text, str) else []
    except ValueError:
        return []
    if words and words[0] == "mkdir" and "exec" in words:
        words = words[words.index("exec") + 1 :]
    return words if words and words[0].endswith("sc-secure") else []


def variables_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What decides a re-run without being a flag: a command's environment, or a remote one's stdin."""
    environment, stdin = inputs.get("environment"), inputs.get("stdin")
    found = dict(cast("Mapping[str, Any]", environment)) if isinstance(environment, dict) else {}
    lines = stdin.splitlines() if isinstance(stdin, str) else []
    return found | {name: value for name, equals, value in (line.partition("=") for line in lines) if equals}
