"""DER (ITU-T X.690), read: just so much as certificates and public keys take. Nothing is verified here."""

from __future__ import annotations

from collections.abc import Iterator

SEQUENCE, OCTETS, BITS, OBJECT, INTEGER = 0x30, 0x04, 0x03, 0x06, 0x02
"""Tags."""
_LONG = 0x80


def inside(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The values in the sequence that this is.

    Raises:
        ValueError: it isn't one.
    """
    tag, content = first(der)
    if tag != SEQUENCE:
        raise ValueError("a sequence is expected")
    return values(content)


def first(der: bytes) -> tuple[int, bytes]:
    """The first value's tag and content.

    Raises:
        ValueError: there is none, or it isn't DER.
    """
    for value in values(der):
        return value
    raise ValueError("a value is expected")


def values(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Each value's tag and content (ITU-T X.690, 8.1), one after another.

    Raises:
        ValueError: it isn't DER.
    """
    at = 0
    while at < len(der):
        if at + 1 >= len(der):
            raise ValueError("it ends too early")
        tag, length, at = der[at], der[at + 1], at + 2
        if length >= _LONG:
            size = length - _LONG
            length, at = int.from_bytes(der[at : at + size], "big"), at + size
        if at + length > len(der):
            raise ValueError("it ends too early")
        yield tag, der[at : at + length]
        at += length
