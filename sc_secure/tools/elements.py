"""JSON that may be large, such as a scanner's report: a list's elements one at a time, and of each only what is used.

msgspec takes a fifth of the standard library's time, which makes an object of every member. It is as strict: what is
no JSON is refused wherever it stands, and so is an escape of half a character (`\\ud800`), which Go never writes.
Loading it takes 8 ms, so this module is loaded where a report is read.
"""

from __future__ import annotations

import codecs
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import Json

T = TypeVar("T")
Content = bytes | mmap.mmap
"""JSON in UTF-8."""

_CHUNK = 1024 * 1024


class _Name:
    """A member's name. No two are equal, so that one that comes twice is seen."""

    def __init__(self, text: str) -> None:
        self.text = text


_OBJECT = msgspec.json.Decoder(
    dict[_Name, list[msgspec.Raw] | dict[str, Any] | str | int | float | bool | None],
    dec_hook=lambda _, text: _Name(cast("str", text)),
)


def mapped(path: Path) -> Content:
    """The file's content, which takes memory only where it is read. The file mustn't change meanwhile."""
    with path.open("rb") as file:
        # It is unmapped once nothing holds a part of it.
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""


def read_members(content: Content, what: str) -> Json:
    """A JSON object; the elements of its lists aren't read yet, but for `elements`.

    Args:
        content: all of it.
        what: names it in the error.

    Raises:
        InfrastructureError: it isn't a JSON object, or one of its members comes twice.
    """
    try:
        _check_utf8(content)
        return _members(content)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise InfrastructureError(f"{what}: not a JSON object") from None


def elements(value: object, decoder: msgspec.json.Decoder[T], path: str) -> Iterator[T]:
    """The elements of a list that is a member of what `read_members` or `objects` gave.

    Args:
        value: the list; None: there are none.
        decoder: what is read of an element; its other members are passed over.
        path: the list's own, for the error.

    Raises:
        TypeError: it isn't a list, or an element isn't what it should be: with its path.
    """
    for number, each in enumerate(unread(value, path)):
        try:
            yield decoder.decode(each)
        except msgspec.MsgspecError as error:
            raise _with_path(error, f"{path}[{number}]") from None


def objects(value: object, path: str) -> Iterator[Json]:
    """As `elements`, where they are objects, each read as `read_members` does.

    Raises:
        TypeError, ValueError: it isn't a list of objects, or a member of one comes twice.
    """
    for number, each in enumerate(unread(value, path)):
        try:
            yield _members(each)
        except msgspec.MsgspecError as error:
            raise _with_path(error, f"{path}[{number}]") from None


def unread(value: object, path: str) -> list[msgspec.Raw]:
    """The elements of such a list as they are.

    Raises:
        TypeError: it isn't a list.
    """
    if value is not None and not isinstance(value, list):
        raise TypeError(f"{path}: a list is missing")
    return cast("list[msgspec.Raw]", value or [])


def _members(content: Content | msgspec.Raw) -> Json:
    found = _OBJECT.decode(content)
    by_name: Json = {name.text: value for name, value in found.items()}
    if len(by_name) < len(found):
        raise ValueError("a member comes twice")
    return by_name


def _with_path(error: msgspec.MsgspecError, path: str) -> TypeError:
    """The error with all of the path: `matches[3].vulnerability.id: expected `str`, got `int``."""
    said, _, inner = str(error).partition(" - at `$")
    return TypeError(f"{path}{inner.rstrip('`')}: {said[:1].lower()}{said[1:]}")


def _check_utf8(content: Content) -> None:
    """msgspec looks at the strings that it makes, not at those that it passes over.

    Half a character at the end is left: what ends so is no JSON.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _CHUNK):
        decoder.decode(content[start : start + _CHUNK])
