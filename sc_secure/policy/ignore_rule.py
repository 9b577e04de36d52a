"""Ignore rules: a finding that somebody has looked at, and taken the risk of, until a day.

A rule stands in a command as one readable flag, `--ignore 'CVE-2024-4340 in sqlparse@0.4.4 until 2026-12-01: REASON'`,
so that a preview shows a rule that comes, goes or changes as that flag.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from sc_secure.policy.block import Block
from sc_secure.policy.finding import Finding

MAX_RULES = 100
"""More belong in an OpenVEX document: each rule is a part of the command."""
MAX_REASON = 160
"""The greatest length of a reason, in characters."""
_FORM = re.compile(
    r"(?P<id>\S+)(?: in (?P<package>\S+))? until (?P<expires>\d{4}-\d{2}-\d{2}): (?P<reason>.+)", re.ASCII
)


def _as_text(value: Any) -> Any:
    """YAML reads a date without quotes as a date."""
    return value.isoformat() if type(value) is date else value


def _is_day(value: str) -> str:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = None
    if day is None or day.isoformat() != value:
        raise ValueError("a date is expected, as 2026-12-01")
    return value


def _is_text(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("one line of text is expected, without control characters and surrounding spaces")
    return value


class IgnoreRule(Block):
    """A finding that doesn't count until a day."""

    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9]*-[A-Za-z0-9][A-Za-z0-9:._-]*$", max_length=64)
    """The vulnerability, by any of its names: `CVE-…` or `GHSA-…`."""
    package: str | None = Field(default=None, pattern=r"^@?[^\s@]+(@[^\s@]+)?$", max_length=128)
    """Only in this package: its name, or `name@version`. In every package when not said."""
    reason: Annotated[str, AfterValidator(_is_text)] = Field(min_length=1, max_length=MAX_REASON)
    """Why the risk is taken."""
    expires: Annotated[str, BeforeValidator(_as_text), AfterValidator(_is_day)]
    """The day from which it no longer counts, in UTC, as `2026-12-01`."""

    @property
    def what(self) -> str:
        """What it ignores: `CVE-2024-4340 in sqlparse@0.4.4`."""
        return f"{self.id} in {self.package}" if self.package else self.id

    @property
    def flag(self) -> str:
        """The rule as one word of the command; `parse_rule` reads it."""
        return f"{self.what} until {self.expires}: {self.reason}"

    def expired(self, today: date) -> bool:
        """Whether it no longer counts on that day."""
        return today >= date.fromisoformat(self.expires)

    def concerns(self, finding: Finding) -> bool:
        """Whether the finding is in the rule's package."""
        return self.package in (None, finding.package, f"{finding.package}@{finding.version}")


def parse_rule(text: str) -> IgnoreRule:
    """The rule that a flag says.

    Args:
        text: `ID[ in PACKAGE] until DATE: REASON`.

    Raises:
        ValueError: it doesn't say one; pydantic's error, with every problem, where only a part of it is wrong.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("'ID in PACKAGE until YYYY-MM-DD: REASON' is expected; ` in PACKAGE` may be left out")
    return IgnoreRule.model_validate(match.groupdict())
