"""Where the `security:` block has a copy of a document kept: the same key for each step that makes one."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from sc_secure.policy.block import Block


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or path == PurePosixPath():
        raise ValueError("a file's path relative to the project, and inside it, is expected")
    return value


class Output(Block):
    """Where a copy of a document is kept."""

    local: Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_inside)] | None = None
    """A file of the project, besides the one under `.sc/artifacts`. Each image of a program needs its own."""
