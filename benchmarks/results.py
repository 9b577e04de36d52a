"""Keeps what was measured: a table to read, JSON to compare with, and a plot."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs/benchmarks"


@dataclass(frozen=True)
class Row:
    """One figure, what it is compared with, and what was hoped for."""

    what: str
    ours: float
    unit: str
    beside: str = ""
    """What `theirs` is."""
    theirs: float | None = None
    figure: float | None = None
    """What the target is about, as a ratio; None: `ours` itself."""
    target: float | None = None
    """The most that it should be."""
    measured: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())
    """The day."""

    @property
    def decisive(self) -> float:
        return self.ours if self.figure is None else self.figure

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return f"{'met' if self.decisive <= self.target else 'MISSED'} (at most {self.target:g})"


def write(rows: list[Row]) -> str:
    """Writes the files, and gives the table. What wasn't measured this time stays, if it is of this machine."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    file = FOLDER / "results.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    kept = [Row(**row) for row in known.get("rows", [])] if known.get("machine") == machine else []
    rows = list({(row.what, row.beside): row for row in [*kept, *rows]}.values())
    file.write_text(json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=2) + "\n")
    table = _table(rows)
    (FOLDER / "README.md").write_text(_PAGE.format(machine=machine, table=table))
    (FOLDER / "ratios.svg").write_text(_plot([row for row in rows if row.figure is not None]))
    return table


_PAGE = """# What it costs

Written by `make bench`: {machine}. Each figure is the median of pairs that took turns in one run; compare
ratios, not seconds, with those of another machine.

{table}

![each ratio beside its target](ratios.svg)

`results.json` has the same figures.
"""


def _table(rows: list[Row]) -> str:
    lines = ["| what | ours | beside | theirs | ratio | target | measured |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        theirs = "" if row.theirs is None else f"{row.theirs:.3g} {row.unit}"
        ratio = "" if row.figure is None else f"{row.figure:.2f}"
        ours, last = f"{row.ours:.3g} {row.unit}", f"{row.verdict} | {row.measured}"
        lines.append(f"| {row.what} | {ours} | {row.beside} | {theirs} | {ratio} | {last} |")
    return "\n".join(lines)


_WIDTH, _LEFT, _HEIGHT = 900, 480, 26


def _plot(rows: list[Row]) -> str:
    """A bar for each ratio, and a line where its target is."""
    most = max((max(row.decisive, row.target or 0) for row in rows), default=1) * 1.15
    scale = (_WIDTH - _LEFT) / most
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT * len(rows) + 10}" '
        'font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for number, row in enumerate(rows):
        top = 5 + number * _HEIGHT
        colour = "#2da44e" if row.target is None or row.decisive <= row.target else "#cf222e"
        parts.append(f'<text x="{_LEFT - 8}" y="{top + 16}" text-anchor="end">{escape(row.what)}</text>')
        width = row.decisive * scale
        parts.append(f'<rect x="{_LEFT}" y="{top + 4}" width="{width:.0f}" height="16" fill="{colour}"/>')
        parts.append(f'<text x="{_LEFT + width + 5:.0f}" y="{top + 16}">{row.decisive:.2f}</text>')
        if row.target is not None:
            at = f"{_LEFT + row.target * scale:.0f}"
            parts.append(f'<path d="M{at} {top} v{_HEIGHT - 2}" stroke="#111" stroke-width="2"/>')
    return "\n".join([*parts, "</svg>"]) + "\n"
