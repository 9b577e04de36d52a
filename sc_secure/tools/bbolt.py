"""The names of the buckets in a bbolt file, and that all of it is there (https://github.com/etcd-io/bbolt).

trivy keeps its vulnerability database in such a file, and scans with an empty or cut-off one without a word.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MAGIC, _VERSION = 0xED0CDAED, 2
_HEADER = struct.Struct("<QHHI")
"""A page's number, kind, count of elements, and how many pages follow that belong to it."""
_META = struct.Struct("<IIIIQQQQQQ")
"""Magic, version, page size, flags, root page, sequence, free list, pages in all, transaction, checksum."""
_ELEMENT = struct.Struct("<IIII")
"""In a leaf: flags, where the key is, its size, the value's size."""
_BRANCH = struct.Struct("<IIQ")
"""In a branch: where the key is, its size, the page below."""
_BRANCH_PAGE, _LEAF_PAGE, _BUCKET = 1, 2, 1
_MAX_PAGE = 64 * 1024
_MAX_BUCKETS = 100_000
_FNV_OFFSET, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


def buckets(path: Path) -> list[str]:
    """The names of the file's buckets, those within buckets left out.

    Raises:
        ValueError: it isn't a bbolt file, or not a whole one.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        try:
            size, root, pages = _newest(file)
            if path.stat().st_size < size * pages:
                raise ValueError("it is cut off")
            return [name.decode("utf-8", "replace") for name in _names(file, size, root, pages)]
        except struct.error:
            raise ValueError("it is cut off") from None


def _newest(file: BinaryIO) -> tuple[int, int, int]:
    """The page size, the root page and the number of pages, of the newest of the two meta pages that is whole."""
    first = _meta(file, 0)
    size = first[2] if first else 4096
    both = [each for each in (first, _meta(file, size)) if each]
    if not both:
        raise ValueError("it isn't a bbolt file")
    newest = max(both, key=lambda each: each[8])
    return newest[2], newest[4], newest[7]


def _meta(file: BinaryIO, at: int) -> tuple[int, ...] | None:
    file.seek(at + _HEADER.size)
    content = file.read(_META.size)
    if len(content) < _META.size:
        return None
    fields = _META.unpack(content)
    known = fields[:2] == (_MAGIC, _VERSION) and fields[9] == fnv1a(content[:-8]) and 0 < fields[2] <= _MAX_PAGE
    return fields if known else None


def fnv1a(content: bytes) -> int:
    """The checksum of a meta page: FNV-1a, 64 bits."""
    value = _FNV_OFFSET
    for byte in content:
        value = (value ^ byte) * _FNV_PRIME % 2**64
    return value


def _names(file: BinaryIO, size: int, root: int, pages: int) -> Iterator[bytes]:
    """The keys of the buckets under a page."""
    waiting, seen, found = [root], set[int](), 0
    while waiting:
        number = waiting.pop()
        if number in seen or number >= pages:
            raise ValueError("its pages are mixed up")
        seen.add(number)
        file.seek(number * size)
        _, kind, count, more = _HEADER.unpack(file.read(_HEADER.size))
        if kind not in (_BRANCH_PAGE, _LEAF_PAGE) or number + more >= pages:
            raise ValueError("its pages are mixed up")
        content = file.read((more + 1) * size - _HEADER.size)
        if kind == _BRANCH_PAGE:
            waiting += [_BRANCH.unpack_from(content, at * _BRANCH.size)[2] for at in range(count)]
            continue
        for at in range(count):
            flags, where, length, _ = _ELEMENT.unpack_from(content, at * _ELEMENT.size)
            if flags & _BUCKET:
                found += 1
                if found > _MAX_BUCKETS:
                    raise ValueError("it has too many buckets")
                yield content[at * _ELEMENT.size + where :][:length]
