"""What a Rekor 2 wants to be told of the key that signed: its algorithm, and the hash that it signs.

https://github.com/sigstore/rekor-tiles/blob/v2.3.0/CLIENTS.md, and the names are
https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_common.proto (`PublicKeyDetails`). Chosen as
cosign chooses it for keys of that kind; nothing is verified here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sc_secure.tools.der import BITS, INTEGER, OBJECT, SEQUENCE, first, inside, values

_ELLIPTIC, _RSA = bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a864886f70d010101")
_VERSION = 0xA0
_PUBLIC_KEY = 5  # the place in a certificate after its version: RFC 5280, 4.1


@dataclass(frozen=True)
class KeyDetails:
    """How a key signs."""

    name: str
    """Of key and hash together, as the log knows it."""
    hash: str
    """As `hashlib` knows it."""
    log_hash: str
    """As the log's entry names it."""


_CURVES = {
    bytes.fromhex("2a8648ce3d030107"): KeyDetails("PKIX_ECDSA_P256_SHA_256", "sha256", "SHA2_256"),
    bytes.fromhex("2b81040022"): KeyDetails("PKIX_ECDSA_P384_SHA_384", "sha384", "SHA2_384"),
    bytes.fromhex("2b81040023"): KeyDetails("PKIX_ECDSA_P521_SHA_512", "sha512", "SHA2_512"),
}
_RSA_SIZES = (2048, 3072, 4096)


def of_certificate(certificate: bytes) -> KeyDetails | None:
    """Of the key in a certificate (DER); None: of no kind that is known here."""
    try:
        (_, signed_part), *_ = inside(certificate)
        parts = [each for each in values(signed_part) if each[0] != _VERSION]
        return _details(parts[_PUBLIC_KEY][1])
    except (ValueError, IndexError):
        return None


def of_public_key(key: bytes) -> KeyDetails | None:
    """Of a public key (DER, SubjectPublicKeyInfo); None: of no kind that is known here."""
    try:
        return _details(first(key)[1])
    except ValueError:
        return None


def _details(content: bytes) -> KeyDetails | None:
    (kind, algorithm), (bits, key) = values(content)
    (names, name), *parameters = values(algorithm)
    if (kind, names, bits) != (SEQUENCE, OBJECT, BITS):
        return None
    if name == _ELLIPTIC:
        (_, curve), *_ = parameters
        return _CURVES.get(curve)
    if name == _RSA:
        (tag, modulus), *_ = inside(key[1:])
        size = len(modulus.lstrip(b"\0")) * 8
        known = tag == INTEGER and size in _RSA_SIZES
        return KeyDetails(f"PKIX_RSA_PKCS1V15_{size}_SHA256", "sha256", "SHA2_256") if known else None
    return None
