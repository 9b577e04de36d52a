"""Reads back what is attached to an image: the right kind, about the right digest, by the right signer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from sc_secure.errors import ConfigError, VerificationFailed
from sc_secure.steps.attachments import find
from sc_secure.steps.formats import PREDICATES, PredicateType
from sc_secure.steps.origin import Origin
from sc_secure.steps.platforms import platforms_output, whole_and_parts
from sc_secure.steps.result import StepResult
from sc_secure.steps.session import Session
from sc_secure.steps.status import attached
from sc_secure.tools.beside import Beside
from sc_secure.tools.cosign import SIGNATURE, Verifier
from sc_secure.tools.documents import Json
from sc_secure.tools.key import Key
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.statement import Statement
from sc_secure.tools.text import printable

_OF_THE_CONTENT = {PREDICATES[name].uri for name in ("cyclonedx", "spdx", "syft", "vuln")}
"""What is said of each platform's image, and not of an index."""
_SHOWN = 3
"""Statements of one kind that are there and don't do, of which the error says why."""


def verify_image(
    session: Session,
    image: ImageReference,
    verifier: Verifier,
    attestations: Sequence[str],
    *,
    origin: Origin | None = None,
) -> StepResult:
    """The step `image verify`: the signature, and each attestation that is named.

    Of an index, those of each platform's image too: a machine that pulls the index runs one of them.

    Args:
        session: the run.
        image: what to verify.
        verifier: who must have signed: a key, or an identity.
        attestations: short names of predicate types.
        origin: what the provenance has to name; it is verified then, also where `attestations` doesn't name it.

    Raises:
        VerificationFailed: one is missing, another's, of another digest, or says nothing; all are named.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be verified.
    """
    names = [*attestations, *(["slsaprovenance1"] if origin else [])]
    kinds = [predicate_type(name) for name in dict.fromkeys(names)]
    return _verify(
        session, image, verifier, [_Wanted("signature", SIGNATURE), *(_wanted(kind, origin) for kind in kinds)]
    )


def verify_attestation(
    session: Session, image: ImageReference, verifier: Verifier, name: str, *, origin: Origin | None = None
) -> StepResult:
    """The steps `sbom verify`, `provenance verify` and `scan verify`.

    Args:
        session: the run.
        image: what to verify.
        verifier: who must have signed: a key, or an identity.
        name: a predicate type's short name.
        origin: for provenance: what it has to name.

    Raises:
        VerificationFailed, ToolMissing, InfrastructureError, NotAuthorised: see `verify_image`.
    """
    return _verify(session, image, verifier, [_wanted(predicate_type(name), origin)])


def predicate_type(name: str) -> PredicateType:
    """The predicate type of that short name.

    Raises:
        ConfigError: there is none.
    """
    if name not in PREDICATES:
        raise ConfigError(
            f"--attestation {printable(name, limit=40)}: unknown", advice=f"known: {', '.join(PREDICATES)}"
        )
    return PREDICATES[name]


def says_something(statement: Statement) -> bool:
    """Whether the predicate holds what its type must hold, in its form: an empty one proves nothing."""
    said = statement.predicate
    return {
        PREDICATES["cyclonedx"].uri: said.get("bomFormat") == "CycloneDX",
        PREDICATES["spdx"].uri: str(said.get("spdxVersion")).startswith("SPDX-"),
        PREDICATES["syft"].uri: isinstance(said.get("artifacts"), list),  # of an image with no packages, it is empty
        PREDICATES["slsaprovenance1"].uri: _is_filled(said.get("buildDefinition")),
        PREDICATES["vuln"].uri: _is_filled(said.get("scanner")),
    }[statement.predicate_type]


def _is_filled(value: object) -> bool:
    return isinstance(value, dict) and bool(cast("Json", value))


@dataclass(frozen=True)
class _Wanted:
    """What has to be attached."""

    name: str
    uri: str
    problem: Callable[[Statement], str] = lambda _: ""
    """Why a statement that is there, by this signer, doesn't do; empty: it does."""


def _wanted(kind: PredicateType, origin: Origin | None) -> _Wanted:
    def problem(statement: Statement) -> str:
        if not says_something(statement):
            return "it says nothing"
        is_provenance = kind.uri == PREDICATES["slsaprovenance1"].uri
        return origin.problem(statement.predicate) if origin and is_provenance else ""

    return _Wanted(kind.uri, kind.uri, problem)


def _verify(
    session: Session,
    image: ImageReference,
    verifier: Verifier,
    wanted: Sequence[_Wanted],
) -> StepResult:
    used = session.use("cosign")
    images = whole_and_parts(session.registry(image), image)
    looked = [partial(_look, images=images, verifier=verifier, wanted=each) for each in wanted]
    with contextlib.ExitStack() as stack:
        # cosign's time is what it takes to start and to read one statement: they don't wait for each other.
        others = list[Beside[_Looked]]()
        for look, each in zip(looked[1:], wanted[1:], strict=True):
            part = session.beside(f"verify {each.name}")
            others.append(stack.enter_context(Beside(partial(look, part), part.runner)))
        each_kind = [looked[0](session), *(other.result() for other in others)]
    verified = {each.name: found.manifest for each, found in zip(wanted, each_kind, strict=True) if found.manifest}
    # In the order of the platforms, as each one's image is what a machine pulls.
    missing = [each.missing[part.digest] for _, part in images for each in each_kind if part.digest in each.missing]
    if missing:
        there = f"; verified: {', '.join(verified)}" if verified else ""
        raise _failed(session, image, verifier, f": {', '.join(missing)}{there}")
    return session.result("verify", image, used, outputs={"verified": verified, **platforms_output(images)})


@dataclass(frozen=True)
class _Looked:
    """What was found of one kind."""

    manifest: str
    """The digest of the first one's manifest: the whole's, or a platform's; empty: there is none."""
    missing: dict[str, str]
    """What isn't there, or doesn't do, by the digest that it is missing of."""


def _look(
    session: Session, images: Sequence[tuple[str, ImageReference]], verifier: Verifier, wanted: _Wanted
) -> _Looked:
    manifest, missing = "", dict[str, str]()
    for platform, part in images:
        if len(images) > 1 and not platform and wanted.uri in _OF_THE_CONTENT:
            continue  # an index has no content of its own
        problems: list[str] = []

        def accept(statement: Statement, problems: list[str] = problems) -> bool:
            problem = wanted.problem(statement)
            problems += [problem] if problem else []
            return not problem

        found = find(session, part, verifier, wanted.uri, accept)
        if not found:
            why = f" ({'; '.join(dict.fromkeys(problems[:_SHOWN]))})" if problems else ""
            missing[part.digest] = (f"{wanted.name} of {platform}" if platform else wanted.name) + why
        elif not platform or not manifest:
            manifest = found.manifest
    return _Looked(manifest, missing)


def _failed(session: Session, image: ImageReference, verifier: Verifier, what: str) -> VerificationFailed:
    """The error: what isn't there, what is, and, where an identity was looked for, who signed instead."""
    if isinstance(verifier, Key):
        entry = ", or without an entry in a transparency log that is trusted" if verifier.logged else ""
        key = "one of these keys" if verifier.also else "this key"
        return VerificationFailed(
            f"{image.subject}: not there, or not by {key}{entry}{what}",
            advice="sign and attest this digest with the matching key, or check that it is the image you mean",
        )
    signers = session.cosign.signers(image, verifier)
    instead = f"; attached: {'; '.join(signers)}" if signers else ""
    if not attached(session.registry(image), image):
        instead = "; nothing is attached"
    return VerificationFailed(
        f"{image.subject}: not there, or not by {verifier}{what}{instead}",
        advice="sign and attest this digest as this identity, or check that it is the image and the identity you mean "
        "(the expression has to match the whole identity)",
    )
