"""cosign's older way to keep signatures: in two tags beside the image, `sha256-….sig` and `sha256-….att`.

https://github.com/sigstore/cosign/blob/v3.1.3/specs/SIGNATURE_SPEC.md

A tag's manifest has a layer a signature or attestation, and what witnesses it (certificate, log entry, timestamp) in
the layer's annotations. cosign makes a bundle, as ever, and it is taken apart here: so the same services witness both
forms, and what is signed can be kept until it stays in the registry. A log's entry is held with the log's promise alone
(a signed entry timestamp), which a Rekor 1 gives and a Rekor 2 doesn't.
"""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.log_entry import LogEntry, older_entry
from sc_secure.tools.reference import ImageReference

VERIFY_FLAGS = ("--new-bundle-format=false",)
"""For cosign to look at the tags. It calls them deprecated; there is no other way."""
OFFLINE = "--offline"
"""For the log's promise in the layer to count, and nothing else: without it, cosign would ask a log, the public one."""
_SIGNED = "cosign container image signature"
_SIGNATURE_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
_ENVELOPE_LAYER = "application/vnd.dsse.envelope.v1+json"
_PREDICATE = "predicateType"
_SIGNATURE = "dev.cosignproject.cosign/signature"
_CERTIFICATE = "dev.sigstore.cosign/certificate"
_CHAIN = "dev.sigstore.cosign/chain"
_BUNDLE = "dev.sigstore.cosign/bundle"
_TIMESTAMP = "dev.sigstore.cosign/rfc3161timestamp"


@dataclass(frozen=True)
class Layer:
    """One signature or attestation: the tag's manifest is another one with each that is added."""

    digest: str
    predicate_type: str
    """As its annotation says: it isn't verified. Empty: a signature."""
    bundle: Json | None = None
    """What it says of its log entry: it isn't verified."""
    timestamp: Json | None = None
    """What it says of its timestamp: it isn't verified."""


@dataclass(frozen=True)
class Made:
    """A signature or attestation that isn't in the registry yet."""

    content: bytes
    media_type: str
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class Signed:
    """A signed text that cosign verified."""

    text: Json
    bundle: Json | None
    """Its log entry; verified where one was asked for."""
    timestamp: Json | None
    """Its timestamp; verified where one was asked for."""

    @property
    def entry(self) -> LogEntry | None:
        """Where it is logged."""
        return older_entry(self.bundle)

    def may_be(self, layer: Layer) -> bool:
        """Whether this layer has the witnesses of what was verified."""
        return (layer.bundle, layer.timestamp) == (self.bundle, self.timestamp)

    def is_in(self, content: bytes) -> bool:
        """Whether this layer's content is the text that was verified."""
        try:
            return parse_object(content, "a signed text").get("critical") == self.text.get("critical")
        except InfrastructureError:
            return False


def tag(image: ImageReference, *, attestation: bool) -> str:
    """The tag that holds the image's signatures, or its attestations."""
    return f"sha256-{image.hex}.{'att' if attestation else 'sig'}"


def layers(manifest: Json) -> Iterator[Layer]:
    """What a tag holds, the newest last."""
    listed = manifest.get("layers")
    for each in cast("list[object]", listed) if isinstance(listed, list) else []:
        entry = cast("Json", each) if isinstance(each, dict) else {}
        digest, annotations = entry.get("digest"), entry.get("annotations")
        notes = cast("Json", annotations) if isinstance(annotations, dict) else {}
        said, witnesses = notes.get(_PREDICATE), (_object(notes.get(_BUNDLE)), _object(notes.get(_TIMESTAMP)))
        if not isinstance(digest, str):
            continue
        if entry.get("mediaType") == _SIGNATURE_LAYER:
            yield Layer(digest, "", *witnesses)
        elif entry.get("mediaType") == _ENVELOPE_LAYER and isinstance(said, str) and said:
            yield Layer(digest, said, *witnesses)


def text_to_sign(image: ImageReference) -> bytes:
    """What a signature signs: https://github.com/sigstore/cosign/blob/v3.1.3/specs/SIGNATURE_SPEC.md#simple-signing."""
    where = f"{image.registry}/{image.repository}"
    critical = {
        "identity": {"docker-reference": where},
        "image": {"docker-manifest-digest": image.digest},
        "type": _SIGNED,
    }
    return json.dumps({"critical": critical, "optional": None}, separators=(",", ":")).encode()


def signature(text: bytes, bundle: bytes) -> Made:
    """A signature for the tag, of the text and cosign's bundle.

    Raises:
        InfrastructureError: it isn't one, or the log made no promise.
    """
    try:
        whole = parse_object(bundle, "a bundle")
        material = cast("Json", whole["verificationMaterial"])
        notes = {_SIGNATURE: str(cast("Json", whole["messageSignature"])["signature"]), **_witnesses(material)}
        stamps = _listed(material.get("timestampVerificationData"), "rfc3161Timestamps")
        if stamps:
            notes |= _timestamp(str(stamps[0]["signedTimestamp"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _not_a_bundle(error) from None
    return Made(text, _SIGNATURE_LAYER, notes)


def envelope(bundle: bytes) -> bytes:
    """The envelope in cosign's bundle, as the tag's layer has it.

    Raises:
        InfrastructureError: it holds none.
    """
    try:
        return json.dumps(parse_object(bundle, "a bundle")["dsseEnvelope"], separators=(",", ":")).encode()
    except KeyError as error:
        raise _not_a_bundle(error) from None


def attestation(bundle: bytes, predicate_type: str, timestamp: bytes | None) -> Made:
    """An attestation for the tag, of cosign's bundle.

    Args:
        bundle: cosign's.
        predicate_type: a URI.
        timestamp: of the whole envelope. The bundle's own, of the signature in it, is none to who reads the tags.

    Raises:
        InfrastructureError: it isn't one, or the log made no promise.
    """
    try:
        notes = {_SIGNATURE: "", _PREDICATE: predicate_type}
        notes |= _witnesses(cast("Json", parse_object(bundle, "a bundle")["verificationMaterial"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _not_a_bundle(error) from None
    if timestamp is not None:
        notes |= _timestamp(base64.b64encode(timestamp).decode())
    return Made(envelope(bundle), _ENVELOPE_LAYER, notes)


def signed(stdout: bytes, image: ImageReference) -> list[Signed]:
    """What `cosign verify` verified, of this digest.

    cosign adds to each text's `optional` part what witnesses it.
    """
    try:
        every = cast("list[object]", json.loads(stdout))
        texts = [cast("Json", each) for each in every if isinstance(each, dict)]
    except (ValueError, TypeError, RecursionError):
        return []
    found = list[Signed]()
    for text in texts:
        said = text.get("optional")
        optional = cast("Json", said) if isinstance(said, dict) else {}
        if _is_about(text, image):
            found.append(Signed(text, _dict(optional.get("Bundle")), _dict(optional.get("RFC3161Timestamp"))))
    return found


def _is_about(text: Json, image: ImageReference) -> bool:
    critical = text.get("critical")
    said = cast("Json", critical) if isinstance(critical, dict) else {}
    what = said.get("image")
    digest = cast("Json", what).get("docker-manifest-digest") if isinstance(what, dict) else None
    return said.get("type") == _SIGNED and digest == image.digest


def _witnesses(material: Json) -> dict[str, str]:
    """The certificate and the log entry, as annotations: only what there is."""
    notes: dict[str, str] = {}
    if "certificate" in material:
        der = base64.b64decode(str(cast("Json", material["certificate"])["rawBytes"]), validate=True)
        notes |= {_CERTIFICATE: ssl.DER_cert_to_PEM_cert(der), _CHAIN: ""}
    entries = _listed(material, "tlogEntries")
    if entries:
        notes[_BUNDLE] = json.dumps(_older(entries[0]), separators=(",", ":"))
    return notes


def _older(entry: Json) -> Json:
    promise = entry.get("inclusionPromise")
    if not isinstance(promise, dict):
        raise InfrastructureError(
            "the transparency log gave no signed entry timestamp, which cosign's older form holds an entry by",
            advice="a Rekor 1 gives one; with a Rekor 2, keep signatures as bundles",
        )
    log_id = base64.b64decode(str(cast("Json", entry["logId"])["keyId"]), validate=True)
    payload = {
        "body": str(entry["canonicalizedBody"]),
        # protobuf's JSON has numbers of 64 bits as texts, and leaves out what is zero.
        "integratedTime": int(str(entry.get("integratedTime", 0))),
        "logIndex": int(str(entry.get("logIndex", 0))),
        "logID": log_id.hex(),
    }
    return {"SignedEntryTimestamp": str(cast("Json", promise)["signedEntryTimestamp"]), "Payload": payload}


def _timestamp(encoded: str) -> dict[str, str]:
    return {_TIMESTAMP: json.dumps({"SignedRFC3161Timestamp": encoded}, separators=(",", ":"))}


def _listed(parent: object, name: str) -> list[Json]:
    listed = cast("Json", parent).get(name) if isinstance(parent, dict) else None
    return cast("list[Json]", listed) if isinstance(listed, list) else []


def _object(text: object) -> Json | None:
    """The object that an annotation holds; None: it isn't there, or is none."""
    try:
        return _dict(json.loads(text)) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _dict(value: object) -> Json | None:
    return cast("Json", value) if isinstance(value, dict) else None


def _not_a_bundle(error: Exception) -> InfrastructureError:
    return InfrastructureError(f"what cosign made isn't a bundle of the form that is expected: {type(error).__name__}")
