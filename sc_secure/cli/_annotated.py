"""A policy as YAML in which each value has its place as a comment: `failOn: high  # .sc/stacks/web/client.yaml:7`."""

from __future__ import annotations

from typing import Any, cast

import yaml

from sc_secure.policy.located import Located
from sc_secure.tools.text import printable


def annotated(name: str, value: Located) -> str:
    """The value under its name, as lines of YAML, each leaf with the file and line that it comes from."""
    lines = _entry(f"{_inline(name)}:", value, "")
    width = max(len(text) for text, _ in lines)
    return "\n".join(f"{text:<{width}}  # {origin}" if origin else text for text, origin in lines)


Line = tuple[str, str]
"""A line's YAML, and where its value comes from (empty: it holds others)."""


def _entry(head: str, value: Located, indent: str) -> list[Line]:
    """A key or a list's dash, and its value."""
    if value.value and isinstance(value.value, dict | list):
        return [(indent + head, ""), *_inside(value, indent + "  ")]
    return [(f"{indent}{head} {_inline(value.plain)}", printable(f"{value.file}:{value.line}", limit=500))]


def _inside(value: Located, indent: str) -> list[Line]:
    if isinstance(value.value, dict):
        return [line for key, item in value.value.items() for line in _entry(f"{_inline(key)}:", item, indent)]
    lines: list[Line] = []
    for item in cast(list[Located], value.value):
        if item.value and isinstance(item.value, dict | list):
            (first, origin), *rest = _inside(item, indent + "  ")
            lines += [(f"{indent}- {first.lstrip()}", origin), *rest]
        else:
            lines += _entry("-", item, indent)
    return lines


def _inline(value: Any) -> str:
    """A value without others inside, on one line; what isn't printable in ASCII is escaped."""
    style = '"' if isinstance(value, str) and not (value.isascii() and value.isprintable()) else None
    text = yaml.safe_dump(value, default_style=style, default_flow_style=True, width=1 << 30)
    return text.removesuffix("\n").removesuffix("\n...")
