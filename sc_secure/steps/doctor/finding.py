"""What a check found, and the form in which it is printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from sc_secure.errors import ScSecureError
from sc_secure.tools.text import printable

_LONGEST = 1000
_AGAIN = "put right what is named here, and run `sc-secure doctor` again"
Status = Literal["ok", "warning", "failed"]


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    check: str = Field(pattern=r"^[a-z]+(\.[a-z-]+)?$")
    """What was looked at: a group, or one of a group (`tool.cosign`)."""
    status: Status
    """`failed`: a deployment wouldn't work. `warning`: it would, with less, or only some would."""
    detail: str
    """What was found, on one line."""
    remedy: str
    """What to do, on one line or several; empty where nothing is to be done."""


class Checks(RootModel[list[Check]]):
    """Everything that was looked at, in a fixed order."""


@dataclass(frozen=True)
class Finding:
    """A check, and the exit code that its failure ends the command with."""

    check: Check
    exit_code: int = 0


Findings = Iterator[Finding]


def ok(check: str, detail: str) -> Finding:
    """All is well, or it isn't needed."""
    return Finding(Check(check=check, status="ok", detail=printable(detail, limit=_LONGEST), remedy=""))


def wrong(check: str, error: ScSecureError, *, needed: bool = True, detail: str = "", remedy: str = "") -> Finding:
    """It is not.

    Args:
        check: what was looked at.
        error: why, what to do, and the exit code.
        needed: a deployment wouldn't work; else it is a warning.
        detail: in place of the error's message.
        remedy: in place of the error's advice.
    """
    detail, remedy = detail or error.message, remedy or error.advice or _AGAIN
    found = Check(
        check=check,
        status="failed" if needed else "warning",
        detail=printable("; ".join(detail.splitlines()), limit=_LONGEST),
        remedy="\n".join(printable(line, limit=_LONGEST) for line in remedy.splitlines()),
    )
    return Finding(found, error.exit_code if needed else 0)
