"""The identity in a Sigstore certificate: just so much of X.509 as that takes.

https://datatracker.ietf.org/doc/html/rfc5280#section-4 and
https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md. Nothing is verified here: what is read is what cosign is
then asked to verify.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import Json, parse_object

_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_ISSUER = bytes.fromhex("2b0601040183bf300108")
_SEQUENCE, _OCTETS, _EXTENSIONS = 0x30, 0x04, 0xA3
_EMAIL, _URI = 0x81, 0x86
_LONG = 0x80


def bundle_identity(bundle: bytes) -> tuple[str, str] | None:
    """The identity that a bundle's certificate names, and the issuer that vouched for it; None: not to be read."""
    try:
        material = cast("Json", parse_object(bundle, "a bundle")["verificationMaterial"])
        raw = base64.b64decode(str(cast("Json", material["certificate"])["rawBytes"]), validate=True)
        return _identity(raw)
    except (InfrastructureError, KeyError, TypeError, ValueError):
        return None


def _identity(certificate: bytes) -> tuple[str, str] | None:
    extensions = dict(_extensions(certificate))
    if not {_ALTERNATIVE_NAMES, _ISSUER} <= extensions.keys():
        return None
    names = [value.decode() for tag, value in _inside(extensions[_ALTERNATIVE_NAMES]) if tag in (_EMAIL, _URI)]
    _, issuer = _first(extensions[_ISSUER])
    return (names[0], issuer.decode()) if len(names) == 1 and issuer else None


def _extensions(certificate: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each extension's object identifier, and its content."""
    _, signed_part = _first(_first(certificate)[1])
    for tag, value in _values(signed_part):
        if tag == _EXTENSIONS:
            for _, extension in _inside(value):
                parts = list(_values(extension))
                if len(parts) > 1 and parts[-1][0] == _OCTETS:
                    yield parts[0][1], parts[-1][1]


def _inside(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The values in the sequence that this is."""
    tag, content = _first(der)
    if tag != _SEQUENCE:
        raise ValueError("a sequence is expected")
    return _values(content)


def _first(der: bytes) -> tuple[int, bytes]:
    for value in _values(der):
        return value
    raise ValueError("a value is expected")


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
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
