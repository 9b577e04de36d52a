"""What is attached to an image in its registry: a look that verifies nothing and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.steps.session import Session
from sc_secure.tools.documents import Json
from sc_secure.tools.reference import ImageReference

PREDICATE_ANNOTATION = "dev.sigstore.bundle.predicateType"
"""Where cosign says what a bundle's statement is of: on the manifest, in its annotations."""


@dataclass(frozen=True)
class Attached:
    """One manifest whose subject is the image."""

    digest: str
    kind: str
    """The predicate type of a Sigstore bundle; else the artifact's type. As the manifest says: it isn't verified."""


def attached(session: Session, image: ImageReference) -> list[Attached]:
    """What refers to the image, by the referrers API or the fallback tag, in the registry's order.

    Raises:
        InfrastructureError: the image isn't in the registry, or the registry failed, after retries.
        NotAuthorised: it refused.
    """
    registry = session.registry(image)
    found: list[Attached] = []
    for digest in registry.referrers(image.digest):
        manifest = registry.manifest(digest)
        if manifest:  # an index may still name what was deleted
            found.append(Attached(digest, _kind(manifest.content)))
    if not found and registry.manifest(image.digest) is None:
        raise InfrastructureError(
            f"{image.subject} isn't in its registry", advice="push the image first; `crane digest` prints its digest"
        )
    return found


def _kind(manifest: Json) -> str:
    annotations = manifest.get("annotations")
    said = cast("Json", annotations).get(PREDICATE_ANNOTATION) if isinstance(annotations, dict) else None
    for kind in (said, manifest.get("artifactType")):
        if isinstance(kind, str) and kind:
            return kind
    return "unknown"
