"""The chain of steps as a picture: SVG for the page, without scripts, styles or anything from outside.

Colours come from the page's style sheet, by class, so that they follow the reader's light or dark setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from sc_secure.report import words
from sc_secure.report.document import Release, StepStatus
from sc_secure.tools.text import printable

_WIDTH, _HEIGHT = 122, 50
"""Of a box, in SVG's units: CSS pixels at full size."""
_ALONG = 28
"""Between two boxes, in the direction of the arrows."""
_ROWS, _COLUMNS = 14, 7
"""Between two boxes, across it: above one another, and side by side."""
_MARGIN = 2
_LONGEST = 18
_MARKS: dict[StepStatus, str] = {
    "passed": "✓",
    "reused": "✓",
    "skipped": "-",
    "soft_failed": "!",
    "failed": "✗",
    "not_run": "·",
}


@dataclass(frozen=True)
class _Box:
    """A step, or one of the two ends."""

    name: str
    title: str
    detail: str
    state: str
    """Its CSS class: a step's status, or `end`, `open`, `shut`."""
    needs: tuple[str, ...]


def draw(release: Release, *, across: bool) -> str:
    """The picture.

    Args:
        release: the document.
        across: from left to right, for a wide page; else from top to bottom, for a narrow one.
    """
    boxes = _boxes(release)
    levels = _levels(boxes)
    rows: dict[int, list[_Box]] = {}
    for box in boxes:
        rows.setdefault(levels[box.name], []).append(box)
    widest = max(map(len, rows.values()))
    size, gap = ((_WIDTH, _HEIGHT), _ROWS) if across else ((_HEIGHT, _WIDTH), _COLUMNS)
    places: dict[str, tuple[float, float]] = {}
    for level, row in rows.items():
        used = len(row) * size[1] + (len(row) - 1) * gap
        start = _MARGIN + (widest * size[1] + (widest - 1) * gap - used) / 2
        for number, box in enumerate(row):
            along = _MARGIN + level * (size[0] + _ALONG)
            beside = start + number * (size[1] + gap)
            places[box.name] = (along, beside) if across else (beside, along)
    length = len(rows) * size[0] + (len(rows) - 1) * _ALONG + 2 * _MARGIN
    breadth = widest * size[1] + (widest - 1) * gap + 2 * _MARGIN
    width, height = (length, breadth) if across else (breadth, length)
    lines = [_line(places[need], places[box.name], across=across) for box in boxes for need in box.needs]
    drawn = [_box(box, *places[box.name]) for box in boxes]
    kind = "across" if across else "down"
    told = ", ".join(f"{box.title}: {box.detail}" if box.detail else box.title for box in boxes)
    return (
        f'<svg class="graph {kind}" role="img" aria-label="{escape("The steps: " + told)}" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" xmlns="http://www.w3.org/2000/svg">'
        f'<g class="lines">{"".join(lines)}</g>{"".join(drawn)}</svg>'
    )


def _boxes(release: Release) -> list[_Box]:
    """The image, the steps, and what comes of them."""
    known = {step.name for step in release.steps}
    image = _Box("(image)", "Image", release.digest.removeprefix("sha256:")[:12], "end", ())
    boxes = [image]
    needed: set[str] = set()
    for step in release.steps:
        needs = tuple(need for need in step.needs if need in known)
        needed.update(needs)
        detail = f"{_MARKS[step.status]} {words.STATUSES[step.status]}"
        # Seconds are in the page's table: a picture that changes with each run would say nothing more.
        boxes.append(_Box(step.name, words.title(step.name), detail, step.status, needs or (image.name,)))
    last = tuple(box.name for box in boxes if box.name not in needed and (box is not image or len(boxes) == 1))
    opened = release.verdict in ("secured", "degraded")
    boxes.append(_Box("(out)", "Deployable" if opened else "Not deployable", "", "open" if opened else "shut", last))
    return boxes


def _levels(boxes: list[_Box]) -> dict[str, int]:
    """How far each box is from the image: one more than what it waits for. What isn't known yet doesn't count."""
    levels: dict[str, int] = {}
    for box in boxes:
        levels[box.name] = max((levels[need] + 1 for need in box.needs if need in levels), default=0)
    return levels


def _line(start: tuple[float, float], end: tuple[float, float], *, across: bool) -> str:
    if across:
        (x1, y1), (x2, y2) = (start[0] + _WIDTH, start[1] + _HEIGHT / 2), (end[0] - 5, end[1] + _HEIGHT / 2)
        straight, middle = f"H{max(x1, x2 - _ALONG):g}", x2 - _ALONG / 2
        bend = f"{middle:g} {y1:g} {middle:g} {y2:g}"
        tip = f"M{x2:g} {y2 - 4:g}l5 4l-5 4z"
    else:
        (x1, y1), (x2, y2) = (start[0] + _WIDTH / 2, start[1] + _HEIGHT), (end[0] + _WIDTH / 2, end[1] - 5)
        straight, middle = f"V{max(y1, y2 - _ALONG):g}", y2 - _ALONG / 2
        bend = f"{x1:g} {middle:g} {x2:g} {middle:g}"
        tip = f"M{x2 - 4:g} {y2:g}l4 5l4 -5z"
    return f'<path class="line" d="M{x1:g} {y1:g}{straight}C{bend} {x2:g} {y2:g}"/><path class="tip" d="{tip}"/>'


def _box(box: _Box, x: float, y: float) -> str:
    middle = x + _WIDTH / 2
    first, second = (y + 21, y + 38) if box.detail else (y + 29, 0)
    detail = f'<text class="detail" x="{middle:g}" y="{second:g}">{_shown(box.detail)}</text>' if box.detail else ""
    return (
        f'<g class="box {box.state.replace("_", "-")}"><rect x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'rx="7"/><text class="title" x="{middle:g}" y="{first:g}">{_shown(box.title)}</text>{detail}</g>'
    )


def _shown(text: str) -> str:
    """Text that fits into a box."""
    return escape(printable(text, limit=_LONGEST))
