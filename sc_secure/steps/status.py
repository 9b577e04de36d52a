"""What is attached to images in their registries: a look that verifies nothing and changes nothing."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from sc_secure.errors import InfrastructureError, ScSecureError
from sc_secure.steps.platforms import whole_and_parts
from sc_secure.steps.session import Session
from sc_secure.tools import legacy
from sc_secure.tools.cosign import SIGNATURE
from sc_secure.tools.documents import Json
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.registry import Registry
from sc_secure.tools.text import printable

PREDICATE_ANNOTATION = "dev.sigstore.bundle.predicateType"
"""Where cosign says what a bundle's statement is of: on the manifest, in its annotations."""
_AT_ONCE = 8
"""Images that are asked for at the same time."""


@dataclass(frozen=True)
class Attached:
    """One manifest whose subject is the image, or one layer of cosign's older tags."""

    digest: str
    kind: str
    """The predicate type of a Sigstore bundle; else the artifact's type. As the manifest says: it isn't verified."""


@dataclass(frozen=True)
class Status:
    """What is attached to one image, or why that isn't known."""

    image: ImageReference
    attached: tuple[Attached, ...] | None
    """In the registry's order; None: it isn't known."""
    error: ScSecureError | None = None
    """Why it isn't known."""

    @property
    def reason(self) -> str:
        """Why it isn't known; empty: it is."""
        return self.error.message if self.error else ""


def unknown(looked_at: Sequence[Status]) -> ScSecureError | None:
    """What to end with where the state of some images isn't known; None: it is.

    Where they all failed in one way (not authorised, other content than the digest's), in that way.
    """
    errors = [each.error for each in looked_at if each.error]
    if not errors:
        return None
    kinds = {type(error) for error in errors}
    kind = kinds.pop() if len(kinds) == 1 else InfrastructureError
    reasons = "\n".join(dict.fromkeys(printable(error.message, limit=300) for error in errors))
    return kind(reasons, advice=next((error.advice for error in errors if error.advice), ""))


def look(session: Session, images: Sequence[ImageReference], within: float) -> list[Status]:
    """What is attached to each image, several asked for at once.

    Args:
        session: the run.
        images: what to look at.
        within: seconds for all of them; what hasn't answered then isn't known.
    """
    waiting: queue.SimpleQueue[tuple[ImageReference, Registry]] = queue.SimpleQueue()
    runner = session.runner.sibling()
    apart = replace(session, runner=runner, _registries={})
    for image in images:
        waiting.put((image, apart.registry(image)))
    known: dict[ImageReference, Status] = {}

    def work() -> None:
        while True:
            try:
                image, registry = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                known[image] = Status(image, tuple(attached(registry, image)))
            except ScSecureError as error:
                known[image] = Status(image, None, error)

    # Threads that the program's end doesn't wait for: a registry that hangs must not hold up a preview.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_AT_ONCE, len(images)))]
    deadline = time.monotonic() + within
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0, deadline - time.monotonic()))
        answered = dict(known)
    finally:
        runner.end()  # a credential helper that hangs: nothing of it is left
    late = InfrastructureError(
        f"its registry didn't answer within {within:g} s", advice="raise --timeout, or try again"
    )
    return [answered.get(image, Status(image, None, late)) for image in images]


def attached(registry: Registry, image: ImageReference) -> list[Attached]:
    """What refers to the image, by the referrers API or the fallback tag, in the registry's order; and what is kept in
    cosign's older way.

    Of an index: what refers to it, and then to each platform's image in it.

    Raises:
        InfrastructureError: the image isn't in the registry, or the registry failed, after retries.
        NotAuthorised: it refused.
    """
    found: list[Attached] = []
    for _, part in whole_and_parts(registry, image):
        for digest in registry.referrers(part.digest):
            manifest = registry.manifest(digest)
            if manifest:  # an index may still name what was deleted
                found.append(Attached(digest, _kind(manifest.content)))
        for attestation in (False, True):
            older = registry.manifest(legacy.tag(part, attestation=attestation))
            every = legacy.layers(older.content) if older else ()
            found += [Attached(each.digest, each.predicate_type or SIGNATURE) for each in every]
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
