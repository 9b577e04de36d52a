"""How often, and how soon, what may be gone in a moment is tried again: the limits of what a policy may say."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from sc_secure.policy.limits import MAX_BASE_DELAY

_FORM = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)(ms|s)", re.ASCII)


def _seconds(value: Any) -> Any:
    """`500ms` and `1.5s` as seconds; a number stays one."""
    if not isinstance(value, str):
        return value
    match = _FORM.fullmatch(value)
    if match is None:
        raise ValueError("a number of seconds is expected, or a text as 500ms or 1.5s")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


Delay = Annotated[
    float,
    Field(ge=0, le=MAX_BASE_DELAY),
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": MAX_BASE_DELAY},
                {"type": "string", "pattern": f"^{_FORM.pattern}$"},
            ]
        }
    ),
]
"""A pause of at most `MAX_BASE_DELAY` seconds, as a number of seconds, `500ms` or `1.5s`."""
