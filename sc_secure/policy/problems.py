"""What is wrong with a policy's files: each problem with its place, and the error that holds all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sc_secure.errors import ConfigError

_PLAIN_WORD = re.compile(r"[\w$/.<-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it stands, and what is allowed there."""

    file: str
    line: int | None
    """Counted from 1. None: it is about the whole file."""
    path: str
    """The key's path (`security.scan.failOn`); empty where there is none."""
    reason: str

    def __str__(self) -> str:
        """`file:line: path: reason`, as editors and CI systems read it."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.reason) if part)


class InvalidPolicy(ConfigError):
    """A policy's files say what isn't allowed, or can't be read.

    Args:
        problems: all of them; the message has a line for each, in the order of the files' lines.
        advice: what to do next.
    """

    def __init__(self, problems: Sequence[Problem], *, advice: str = "") -> None:
        files = list(dict.fromkeys(problem.file for problem in problems))
        ordered = sorted(dict.fromkeys(problems), key=lambda each: (files.index(each.file), each.line or 0))
        super().__init__("\n".join(map(str, ordered)), advice=advice)
        self.problems = tuple(ordered)


def dotted(parts: Iterable[str]) -> str:
    """A path as text. A key that isn't a plain word is quoted, so that it can't pass for another line or path."""
    return ".".join(part if _PLAIN_WORD.fullmatch(part) else json.dumps(part[:100]) for part in parts)
