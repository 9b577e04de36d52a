"""Asks a timestamp authority (RFC 3161) for the time of something that cosign has no command to have stamped.

Nothing is verified here: cosign verifies the timestamp when what was written is read back.
"""

from __future__ import annotations

import hashlib
import http.client
import secrets
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime

from sc_secure.errors import InfrastructureError
from sc_secure.tools.text import printable
from sc_secure.tools.transient import Kind, classify_status, failure, retry_after
from sc_secure.tools.web import opener_for

_TIMEOUT = 30.0
_LONGEST = 64 * 1024
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04
_VERSION_1 = b"\x02\x01\x01"
_SHA256 = bytes.fromhex("300d06096086480165030402010500")
_WITH_CERTIFICATES = b"\x01\x01\xff"
# A reply begins with its status, an integer: granted (0), or granted with changes (1).
_GRANTED = (b"\x02\x01\x00", b"\x02\x01\x01")
_LONG_LENGTH = 0x80


def timestamp(url: str, content: bytes) -> bytes:
    """The authority's signed reply about the content's SHA-256. Tried once.

    Args:
        url: the authority's, which was checked when it was read.
        content: what has to have been there at that time.

    Raises:
        TransientFailure, InfrastructureError, NotAuthorised: it failed, refused, or isn't a timestamp authority.
    """
    shown = f"the timestamp authority {printable(url, limit=200)}"
    request = urllib.request.Request(url, _query(content), {"Content-Type": _QUERY, "Accept": _REPLY})  # noqa: S310 - a checked URL
    opener = opener_for(urllib.parse.urlsplit(url).netloc, redirects=False)
    try:
        with opener.open(request, timeout=_TIMEOUT) as response:
            reply = bytes(response.read(_LONGEST + 1))
    except urllib.error.HTTPError as error:
        after = retry_after(error.headers.get("Retry-After"), datetime.now(UTC))
        error.close()
        kind = classify_status(error.code)
        advice = "check the address, and that this machine may use it" if kind is not Kind.TRANSIENT else "try again"
        raise failure(kind, f"{shown}: HTTP {error.code}", advice=advice, after=after) from None
    except (OSError, http.client.HTTPException) as error:
        said = printable(str(getattr(error, "reason", error)) or type(error).__name__, limit=200)
        kind = Kind.PERMANENT if "CERTIFICATE_VERIFY_FAILED" in said else Kind.TRANSIENT
        raise failure(kind, f"{shown}: {said}", advice="try again; if it stays, check its address") from None
    if len(reply) > _LONGEST or not _granted(reply):
        raise InfrastructureError(
            f"{shown}: gives no timestamp", advice="check the address; its operator's log says why"
        )
    return reply


def _query(content: bytes) -> bytes:
    """A request (RFC 3161, 2.4.1), with a number that is never used again, and for the authority's certificates too."""
    imprint = _value(_SEQUENCE, _SHA256 + _value(_OCTETS, hashlib.sha256(content).digest()))
    # Begins with 01: positive, and of one form.
    nonce = _value(_INTEGER, b"\x01" + secrets.token_bytes(8))
    return _value(_SEQUENCE, _VERSION_1 + imprint + nonce + _WITH_CERTIFICATES)


def _granted(reply: bytes) -> bool:
    """Whether it is a reply with a timestamp (RFC 3161, 2.4.2): a sequence of a status, itself one, and the token."""
    status = _inside(reply)
    return _inside(status).startswith(_GRANTED) and len(status) > len(_inside(status)) + 2


def _inside(der: bytes) -> bytes:
    """What follows a sequence's tag and length; empty: it is none."""
    if len(der) < 2 or der[0] != _SEQUENCE:  # noqa: PLR2004 - the tag and the length
        return b""
    if der[1] < _LONG_LENGTH:
        return der[2 : 2 + der[1]]
    return der[2 + der[1] - _LONG_LENGTH :]


def _value(tag: int, content: bytes) -> bytes:
    """A DER value of less than 128 bytes."""
    return bytes((tag, len(content))) + content
