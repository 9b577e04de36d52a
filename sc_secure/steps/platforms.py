"""An image of several platforms: an index, whose manifests are each an image of its own.

What is in an image (its catalogue, its findings) is said of each platform's manifest; who made it (the signature, the
provenance) of the index and of each manifest, since a machine pulls the one and runs the other.

Specification: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from sc_secure.errors import InfrastructureError, VerificationFailed
from sc_secure.tools.documents import Json
from sc_secure.tools.reference import ImageReference, is_digest
from sc_secure.tools.registry import Registry
from sc_secure.tools.text import printable

MAX_PLATFORMS = 16
"""Each is read and scanned by itself."""
_BUILDKIT_MARK = ("vnd.docker.reference.type", "attestation-manifest")
"""The annotation of what BuildKit lists beside the images, for the platform unknown/unknown:
https://github.com/moby/buildkit/blob/v0.24.0/docs/attestations/attestation-storage.md."""


@dataclass(frozen=True)
class Platform:
    """One platform's image."""

    name: str
    """As `linux/arm64/v8`, printable."""
    image: ImageReference


def platforms(registry: Registry, image: ImageReference) -> tuple[Platform, ...]:
    """The images in an index, in its order; none, where the digest is one image's manifest or isn't there.

    Raises:
        InfrastructureError, NotAuthorised: the registry failed, or the index is none that can be handled.
        VerificationFailed: the registry gives other content than the digest's.
    """
    manifest = registry.manifest(image.digest)
    if manifest is None or "manifests" not in manifest.content:
        return ()
    if "layers" in manifest.content or "config" in manifest.content:
        # Which of the two counts would be for each program to choose (CVE-2021-41190).
        raise VerificationFailed(f"{image.subject}: an index and an image's manifest in one", advice="build it again")
    found = {platform.image.digest: platform for platform in _listed(image, manifest.content["manifests"])}
    if not 0 < len(found) <= MAX_PLATFORMS:
        raise InfrastructureError(
            f"{image.subject}: an index of {len(found)} images; between 1 and {MAX_PLATFORMS} can be handled",
            advice="name the digest of the platform's own manifest: `crane digest --platform linux/amd64`",
        )
    for each in found.values():
        below = registry.manifest(each.image.digest)
        if below is None or "manifests" in below.content:
            what = "isn't in the registry" if below is None else "is an index itself"
            raise InfrastructureError(f"{image.subject}: its manifest for {each.name}, {each.image.digest}, {what}")
    return tuple(found.values())


def whole_and_parts(registry: Registry, image: ImageReference) -> list[tuple[str, ImageReference]]:
    """What a signature is about: the image, and each platform's image in it, with the name of its platform.

    Raises:
        InfrastructureError, NotAuthorised, VerificationFailed: see `platforms`.
    """
    return [("", image), *((each.name, each.image) for each in platforms(registry, image))]


def parts(registry: Registry, image: ImageReference) -> list[tuple[str, ImageReference]]:
    """What a catalogue is of: each platform's image, with the name of its platform; the image, where it has but one.

    Raises:
        InfrastructureError, NotAuthorised, VerificationFailed: see `platforms`.
    """
    return [(each.name, each.image) for each in platforms(registry, image)] or [("", image)]


def platforms_output(parts: Sequence[tuple[str, ImageReference]]) -> dict[str, str]:
    """The platforms as a step's output: none, where the image has but one."""
    names = ", ".join(dict.fromkeys(name for name, _ in parts if name))
    return {"platforms": names} if names else {}


def _listed(image: ImageReference, entries: object) -> Iterator[Platform]:
    for entry in cast("list[object]", entries) if isinstance(entries, list) else []:
        descriptor = cast("Json", entry) if isinstance(entry, dict) else {}
        digest = descriptor.get("digest")
        if not isinstance(digest, str) or not is_digest(digest):
            raise VerificationFailed(f"{image.subject}: an entry of the index names no sha256 digest")
        if _is_of_buildkit(descriptor):
            continue
        yield Platform(_name(descriptor.get("platform")), replace(image, digest=digest))


def _is_of_buildkit(descriptor: Json) -> bool:
    """Whether it is no image, and nothing takes it for one. A machine chooses by the platform alone: with the mark, but
    a platform that machines have, or none (which fits each), it could still be run, and so it has to be looked at."""
    annotations, platform = descriptor.get("annotations"), descriptor.get("platform")
    if not isinstance(annotations, dict) or not isinstance(platform, dict):
        return False
    name, value = _BUILDKIT_MARK
    said = cast("Json", platform)
    return cast("Json", annotations).get(name) == value and said.get("os") == said.get("architecture") == "unknown"


def _name(platform: object) -> str:
    said = cast("Json", platform) if isinstance(platform, dict) else {}
    words = [said.get("os"), said.get("architecture"), said.get("variant")]
    return printable("/".join(word for word in words if isinstance(word, str) and word), limit=60) or "unknown"
