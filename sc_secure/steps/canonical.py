"""One form for each document, so that the same image and the same tool give the same bytes on every machine.

JSON with sorted keys and no spaces; what only says when or on which machine a tool ran is fixed or left out.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from sc_secure.steps.formats import CYCLONEDX, SYFT, SbomFormat
from sc_secure.tools.documents import Json
from sc_secure.tools.reference import ImageReference

SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character, which UTF-8 can't hold; Go puts U+FFFD in its place too."""
_EPOCH = "1970-01-01T00:00:00Z"
_SPDX_NAMESPACE = "https://sc-secure.dev/spdx/"


@dataclass(frozen=True)
class Spelled:
    """A part of a document that is in its canonical form already."""

    pieces: Sequence[bytes]
    """What it is, once they are joined."""


def canonical_bytes(document: Json) -> bytes:
    """The document as JSON in UTF-8: keys sorted, no spaces. It may have parts that are `Spelled`."""
    mark = uuid.uuid4().hex
    spelled: list[Spelled] = []

    def marked(value: object) -> object:
        if isinstance(value, Spelled):
            spelled.append(value)
            return mark
        raise TypeError(f"not JSON: {type(value).__name__}")

    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=marked)
    try:
        content = text.encode()
    except UnicodeEncodeError:
        content = SURROGATE.sub("\ufffd", text).encode()
    first, *others = content.split(f'"{mark}"'.encode())
    pieces = [first]
    for part, after in zip(spelled, others, strict=True):
        pieces += [*part.pieces, after]
    return b"".join(pieces)


def rfc3339(moment: datetime) -> str:
    """The moment in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def canonical_sha256(document: Json) -> str:
    """The SHA-256 of the document's canonical form, in hexadecimal."""
    return hashlib.sha256(canonical_bytes(document)).hexdigest()


def canonical_sbom(sbom: Json, form: SbomFormat, image: ImageReference) -> bytes:
    """A catalogue that syft made, in its canonical form.

    Args:
        sbom: syft's document.
        form: its format.
        image: what was read.
    """
    if form is SYFT:
        # The configuration holds paths of this machine; nothing reads it.
        sbom = {**sbom, "descriptor": _without(_child(sbom, "descriptor"), "configuration")}
    elif form is CYCLONEDX:
        serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{_SPDX_NAMESPACE}{image.digest}")
        sbom = {
            **sbom,
            "serialNumber": f"urn:uuid:{serial}",
            "metadata": _without(_child(sbom, "metadata"), "timestamp"),
        }
    else:  # SPDX
        # It wants a time: the epoch says that it means nothing.
        created = {**_child(sbom, "creationInfo"), "created": _EPOCH}
        sbom = {**sbom, "documentNamespace": f"{_SPDX_NAMESPACE}sha256-{image.hex}", "creationInfo": created}
    return canonical_bytes(sbom)


def is_about(syft_document: Json, image: ImageReference) -> bool:
    """Whether a syft-json catalogue says that it was made of this digest.

    One that was made by an index's digest is of one platform's image alone, and about that.
    """
    source = _child(syft_document, "source")
    metadata = _child(source, "metadata")
    manifest = metadata.get("manifestDigest")
    if isinstance(manifest, str) and manifest:
        return manifest == image.digest
    digests = metadata.get("repoDigests")
    named = [source.get("version"), metadata.get("userInput")]
    named += cast("list[object]", digests) if isinstance(digests, list) else []
    return any(isinstance(name, str) and name.rpartition("@")[2] == image.digest for name in named)


def made_by(syft_document: Json) -> str:
    """The version of syft that made a syft-json catalogue; empty where it doesn't say."""
    version = _child(syft_document, "descriptor").get("version")
    return version if isinstance(version, str) else ""


def package_count(syft_document: Json) -> int:
    """How many packages a syft-json catalogue lists."""
    packages = syft_document.get("artifacts")
    return len(cast("list[object]", packages)) if isinstance(packages, list) else 0


def _child(document: Json, key: str) -> Json:
    value = document.get(key)
    return cast("Json", value) if isinstance(value, dict) else {}


def _without(document: Json, key: str) -> Json:
    return {name: value for name, value in document.items() if name != key}
