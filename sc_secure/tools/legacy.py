"""cosign's older way to keep signatures: in two tags beside the image, `sha256-….sig` and `sha256-….att`.

https://github.com/sigstore/cosign/blob/v3.1.3/specs/SIGNATURE_SPEC.md

cosign 3 writes it by flags that it calls deprecated. There is no other way, for verifiers that don't know bundles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from sc_secure.tools.documents import Json
from sc_secure.tools.reference import ImageReference

SIGN_FLAGS = ("--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false")
VERIFY_FLAGS = ("--new-bundle-format=false",)
_SIGNED = "cosign container image signature"
_SIGNATURE_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
_ENVELOPE_LAYER = "application/vnd.dsse.envelope.v1+json"
_PREDICATE = "predicateType"


@dataclass(frozen=True)
class Layer:
    """One signature or attestation: the tag's manifest is another one with each that is added."""

    digest: str
    predicate_type: str
    """As its annotation says: it isn't verified. Empty: a signature."""


def tag(image: ImageReference, *, attestation: bool) -> str:
    """The tag that holds the image's signatures, or its attestations."""
    return f"sha256-{image.hex}.{'att' if attestation else 'sig'}"


def layers(manifest: Json) -> Iterator[Layer]:
    """What a tag holds, the newest last."""
    listed = manifest.get("layers")
    for each in cast("list[object]", listed) if isinstance(listed, list) else []:
        entry = cast("Json", each) if isinstance(each, dict) else {}
        digest, annotations = entry.get("digest"), entry.get("annotations")
        said = cast("Json", annotations).get(_PREDICATE) if isinstance(annotations, dict) else None
        if not isinstance(digest, str):
            continue
        if entry.get("mediaType") == _SIGNATURE_LAYER:
            yield Layer(digest, "")
        elif entry.get("mediaType") == _ENVELOPE_LAYER and isinstance(said, str) and said:
            yield Layer(digest, said)


def signed(stdout: bytes, image: ImageReference) -> list[Json]:
    """What `cosign verify` verified, of this digest: the signed texts.

    https://github.com/sigstore/cosign/blob/v3.1.3/specs/SIGNATURE_SPEC.md#simple-signing
    """
    try:
        every = cast("list[object]", json.loads(stdout))
        texts = [cast("Json", each) for each in every if isinstance(each, dict)]
        return [each for each in texts if _is_about(each, image)]
    except (ValueError, TypeError, RecursionError):
        return []


def _is_about(text: Json, image: ImageReference) -> bool:
    critical = text.get("critical")
    said = cast("Json", critical) if isinstance(critical, dict) else {}
    what = said.get("image")
    digest = cast("Json", what).get("docker-manifest-digest") if isinstance(what, dict) else None
    return said.get("type") == _SIGNED and digest == image.digest
