"""What is attached to an image, verified: found, and located in the registry."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from sc_secure.errors import InfrastructureError
from sc_secure.steps.session import Session
from sc_secure.tools import legacy
from sc_secure.tools.cosign import SIGNATURE, Verifier
from sc_secure.tools.documents import Json
from sc_secure.tools.identity import Identity
from sc_secure.tools.key import Key
from sc_secure.tools.log_entry import LogEntry, log_entry, older_entry
from sc_secure.tools.process import MIB
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.registry import Manifest, Registry
from sc_secure.tools.statement import Statement, read_bundle

Form = Literal["bundle", "legacy"]
FORMS: tuple[Form, ...] = ("bundle", "legacy")
"""The ways in which a signature or attestation is kept."""
_BUNDLE = "application/vnd.dev.sigstore.bundle"
_PREDICATE_ANNOTATION = "dev.sigstore.bundle.predicateType"
_MAX_BUNDLE = 256 * MIB
_LOOKED_AT = 8
"""Bundles that are verified one by one: whoever can write to the registry can add many."""


@dataclass(frozen=True)
class Attachment:
    """A statement that was verified, and where it is."""

    statement: Statement
    manifest: str
    """The digest of its manifest in the registry."""
    entry: LogEntry | None = None
    """Where it stands in the transparency log, as its bundle tells; None: it isn't logged."""


def find(
    session: Session,
    image: ImageReference,
    verifier: Verifier,
    predicate_type: str,
    accept: Callable[[Statement], bool],
    *,
    forms: Sequence[Form] = FORMS,
) -> Attachment | None:
    """The first statement of that type by this signer which `accept` takes; None: there is none.

    Args:
        session: the run.
        image: what it is about.
        verifier: whose it must be.
        predicate_type: a URI.
        accept: looks at what it says.
        forms: the ways of keeping it that count, in this order.

    Raises:
        InfrastructureError, NotAuthorised: the registry or cosign failed, or the image isn't in the registry.
    """
    for who in (verifier, *verifier.also) if isinstance(verifier, Key) else (verifier,):
        for form in forms:
            look = _find_bundle if form == "bundle" else _find_legacy
            found = look(session, image, who, predicate_type, accept)
            if found:
                return found
    # cosign says the same of an image that isn't there.
    if session.registry(image).manifest(image.digest) is None:
        raise InfrastructureError(
            f"{image.subject} isn't in its registry", advice="push the image first; `crane digest` prints its digest"
        )
    return None


def _find_bundle(
    session: Session,
    image: ImageReference,
    verifier: Verifier,
    predicate_type: str,
    accept: Callable[[Statement], bool],
) -> Attachment | None:
    """Each bundle is verified by itself: cosign's own search reads everything that is attached to the image, each time.

    Where cosign refuses one, or there are many, it searches itself: what it says tells another's signature from a
    failure, and it finds what lies deeper.
    """
    file, seen, refused = session.temp / "bundle.json", list[str](), False
    newest = itertools.islice(_bundles(session.registry(image), image, predicate_type), _LOOKED_AT)
    for digest, content in newest:
        seen.append(digest)
        statement = read_bundle(content)
        if not statement or statement.predicate_type != predicate_type or image.hex not in statement.subjects:
            continue
        file.write_bytes(content)
        if not session.cosign.accepts(image, verifier, predicate_type, file):
            refused = True
        elif accept(statement):
            return Attachment(statement, digest, log_entry(content))
    if not refused and len(seen) < _LOOKED_AT:
        return None
    for statement in session.cosign.statements(image, verifier, predicate_type):
        if accept(statement):
            digest, bundle = _locate(session, image, verifier, statement)
            return Attachment(statement, digest, log_entry(bundle))
    return None


def _find_legacy(
    session: Session,
    image: ImageReference,
    verifier: Verifier,
    predicate_type: str,
    accept: Callable[[Statement], bool],
) -> Attachment | None:
    registry, wanted = session.registry(image), "" if predicate_type == SIGNATURE else predicate_type
    manifest = registry.manifest(legacy.tag(image, attestation=bool(wanted)))
    layers = [each for each in legacy.layers(manifest.content) if each.predicate_type == wanted] if manifest else []
    if not layers:
        return None
    # cosign takes a certificate that is good at the moment without a timestamp, which would then be none later.
    stamped = isinstance(verifier, Identity) and not verifier.logged

    if not wanted:
        for signed in session.cosign.signed(image, verifier):
            statement = Statement(SIGNATURE, {}, frozenset({image.hex}), payload="", signature="")
            if accept(statement) and (signed.timestamp or not stamped):
                entry = signed.entry if verifier.logged else None
                return Attachment(statement, _layer_of(registry, image, layers, signed), entry)
        return None
    for statement in session.cosign.statements(image, verifier, wanted, legacy=True):
        if accept(statement):
            # Whoever can write to the registry can put the same envelope there with other witnesses, and cosign doesn't
            # tell which of them it verified: what they don't all say isn't known.
            holders = [each for each in layers if each.digest == statement.envelope]
            if not holders:
                raise _lost(image)
            if stamped and not all(each.timestamp for each in holders):
                continue
            agreed = all(each.bundle == holders[0].bundle for each in holders)
            entry = older_entry(holders[0].bundle) if agreed and verifier.logged else None
            return Attachment(statement, statement.envelope, entry)
    return None


def _layer_of(registry: Registry, image: ImageReference, layers: Sequence[legacy.Layer], signed: legacy.Signed) -> str:
    """The digest of the layer that was verified. cosign prints the text with what witnesses it, and so not as it is."""
    for layer in reversed(layers):
        if signed.may_be(layer):
            content = registry.blob(layer.digest, limit=_MAX_BUNDLE)
            if content is not None and signed.is_in(content):
                return layer.digest
    raise _lost(image)


def _lost(image: ImageReference) -> InfrastructureError:
    return InfrastructureError(f"{image.subject}: what was verified isn't there when read back", advice="try again")


def _locate(session: Session, image: ImageReference, verifier: Verifier, statement: Statement) -> tuple[str, bytes]:
    """The digest of the manifest whose bundle was verified, and the bundle.

    Whoever can write to the registry can put the same envelope into another bundle, with another certificate or none:
    where several bundles hold it, each is verified by itself.
    """
    holders = list(_holders(session.registry(image), image, statement))
    if len(holders) == 1:
        return holders[0]
    file = session.temp / "bundle.json"
    for digest, content in holders:
        file.write_bytes(content)
        if session.cosign.accepts(image, verifier, statement.predicate_type, file):
            return digest, content
    raise InfrastructureError(
        f"{image.subject}: a {statement.predicate_type} was verified, but isn't among its referrers"
    )


def _holders(registry: Registry, image: ImageReference, statement: Statement) -> Iterator[tuple[str, bytes]]:
    """Each manifest whose bundle holds this very envelope, and the bundle; the newest first."""
    for digest, content in _bundles(registry, image, statement.predicate_type):
        found = read_bundle(content)
        if found and (found.payload, found.signature) == (statement.payload, statement.signature):
            yield digest, content


def _candidates(registry: Registry, image: ImageReference, predicate_type: str) -> Iterator[Manifest]:
    """Each manifest that may hold a statement of that type; the newest first."""
    for digest in reversed(registry.referrers(image.digest)):
        manifest = registry.manifest(digest)
        # Where there is no bundle at all, cosign would look at its older tags.
        if manifest is not None and _layers(manifest.content) and _may_hold(manifest.content, predicate_type):
            yield manifest


def _bundles(registry: Registry, image: ImageReference, predicate_type: str) -> Iterator[tuple[str, bytes]]:
    """The bundles of the candidates, each with its manifest's digest."""
    for manifest in _candidates(registry, image, predicate_type):
        for layer in _layers(manifest.content):
            content = registry.blob(layer, limit=_MAX_BUNDLE)
            if content:
                yield manifest.digest, content


def _may_hold(manifest: Json, predicate_type: str) -> bool:
    """A cheap look before the bundle, which may hold a whole catalogue, is read."""
    annotations = manifest.get("annotations")
    said = cast("Json", annotations).get(_PREDICATE_ANNOTATION) if isinstance(annotations, dict) else None
    return said in (None, predicate_type)


def _layers(manifest: Json) -> list[str]:
    layers = manifest.get("layers")
    found: list[str] = []
    for layer in cast("list[object]", layers) if isinstance(layers, list) else []:
        entry = cast("Json", layer) if isinstance(layer, dict) else {}
        digest = entry.get("digest")
        if isinstance(digest, str) and str(entry.get("mediaType")).startswith(_BUNDLE):
            found.append(digest)
    return found
