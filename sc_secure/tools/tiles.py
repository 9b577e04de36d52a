"""A log made of tiles, read: where its tree stands, and the proof that an entry is in it.

https://c2sp.org/tlog-tiles, https://c2sp.org/tlog-checkpoint and RFC 6962, 2.1. No signature is verified here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

_HASH = 32
_HEIGHT = 8
_WIDTH = 1 << _HEIGHT
_KEY_NAME = 4
_DIGITS = 1000
_MAX_SIZE = 2**63


@dataclass(frozen=True)
class Checkpoint:
    """Where a log's tree stands, as the log signed it."""

    text: str
    """As it came, with its signatures."""
    size: int
    root: bytes
    keys: frozenset[bytes]
    """The first four bytes of the names of the keys that signed it."""


@dataclass(frozen=True)
class Proof:
    """That an entry is in a tree."""

    leaf: bytes
    """The entry's own hash, as the log has it."""
    hashes: list[bytes]
    """From the leaf's neighbour upwards."""


ReadTile = Callable[[str], bytes | None]
"""What is at a path under the log's address; None: nothing is."""


def parse_checkpoint(content: bytes) -> Checkpoint:
    """A checkpoint that a log published.

    Raises:
        ValueError: it isn't one.
    """
    text = content.decode()
    body, blank, signed = text.partition("\n\n")
    _, size, root, *_ = body.split("\n")
    signatures = [signature for _, _, signature in (line.split(" ") for line in signed.splitlines())]
    keys = frozenset(base64.b64decode(each, validate=True)[:_KEY_NAME] for each in signatures)
    found = Checkpoint(text, int(size), base64.b64decode(root, validate=True), keys)
    if not (blank and keys and size.isascii() and size.isdigit() and found.size < _MAX_SIZE):
        raise ValueError("not a checkpoint")
    return found


def inclusion_proof(index: int, checkpoint: Checkpoint, read: ReadTile) -> Proof:
    """The proof for an entry's number, made of the log's tiles.

    Raises:
        ValueError: the tree has no such entry yet, or the tiles don't come to the checkpoint's root.
    """
    if not 0 <= index < checkpoint.size:
        raise ValueError("the tree hasn't grown to it yet")
    tree = _Tree(checkpoint.size, read)
    proof = Proof(tree.hash(index, index + 1), tree.path(index, 0, checkpoint.size))
    if tree.hash(0, checkpoint.size) != checkpoint.root:
        raise ValueError("its tiles and its checkpoint don't fit together")
    return proof


class _Tree:
    """The hashes of a tree of that size."""

    def __init__(self, size: int, read: ReadTile) -> None:
        self._size = size
        self._read = read
        self._tiles: dict[tuple[int, int], bytes] = {}

    def path(self, index: int, start: int, end: int) -> list[bytes]:
        """PATH of RFC 6962, 2.1.1, for the leaves from `start` up to before `end`."""
        if end - start == 1:
            return []
        middle = _middle(start, end)
        if index < middle:
            return [*self.path(index, start, middle), self.hash(middle, end)]
        return [*self.path(index, middle, end), self.hash(start, middle)]

    def hash(self, start: int, end: int) -> bytes:
        """MTH of RFC 6962, 2.1, of these leaves: a tile has it, or it is made of two that are smaller."""
        width = end - start
        level, rest = divmod(width.bit_length() - 1, _HEIGHT)
        if width == 1 << (width.bit_length() - 1) and not rest:
            number, place = divmod(start >> (level * _HEIGHT), _WIDTH)
            return self._tile(level, number)[place * _HASH : (place + 1) * _HASH]
        middle = _middle(start, end)
        return hashlib.sha256(b"\1" + self.hash(start, middle) + self.hash(middle, end)).digest()

    def _tile(self, level: int, number: int) -> bytes:
        known = (level, number)
        if known not in self._tiles:
            width = min((self._size >> (level * _HEIGHT)) - number * _WIDTH, _WIDTH)
            path = f"tile/{level}/{_number(number)}"
            content = self._read(path if width == _WIDTH else f"{path}.p/{width}")
            if content is None and width < _WIDTH:  # a log may remove what has grown to a whole tile
                content = self._read(path)
            if content is None or len(content) not in (width * _HASH, _WIDTH * _HASH):
                raise ValueError("a tile is missing, or of another size")
            self._tiles[known] = content
        return self._tiles[known]


def _middle(start: int, end: int) -> int:
    """Where RFC 6962 divides these leaves: after the largest power of two that is less than their number."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def _number(number: int) -> str:
    """A tile's number, as its path has it: `x001/x234/067`."""
    parts = [f"{number % _DIGITS:03}"]
    while number >= _DIGITS:
        number //= _DIGITS
        parts.append(f"x{number % _DIGITS:03}")
    return "/".join(reversed(parts))
