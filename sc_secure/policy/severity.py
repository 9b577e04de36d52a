"""The severities of a finding, in order."""

from __future__ import annotations

import enum


class Severity(enum.IntEnum):
    """How bad a vulnerability is, as the scanner's database says. Higher is worse.

    `UNKNOWN` is the lowest, so that a policy of "unknown and worse" means everything.
    """

    UNKNOWN = 0
    NEGLIGIBLE = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5

    @property
    def word(self) -> str:
        """The severity as flags, files and people write it."""
        return _WORDS[self]

    @classmethod
    def parse(cls, text: str) -> Severity:
        """The severity of that word, in any case; `UNKNOWN` for a word that isn't one."""
        return _NAMES.get(text.upper(), cls.UNKNOWN)


# Asked for with each of many findings, and an enumeration is slow to say them.
_NAMES = dict(Severity.__members__)
_WORDS = [each.name.lower() for each in Severity]

EVERY_WORD: tuple[str, ...] = ("critical", "high", "medium", "low", "negligible", "unknown")
"""All severities, the worst first; a policy can name each: that severity and worse."""
