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


def as_object(value: object) -> Json:
    """The value, if it is a JSON object.

    Raises:
        TypeError: it isn't.
    """
    if not isinstance(value, dict):
        raise TypeError("an object is missing")
    return cast("Json", value)


def as_list(value: object) -> list[object]:
    """The value, if it is a JSON array.

    Raises:
        TypeError: it isn't.
    """
    if not isinstance(value, list):
        raise TypeError("a list is missing")
    return cast("list[object]", value)


def as_text(value: object) -> str:
    """The value, if it is a JSON string.

    Raises:
        TypeError: it isn't.
    """
    if not isinstance(value, str):
        raise TypeError("a text is missing")
    return value


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number
