"""Transparency logs, asked for entries by us rather than by cosign.

cosign keeps to itself what it signed until the log has answered: where that answer is lost, so is the signature, and
the next try is another one, with a second entry. What is signed first can be logged in as many tries as it takes: a
log says of a signature that it has which entry that is. Nothing is verified here: cosign verifies the bundle.

https://github.com/sigstore/rekor/blob/v1.5.3/openapi.yaml (`createLogEntry`, `getLogEntryByUUID`), and
https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_rekor.proto (`TransparencyLogEntry`). For a
Rekor 2, see `rekor_v2`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools import key_details, rekor_v2
from sc_secure.tools.documents import Json, as_list, as_object, as_text, parse_object
from sc_secure.tools.key_details import KeyDetails
from sc_secure.tools.log_request import ADVICE, CONFLICT, NOT_FOUND, CannotAsk, ask, not_a_rekor
from sc_secure.tools.logs import Log
from sc_secure.tools.transient import Kind, failure, with_retries

_ENTRIES = "/api/v1/log/entries"
_UUID = re.compile(r"[0-9a-f]{64}|[0-9a-f]{80}", re.ASCII)


class UnknownKey(CannotAsk):
    """The log has to be told the key's algorithm, which isn't known here."""


def logged(bundle: bytes, logs: Sequence[Log], public_key: bytes) -> bytes:
    """The bundle with its entry in each log: a new one, or the one that the log has of this very signature.

    Args:
        bundle: what is signed, of Sigstore's bundle format 0.3.
        logs: the logs.
        public_key: PEM, of who signed without a certificate; what the bundle has comes first.

    Raises:
        UnknownKey: before anything is asked.
        rekor_v2.NotPublished: a log has an entry that it doesn't show.
        InfrastructureError, NotAuthorised: a log failed, after retries, or refused.
    """
    content = parse_object(bundle, "a bundle")
    material = as_object(content["verificationMaterial"])
    signed = _Signed(content, _certificate(material), public_key)
    asks = [partial(*signed.request(log)) for log in logs]
    entries = [with_retries(each) for each in asks]
    return json.dumps({**content, "verificationMaterial": {**material, "tlogEntries": entries}}).encode()


def one_by_one(bundle: bytes) -> list[bytes]:
    """The bundle once with each of its entries alone: a verifier may be content with one that is good.

    Args:
        bundle: one that we made, or cosign.
    """
    content = parse_object(bundle, "a bundle")
    material = as_object(content["verificationMaterial"])
    return [
        json.dumps({**content, "verificationMaterial": {**material, "tlogEntries": [each]}}).encode()
        for each in as_list(material.get("tlogEntries") or [])
    ]


def _certificate(material: Json) -> bytes:
    """The signer's certificate (DER); empty: it has none."""
    if "certificate" not in material:
        return b""
    return base64.b64decode(as_text(as_object(material["certificate"])["rawBytes"]))


@dataclass(frozen=True)
class _Signed:
    """A bundle, and who signed it: a certificate (DER), or else a public key (PEM)."""

    content: Json
    certificate: bytes
    public_key: bytes

    def request(self, log: Log) -> tuple[Callable[..., Json], Log, Json | rekor_v2.Signature]:
        """What asks the log, and what it is asked with."""
        return (_entry, log, self._proposed()) if log.version == 1 else (rekor_v2.entry, log, self._signature())

    def _proposed(self) -> Json:
        """What a Rekor 1 is asked with, as cosign asks it."""
        who = base64.b64encode(_pem(self.certificate) if self.certificate else self.public_key).decode()
        if "dsseEnvelope" in self.content:
            # The entry has this text's hash: the older form's verifier compares it with that of the layer.
            text = json.dumps(self.content["dsseEnvelope"], separators=(",", ":"))
            proposed = {"envelope": text, "verifiers": [who]}
            return {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": proposed}}
        message = as_object(self.content["messageSignature"])
        digest = as_object(message["messageDigest"])
        algorithm = as_text(digest["algorithm"]).replace("SHA2_", "sha")
        value = base64.b64decode(as_text(digest["digest"])).hex()
        spec = {
            "signature": {"content": message["signature"], "publicKey": {"content": who}},
            "data": {"hash": {"algorithm": algorithm, "value": value}},
        }
        return {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}

    def _signature(self) -> rekor_v2.Signature:
        """What a Rekor 2 is asked with: of an envelope, it logs the signature and the hash of what it signs."""
        key = b"" if self.certificate else _der(self.public_key)
        raw = {"rawBytes": base64.b64encode(self.certificate or key).decode()}
        found = key_details.of_public_key(key) if key else key_details.of_certificate(self.certificate)
        if found is None:
            raise UnknownKey("the algorithm of the signing key isn't one that a Rekor 2 can be told of here")
        content, digest = _signature_and_digest(as_object(self.content["dsseEnvelope"]), found)
        return rekor_v2.Signature(digest, content, {"publicKey" if key else "x509Certificate": raw}, found)


def _signature_and_digest(envelope: Json, details: KeyDetails) -> tuple[str, bytes]:
    """An envelope's signature, and the digest of what it signs: https://github.com/secure-systems-lab/dsse (`PAE`)."""
    kind, payload = as_text(envelope["payloadType"]).encode(), base64.b64decode(as_text(envelope["payload"]))
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    (signature,) = as_list(envelope["signatures"])
    return as_text(as_object(signature)["sig"]), hashlib.new(details.hash, signed).digest()


def _pem(certificate: bytes) -> bytes:
    raw = base64.b64encode(certificate).decode()
    return f"-----BEGIN CERTIFICATE-----\n{raw}\n-----END CERTIFICATE-----\n".encode()


def _der(pem: bytes) -> bytes:
    """What is between a PEM's lines."""
    return base64.b64decode(b"".join(line for line in pem.split(b"\n") if line and not line.startswith(b"--")))


def _entry(log: Log, proposed: Json) -> Json:
    """A Rekor 1's entry, as a bundle holds it."""
    where = f"{log.url.rstrip('/')}{_ENTRIES}"
    answer = ask(where, json.dumps(proposed).encode(), also=(CONFLICT, NOT_FOUND))
    if answer.status == NOT_FOUND:
        raise not_a_rekor(log.url, 1)
    if answer.status == CONFLICT:
        uuid = (answer.headers.get("Location") or "").rpartition("/")[2]
        if not _UUID.fullmatch(uuid):
            raise failure(Kind.TRANSIENT, f"{where}: HTTP {CONFLICT}", advice=ADVICE)
        answer = ask(f"{where}/{uuid}", also=())
    try:
        (entry,) = cast("list[Json]", list(parse_object(answer.content, where).values()))
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
