"""Attaches documents to the image as signed in-toto statements: its catalogue, its provenance, its scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.steps import provenance, sbom, scan
from sc_secure.steps.attachments import Attachment
from sc_secure.steps.canonical import canonical_bytes, canonical_sha256
from sc_secure.steps.formats import PREDICATES, PredicateType, SbomFormat
from sc_secure.steps.platforms import platforms_output, whole_and_parts
from sc_secure.steps.result import Artifact, StepResult
from sc_secure.steps.session import Session
from sc_secure.steps.writing import Outputs, write
from sc_secure.tools.cosign import Signer
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.key import Key
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.statement import Statement

_PROVENANCE_TIMES = (("runDetails", "metadata"),)
_SCAN_TIMES = (("metadata",),)
_DOUBLES = 2**1000


def attach_sbom(session: Session, image: ImageReference, form: SbomFormat, signer: Signer) -> StepResult:
    """The step `sbom attach`. A catalogue that isn't on this machine is made.

    Of an index, each platform's image gets its own.

    Raises:
        ConfigError: the signer can't sign: see `sign.sign`.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be attached, or didn't stay.
    """
    documents: list[_About] = []
    artifacts: list[Artifact] = []
    for name, part in sbom.images_of(session, image):
        made = sbom.ensure(session, part, form)
        documents.append(_About(name, part, parse_object(made.content, made.path.name), made.content))
        artifacts.append(session.artifact(made.path, made.content, form.media_type))
    return _attach(session, image, signer, PREDICATES[form.attestation], documents, artifacts=artifacts)


def attach_provenance(
    session: Session, image: ImageReference, source: provenance.Source, signer: Signer, *, save: Path | None = None
) -> StepResult:
    """The step `provenance attach`: gathers it, and attaches it unless the same is there from another run.

    Raises:
        ConfigError: the signer can't sign, `source` isn't what it should be, or nothing can be kept in `save`.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be attached, or didn't stay.
    """
    _, artifact = provenance.gather(session, image, source)
    return attach_gathered(session, image, artifact, signer, save=save)


def attach_gathered(
    session: Session, image: ImageReference, gathered: Artifact, signer: Signer, *, save: Path | None = None
) -> StepResult:
    """Attaches provenance that was gathered before, unless the same is there from another run.

    Raises:
        ConfigError: the signer can't sign: see `sign.sign`, or nothing can be kept in `save`.
        InfrastructureError: what lies there isn't what was gathered, it couldn't be attached, or didn't stay.
        ToolMissing, NotAuthorised: it couldn't be attached.
    """
    path = session.folder(image) / provenance.FILE
    content = path.read_bytes()
    artifact = session.artifact(path, content, provenance.MEDIA_TYPE)
    if artifact != gathered:
        raise InfrastructureError(f"{artifact.path} was written anew by somebody else", advice="try again")
    artifacts = [artifact, *session.save(save, content, provenance.MEDIA_TYPE)]
    document = parse_object(content, path.name)
    # The index last: see `sign.sign`.
    about = [_About(name, part, document) for name, part in reversed(whole_and_parts(session.registry(image), image))]
    kind = PREDICATES["slsaprovenance1"]
    return _attach(session, image, signer, kind, about, ignoring=_PROVENANCE_TIMES, artifacts=artifacts)


def attach_scan(session: Session, image: ImageReference, signer: Signer) -> StepResult:
    """The step `scan attach`: the facts of the last scan; the image is scanned again if this machine has none.

    Raises:
        ConfigError: the signer can't sign: see `sign.sign`.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be scanned or attached, or didn't stay.
    """
    about = [_About(name, part, scan.last_predicate(session, part)) for name, part in sbom.images_of(session, image)]
    return _attach(session, image, signer, PREDICATES["vuln"], about, ignoring=_SCAN_TIMES)


@dataclass(frozen=True)
class _About:
    """What is said, and of which image."""

    platform: str
    image: ImageReference
    document: Json
    content: bytes = b""
    """The document's canonical form, where it is there already."""


def _attach(
    session: Session,
    image: ImageReference,
    signer: Signer,
    kind: PredicateType,
    about: Sequence[_About],
    *,
    ignoring: Sequence[tuple[str, ...]] = (),
    artifacts: list[Artifact] | None = None,
) -> StepResult:
    used = session.use("cosign")
    for warning in signer.warnings if isinstance(signer, Key) else ():
        session.warn(warning)

    written = [_write(session, each, signer, kind, ignoring) for each in about]
    found, _, witnesses = written[-1]
    return session.result(
        "attest",
        image,
        used,
        reused=all(was_there for _, was_there, _ in written),
        outputs={
            "predicateType": kind.uri,
            "attestationDigest": found.manifest,
            "predicateSha256": canonical_sha256(found.statement.predicate),
            **platforms_output([(each.platform, each.image) for each in about]),
            **witnesses,
        },
        artifacts=artifacts,
    )


def _write(
    session: Session, about: _About, signer: Signer, kind: PredicateType, ignoring: Sequence[tuple[str, ...]]
) -> tuple[Attachment, bool, Outputs]:
    def same(statement: Statement) -> bool:
        said = statement.predicate
        return said == about.document or _same_part(said, ignoring) == _same_part(about.document, ignoring)

    file = session.temp / "predicate.json"
    file.write_bytes(about.content or canonical_bytes(about.document))
    make = partial(session.cosign.attest, about.image, signer, predicate_type=kind.cosign, predicate=file)
    return write(session, about.image, signer, kind.uri, accept=same, make=make)


def _same_part(predicate: Json, ignoring: Sequence[tuple[str, ...]]) -> bytes:
    """What is the same in each run, in the one form that survives cosign (it goes through protobuf's JSON).

    There an empty list or object and an absent one are the same, and every number is a double.
    """
    for path in ignoring:
        predicate = _drop(predicate, path)
    return canonical_bytes(cast("Json", _as_protobuf(predicate)))


def _drop(document: Json, path: Sequence[str]) -> Json:
    """The document without what is at that path."""
    first, *rest = path
    if not rest:
        return {name: value for name, value in document.items() if name != first}
    child = document.get(first)
    return {**document, first: _drop(cast("Json", child), rest)} if isinstance(child, dict) else document


def _as_protobuf(value: object) -> object:
    if isinstance(value, dict):
        members = {name: _as_protobuf(each) for name, each in cast("Json", value).items()}
        return {name: each for name, each in members.items() if each not in ({}, [])}
    if isinstance(value, list):
        return [_as_protobuf(each) for each in cast("list[object]", value)]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _DOUBLES:
        return float(value)
    return value
