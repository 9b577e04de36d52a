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
from sc_secure.tools.der import OCTETS, first, inside, values
from sc_secure.tools.documents import Json, as_object, parse_object

_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_ISSUER = bytes.fromhex("2b0601040183bf300108")
_EXTENSIONS = 0xA3
_EMAIL, _URI = 0x81, 0x86


def bundle_identity(bundle: bytes) -> tuple[str, str] | None:
    """The identity that a bundle's certificate names, and the issuer that vouched for it; None: not to be read."""
    try:
        material = cast("Json", parse_object(bundle, "a bundle")["verificationMaterial"])
        raw = base64.b64decode(str(cast("Json", material["certificate"])["rawBytes"]), validate=True)
        return _identity(raw)
    except (InfrastructureError, KeyError, TypeError, ValueError):
        return None


def has_timestamp(bundle: bytes) -> bool:
    """Whether a timestamp authority's word is in a bundle."""
    material = as_object(parse_object(bundle, "a bundle")["verificationMaterial"])
    return bool(as_object(material.get("timestampVerificationData") or {}).get("rfc3161Timestamps"))


def _identity(certificate: bytes) -> tuple[str, str] | None:
    extensions = dict(_extensions(certificate))
    if not {_ALTERNATIVE_NAMES, _ISSUER} <= extensions.keys():
        return None
    names = [value.decode() for tag, value in inside(extensions[_ALTERNATIVE_NAMES]) if tag in (_EMAIL, _URI)]
    _, issuer = first(extensions[_ISSUER])
    return (names[0], issuer.decode()) if len(names) == 1 and issuer else None


def _extensions(certificate: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each extension's object identifier, and its content."""
    _, signed_part = first(first(certificate)[1])
    for tag, value in values(signed_part):
        if tag == _EXTENSIONS:
            for _, extension in inside(value):
                parts = list(values(extension))
                if len(parts) > 1 and parts[-1][0] == OCTETS:
                    yield parts[0][1], parts[-1][1]
