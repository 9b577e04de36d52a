"""Pieces of Markdown (GitHub's flavour: https://github.github.com/gfm/) that hold text from outside safely.

Such text stands in code spans and blocks, in which nothing is a link, a mention or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sc_secure.tools.text import printable

_LONGEST = 200


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, of cells that are Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def code(text: str) -> str:
    """A code span (GFM, 6.3) that holds in a table's cell too: with a fence that the text can't close.

    A pipe would end the cell first, and whether a backslash saves it depends on those before it.
    """
    shown = printable(text, limit=_LONGEST).replace("|", "¦")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or not shown.strip() else ""
    return f"{fence}{pad}{shown or ' '}{pad}{fence}"


def plain(text: str) -> str:
    """Words of ours as they are, everything else as a code span."""
    return text if re.fullmatch(r"[A-Za-z0-9 ()-]+", text, re.ASCII) else code(text)


def block(lines: Sequence[str], language: str) -> str:
    """A fenced block that its content can't close."""
    shown = "\n".join(printable(line, limit=2000) for line in lines)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"
