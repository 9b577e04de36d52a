"""In-toto statements, as cosign prints those whose signature it verified."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import Json, parse_object


@dataclass(frozen=True)
class Statement:
    """An in-toto statement about the image whose signature cosign verified.

    https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/statement.md
    """

    predicate_type: str
    predicate: Json
    subjects: frozenset[str]
    """SHA-256 digests of what it is about, in hexadecimal."""
    payload: str
    """The DSSE envelope's payload, base64, as it is in the registry."""
    signature: str
    """The envelope's first signature, base64."""
    envelope: str = ""
    """The digest (`sha256:…`) of the envelope as it stands in the registry's older tags: there it is the layer's."""


def read_statements(path: Path) -> list[Statement]:
    """The statements in a file of DSSE envelopes, as cosign prints them; a line that holds none is left out."""
    with path.open("rb") as lines:
        return [each for each in map(read_statement, lines) if each]


def read_statement(line: bytes) -> Statement | None:
    """What a DSSE envelope holds; None for a line that isn't one."""
    try:
        said = parse_object(line, "an envelope")
    except InfrastructureError:
        return None
    return _in_envelope(said, hashlib.sha256(line.removesuffix(b"\n")).hexdigest())


def read_bundle(content: bytes) -> Statement | None:
    """What a Sigstore bundle holds; None: it holds no statement. Nothing of it is verified here.

    cosign reads the same of a bundle that it accepts: it refuses one that names a field twice, in whichever spelling.
    """
    try:
        envelope = parse_object(content, "a bundle").get("dsseEnvelope")
    except InfrastructureError:
        return None
    return _in_envelope(cast("Json", envelope)) if isinstance(envelope, dict) else None


def _in_envelope(said: Json, digest: str = "") -> Statement | None:
    try:
        payload, signatures = said["payload"], cast("list[Json]", said["signatures"])
        content = parse_object(base64.b64decode(cast("str", payload), validate=True), "a statement")
        predicate, kind = content["predicate"], content["predicateType"]
        signature = signatures[0]["sig"]
        subjects = cast("list[Json]", content["subject"])
        digests = frozenset(str(cast("Json", each["digest"]).get("sha256")) for each in subjects)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, InfrastructureError):
        return None
    if not (isinstance(predicate, dict) and isinstance(kind, str) and isinstance(payload, str)):
        return None
    if not isinstance(signature, str):
        return None
    envelope = f"sha256:{digest}" if digest else ""
    return Statement(kind, cast("Json", predicate), digests, payload, signature, envelope)
