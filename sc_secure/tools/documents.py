"""JSON from outside: parsed in one place, so that a number has one form and rubbish is one error."""

from __future__ import annotations

import json
from typing import cast

from sc_secure.errors import InfrastructureError

Json = dict[str, object]
"""A JSON object whose members aren't checked yet."""


def parse_object(content: bytes | str, what: str) -> Json:
    """A JSON object. A whole number is an int, also where it is written `1.0`: cosign carries numbers as doubles.

    Args:
        content: JSON text.
        what: names it in the error.

    Raises:
        InfrastructureError: it isn't a JSON object.
    """
    try:
        value: object = json.loads(content, parse_float=_number)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InfrastructureError(f"{what}: not a JSON object")
    return cast("Json", value)


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number
