"""What the official provider checks of single inputs before anything is asked of AWS."""

import re
from collections.abc import Callable
from typing import Any

from properties import has_unknowns
from resources import InvalidInput

Validation = Callable[[str, Any], None]

_ARN = re.compile(r"arn:aws[\w-]*:[\w-]+:[\w-]*:(\d{12}|aws|)?:.+")


def name(pattern: str, longest: int, hint: str) -> Validation:
    """A name of at most so many characters, wholly of a pattern; the hint says which."""

    def validate(path: str, value: Any) -> None:
        if has_unknowns(value):
            return
        if not 1 <= len(value) <= longest:
            raise InvalidInput(path, f'expected length of "{path}" to be in the range (1 - {longest}), got {value}')
        if not re.fullmatch(pattern, value):
            raise InvalidInput(path, f'invalid value for "{path}" ({hint}): {value}')

    return validate


def one_of(*values: Any) -> Validation:
    """One of some values."""

    def validate(path: str, value: Any) -> None:
        if value not in values and not has_unknowns(value):
            raise InvalidInput(path, f"expected {path} to be one of {list(values)}, got {value}")

    return validate


def between(lowest: int, highest: int) -> Validation:
    """A number in a range."""

    def validate(path: str, value: Any) -> None:
        if not has_unknowns(value) and not lowest <= value <= highest:
            raise InvalidInput(path, f"expected {path} to be in the range ({lowest} - {highest}), got {value}")

    return validate


def arn(path: str, value: Any) -> None:
    """Refuse what isn't an ARN."""
    if not has_unknowns(value) and not _ARN.fullmatch(value):
        raise InvalidInput(path, f'"{path}" ({value}) is an invalid ARN: arn: invalid prefix')
