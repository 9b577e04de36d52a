"""How old something may be: `120h` or `5d`."""

from __future__ import annotations

import re
from datetime import timedelta

_FORM = re.compile(r"([1-9][0-9]{0,3})([hd])", re.ASCII)


def parse_age(text: str) -> timedelta:
    """The age that such a text says.

    Args:
        text: a whole number of hours or days, as `120h` or `5d`.

    Raises:
        ValueError: it isn't one.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("a whole number of hours or days is expected, as 120h or 5d (1 to 9999)")
    count = int(match[1])
    return timedelta(hours=count) if match[2] == "h" else timedelta(days=count)
