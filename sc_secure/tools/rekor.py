"""A Rekor 1, asked for an entry by us rather than by cosign.

cosign keeps to itself what it signed until the log has answered: where that answer is lost, so is the signature, and
the next try is another one, with a second entry. What is signed first can be logged in as many tries as it takes: a
Rekor 1 says of an envelope that it has which entry that is. Nothing is verified here: cosign verifies the bundle.

https://github.com/sigstore/rekor/blob/v1.5.3/openapi.yaml (`createLogEntry`, `getLogEntryByUUID`), and
https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_rekor.proto (`TransparencyLogEntry`).
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import Json, as_list, as_object, as_text, parse_object
from sc_secure.tools.text import printable
from sc_secure.tools.transient import Kind, classify_status, failure, retry_after, with_retries
from sc_secure.tools.web import opener_for

_ENTRIES = "/api/v1/log/entries"
_UUID = re.compile(r"[0-9a-f]{64}|[0-9a-f]{80}", re.ASCII)
_TIMEOUT = 60.0
_LONGEST = 64 * 1024 * 1024
_CONFLICT = 409


def logged(bundle: bytes, url: str, public_key: bytes) -> bytes:
    """The bundle with its entry in the log: a new one, or the one that the log has of this very signature.

    Args:
        bundle: a signed statement, of Sigstore's bundle format 0.3.
        url: the log's.
        public_key: PEM, of who signed without a certificate; what the bundle has comes first.

    Raises:
        InfrastructureError, NotAuthorised: the log failed, after retries, or refused.
    """
    content = parse_object(bundle, "a bundle")
    material = as_object(content["verificationMaterial"])
    proposed = {
        "envelope": json.dumps(content["dsseEnvelope"]),
        "verifiers": [base64.b64encode(_certificate(material) or public_key).decode()],
    }
    asked = json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": proposed}}).encode()
    entry = with_retries(lambda: _entry(url.rstrip("/"), asked))
    return json.dumps({**content, "verificationMaterial": {**material, "tlogEntries": [entry]}}).encode()


def _certificate(material: Json) -> bytes:
    """The signer's certificate as PEM; empty: it has none."""
    if "certificate" not in material:
        return b""
    raw = as_text(as_object(material["certificate"])["rawBytes"])
    return f"-----BEGIN CERTIFICATE-----\n{raw}\n-----END CERTIFICATE-----\n".encode()


def _entry(url: str, asked: bytes) -> Json:
    """The log's entry, as a bundle holds it."""
    where = f"{url}{_ENTRIES}"
    answer = _ask(where, asked)
    if isinstance(answer, str):
        answer = _ask(f"{where}/{answer}")
    try:
        (entry,) = cast("list[Json]", list(parse_object(cast("bytes", answer), where).values()))
        return _in_a_bundle(entry)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InfrastructureError(f"{where}: its answer isn't a log entry", advice="is that a Rekor 1?") from None


def _in_a_bundle(entry: Mapping[str, object]) -> Json:
    body = as_text(entry["body"])
    kind = parse_object(base64.b64decode(body, validate=True), "an entry")
    verification = as_object(entry["verification"])
    proof = as_object(verification["inclusionProof"])

    def encoded(hexadecimal: object) -> str:
        return base64.b64encode(bytes.fromhex(as_text(hexadecimal))).decode()

    return {
        "logIndex": str(entry["logIndex"]),
        "logId": {"keyId": encoded(entry["logID"])},
        "kindVersion": {"kind": kind["kind"], "version": kind["apiVersion"]},
        "integratedTime": str(entry["integratedTime"]),
        "inclusionPromise": {"signedEntryTimestamp": verification["signedEntryTimestamp"]},
        "inclusionProof": {
            "logIndex": str(proof["logIndex"]),
            "rootHash": encoded(proof["rootHash"]),
            "treeSize": str(proof["treeSize"]),
            "hashes": [encoded(each) for each in as_list(proof["hashes"])],
            "checkpoint": {"envelope": proof["checkpoint"]},
        },
        "canonicalizedBody": body,
    }


def _ask(url: str, data: bytes | None = None) -> bytes | str:
    """The log's answer; a text: it has such an entry already, of that UUID."""
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - http(s) alone: `policy.sigstore.check_url`
    opener = opener_for(urllib.parse.urlsplit(url).netloc, redirects=False)
    try:
        with opener.open(request, timeout=_TIMEOUT) as response:
            content = cast("bytes", response.read(_LONGEST))
            if response.length:  # http.client says nothing of a connection that ends early when a size was asked for
                raise failure(Kind.TRANSIENT, f"{url}: its answer broke off", advice=_ADVICE)
            return content
    except urllib.error.HTTPError as error:
        after = retry_after(error.headers.get("Retry-After"), datetime.now(UTC))
        uuid = (error.headers.get("Location") or "").rpartition("/")[2]
        error.close()
        if error.code == _CONFLICT and _UUID.fullmatch(uuid):
            return uuid
        kind = Kind.TRANSIENT if error.code == _CONFLICT else classify_status(error.code)
        raise failure(kind, f"{url}: HTTP {error.code}", advice=_ADVICE, after=after) from None
    except (OSError, http.client.HTTPException) as error:
        said = printable(str(getattr(error, "reason", error)) or type(error).__name__, limit=200)
        kind = Kind.PERMANENT if "CERTIFICATE_VERIFY_FAILED" in said else Kind.TRANSIENT
        raise failure(kind, f"{url}: {said}", advice=_ADVICE) from None


_ADVICE = "nothing was attached; try again, and if it stays, check the transparency log (Rekor) and the way to it"
