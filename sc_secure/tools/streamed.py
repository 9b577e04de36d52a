"""JSON that is larger than the memory it deserves: a list's elements one at a time, as the file is read.

The standard library's decoder reads each element; only the objects and lists on the way to it are walked here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from typing import IO, cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import Json

_CHUNK = 1024 * 1024
"""Characters that are read at once."""
_SPACE = re.compile(r"[ \t\n\r]*", re.ASCII)
_OF_A_NUMBER = ("", *"0123456789.eE+-")
_DECODER = json.JSONDecoder()


def read_object(content: IO[bytes], what: str, each: Mapping[str, Callable[[object], None]]) -> Json:
    """A JSON object, without the elements of some of its lists.

    Args:
        content: JSON in UTF-8, from its beginning.
        what: names it in the error.
        each: a list's path (`Results.Vulnerabilities`: in each element of `Results`, where that is a list) -> what is
            called with each of its elements, in their order. In the result these lists are empty.

    Raises:
        InfrastructureError: it isn't a JSON object, or a key of an object that is walked comes twice.
    """
    try:
        return _Reader(content, each).document()
    except (_NotJsonError, UnicodeDecodeError, RecursionError):
        raise InfrastructureError(f"{what}: not a JSON object") from None


class _NotJsonError(Exception):
    pass


class _Reader:
    def __init__(self, content: IO[bytes], each: Mapping[str, Callable[[object], None]]) -> None:
        self._content = TextIOWrapper(content, encoding="utf-8", newline="")
        self._each = each
        parts = [path.split(".") for path in each]
        self._way = {".".join(part[:length]) for part in parts for length in range(len(part))}
        self._text = ""
        self._at = 0

    def document(self) -> Json:
        """All of it."""
        if self._peek() != "{":
            raise _NotJsonError
        found = self._object("")
        if self._peek():
            raise _NotJsonError
        self._content.detach()
        return found

    def _value(self, path: str) -> object:
        """The next value, which is walked if it is on the way to a list that is wanted by the element."""
        first = self._peek()
        if path in self._each and first == "[":
            self._several("]", lambda: self._each[path](self._whole()))
            return []
        if path in self._way and first == "{":
            return self._object(path)
        if path in self._way and first == "[":
            found: list[object] = []
            self._several("]", lambda: found.append(self._value(path)))
            return found
        return self._whole()

    def _object(self, path: str) -> Json:
        found: Json = {}

        def member() -> None:
            key = self._whole()
            if not isinstance(key, str) or key in found:
                raise _NotJsonError
            self._expect(":")
            found[key] = self._value(f"{path}.{key}" if path else key)

        self._several("}", member)
        return found

    def _several(self, end: str, read: Callable[[], None]) -> None:
        self._at += 1
        if self._peek() == end:
            self._at += 1
            return
        while True:
            read()
            if self._peek() == end:
                self._at += 1
                return
            self._expect(",")

    def _whole(self) -> object:
        """The next value, as the standard library reads it."""
        self._peek()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
                # A number may go on behind the end of what was read so far.
                complete = self._text[end : end + 1] not in _OF_A_NUMBER
            except json.JSONDecodeError:
                found, end, complete = None, self._at, False
            if complete or not self._more():
                break
        if end == self._at:
            raise _NotJsonError
        self._at = end
        return found

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise _NotJsonError
        self._at += 1

    def _peek(self) -> str:
        """The next character that isn't space; empty: there is none."""
        while True:
            self._at = cast("re.Match[str]", _SPACE.match(self._text, self._at)).end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Whether there is more to read: at least as much as is waiting, so that a long value isn't begun too often."""
        waiting = self._text[self._at :]
        more = self._content.read(max(_CHUNK, len(waiting)))
        self._text, self._at = waiting + more, 0
        return bool(more)
