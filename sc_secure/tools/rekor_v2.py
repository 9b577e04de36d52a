"""A Rekor 2, asked for an entry by us: see `rekor`.

https://github.com/sigstore/rekor-tiles/blob/v2.3.0/CLIENTS.md. Of a signature that it has, it tells the entry's number
alone: the rest is put together from what it publishes, as it does itself. Nothing is verified here: cosign verifies the
bundle.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import Json, as_object, as_text, parse_object
from sc_secure.tools.key_details import KeyDetails
from sc_secure.tools.log_request import ADVICE, CONFLICT, NOT_FOUND, CannotAsk, ask, not_a_rekor
from sc_secure.tools.logs import Log
from sc_secure.tools.tiles import Checkpoint, Proof, inclusion_proof, parse_checkpoint
from sc_secure.tools.transient import Kind, failure

_INTERFACE = "/api/v2/"
_INDEX = "X-Log-Index"
_LONGEST_INDEX = 19
_KIND, _VERSION, _SPEC = "hashedrekord", "0.0.2", "hashedRekordV002"
_NOT_HERE = 501


class NotPublished(CannotAsk):
    """The log has the signature, and what would prove it isn't at the log's address."""


@dataclass(frozen=True)
class Signature:
    """What a Rekor 2 logs."""

    digest: bytes
    """Of what was signed, by the key's own hash."""
    content: str
    """The signature, base64."""
    verifier: Json
    """The certificate or public key, as the log wants it."""
    details: KeyDetails


def entry(log: Log, signature: Signature) -> Json:
    """The log's entry, as a bundle holds it: a new one, or the one that it has of this very signature. Tried once.

    Raises:
        NotPublished: it has one, and the log's tiles are elsewhere.
        TransientFailure, InfrastructureError, NotAuthorised: the log failed or refused.
    """
    where = f"{log.url.rstrip('/')}{_INTERFACE}"
    digest = base64.b64encode(signature.digest).decode()
    signed = {
        "content": signature.content,
        "verifier": {**signature.verifier, "keyDetails": signature.details.name},
    }
    asked = {"hashedRekordRequestV002": {"digest": digest, "signature": signed}}
    answer = ask(f"{where}log/entries", json.dumps(asked).encode(), also=(CONFLICT, NOT_FOUND))
    if answer.status == NOT_FOUND:
        raise not_a_rekor(log.url, 2)
    try:
        if answer.status != CONFLICT:
            made = parse_object(answer.content, where)
            as_object(made["inclusionProof"])
            as_text(made["canonicalizedBody"])
            return made
        index = answer.headers.get(_INDEX) or ""
        if not (index.isascii() and index.isdigit() and len(index) <= _LONGEST_INDEX):
            raise failure(Kind.TRANSIENT, f"{where}: HTTP {CONFLICT}", advice=ADVICE)
        # As the log writes it (RFC 8785): there is nothing in it that JSON could write in two ways.
        data = {"algorithm": signature.details.log_hash, "digest": digest}
        spec = {_SPEC: {"data": data, "signature": signed}}
        body = {"apiVersion": _VERSION, "kind": _KIND, "spec": spec}
        return _published(log, where, int(index), json.dumps(body, sort_keys=True, separators=(",", ":")).encode())
    except (KeyError, TypeError):
        raise InfrastructureError(f"{where}: its answer isn't a log entry", advice="is that a Rekor 2?") from None


def _published(log: Log, where: str, index: int, body: bytes) -> Json:
    """The entry of that number, from the log's checkpoint and tiles."""

    def read(path: str) -> bytes | None:
        answer = ask(where + path, also=(NOT_FOUND, _NOT_HERE))
        return answer.content if answer.ok else None

    content = read("checkpoint")
    if content is None:
        raise NotPublished(f"{where}checkpoint: isn't there, so that the entry that the log has can't be proved")
    try:
        checkpoint = parse_checkpoint(content)
        proof = inclusion_proof(index, checkpoint, read)
    except ValueError as error:
        # What is published may be older than the entry for a moment.
        raise failure(Kind.TRANSIENT, f"{where}: of its entry {index}: {error}", advice=ADVICE) from None
    if proof.leaf != hashlib.sha256(b"\0" + body).digest():
        raise InfrastructureError(f"{where}: its entry {index} is another one than it says", advice=ADVICE)
    return _in_a_bundle(log, index, checkpoint, proof, body)


def _in_a_bundle(log: Log, index: int, checkpoint: Checkpoint, proof: Proof, body: bytes) -> Json:
    named = [name for name in log.names if name[:4] in checkpoint.keys]
    if not named:
        raise InfrastructureError(f"{log.url}: its checkpoint is signed by no log that is trusted", advice=ADVICE)

    def encoded(content: bytes) -> str:
        return base64.b64encode(content).decode()

    return {
        "logIndex": str(index),
        "logId": {"keyId": encoded(named[0])},
        "kindVersion": {"kind": _KIND, "version": _VERSION},
        "inclusionProof": {
            "logIndex": str(index),
            "rootHash": encoded(checkpoint.root),
            "treeSize": str(checkpoint.size),
            "hashes": [encoded(each) for each in proof.hashes],
            "checkpoint": {"envelope": checkpoint.text},
        },
        "canonicalizedBody": encoded(body),
    }
