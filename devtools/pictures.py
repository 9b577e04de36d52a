"""Draws what a program printed, and a page as a browser shows it, as SVGs of text: `docs/pictures/`.

`make pictures` makes them anew, from real runs: tests/docs/test_pictures.py, which otherwise compares them with such.
"""

import hashlib
import html
import io
import re
from html.parser import HTMLParser

from devtools.cache import REPOSITORY
from sc_secure.tools.table import TOOLS

FOLDER = REPOSITORY / "docs/pictures"
_COLUMNS = 116
_TERMINAL = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, monospace; font-size: {char_height}px; white-space: pre; }}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""  # rich's own, without the fonts that it has fetched
_PAGE = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
{style}
</style>
<foreignObject width="{width}" height="{height}">
{body}
</foreignObject>
</svg>
"""


def terminal(printed: str, title: str) -> str:
    """A terminal's window, with what was printed, colours included."""
    from rich.console import Console  # noqa: PLC0415 - needs the virtual environment
    from rich.text import Text  # noqa: PLC0415

    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    # With a line more, since the last one is cut off.
    console.print(Text.from_ansi(f"{printed}\n "), highlight=False)
    drawn = console.export_svg(title=title, code_format=_TERMINAL, unique_id="t")
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def page(body: str, style: str, width: int, height: int) -> str:
    """The upper part of a page.

    Args:
        body: its body element, as XML.
        style: its style sheet.
        width: in pixels.
        height: in pixels; what is below isn't seen.
    """
    return _PAGE.format(style=html.escape(style, quote=False), body=body, width=width, height=height)


def words(markup: str) -> str:
    """What is to be read on a page, or on a picture of one."""
    reader = _Reader()
    reader.feed(markup)
    return " ".join("".join(reader.texts).split())


def stable(text: str, places: dict[str, str]) -> str:
    """The text without what differs from run to run: hashes, times, versions of tools, and what the caller names.

    Args:
        text: what a run printed or wrote.
        places: a text of this machine -> what stands for it.
    """
    for found, instead in places.items():
        text = text.replace(found, instead)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?", "2026-12-01 09:00", text)
    text = re.sub(r"\b\d+(\.\d+)? ?s\b", "1 s", text)
    for tool in TOOLS:
        text = re.sub(rf"\b{tool.name} \d+\.\d+\.\d+", f"{tool.name} {tool.pinned}", text)
    known: dict[str, str] = {}
    return re.sub(r"\b[0-9a-f]{12,64}\b", lambda found: _another(found[0], known), text)


def _another(digest: str, known: dict[str, str]) -> str:
    """In a hash's place, the same one each time that it comes, also where only its beginning does."""
    instead = hashlib.sha256(str(len(known)).encode()).hexdigest()
    return known.setdefault(digest[:12], instead)[: len(digest)]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "title")
        self.texts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")
        self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)
