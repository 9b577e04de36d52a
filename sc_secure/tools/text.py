"""Text from outside (tool output, labels, remotes, references), made safe to print."""

from __future__ import annotations

import unicodedata

_LINE = 360
"""Characters of one line that are shown."""
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str, *, limit: int = 2000) -> str:
    """The text on one line, with every control, format (bidirectional) and separator character escaped.

    Args:
        text: anything, as an attacker may have chosen it.
        limit: the greatest length in characters; what is longer ends with `…`.
    """
    cut = text[:limit]
    safe = cut if cut.isascii() and cut.isprintable() else "".join(map(_escape, cut))
    return safe if len(text) <= limit else safe + "…"


def _escape(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def last_lines(text: str, count: int) -> str:
    """The last lines that aren't empty, each made printable, joined by ` | `.

    Of a long one, its two ends: the cause stands at its end. One that is said twice (cosign does, with another word
    before it) stands there once.
    """
    kept: dict[str, str] = {}
    for line in reversed([line.strip() for line in text.splitlines() if line.strip()]):
        if len(kept) == count:
            break
        kept.setdefault(line.partition(": ")[2] or line, line)
    return " | ".join(map(_ends, reversed(kept.values())))


def _ends(line: str) -> str:
    return (
        printable(line)
        if len(line) <= _LINE
        else f"{printable(line[: _LINE // 3])}…{printable(line[-_LINE * 2 // 3 :])}"
    )
