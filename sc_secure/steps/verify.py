"""Reads back what is attached to an image: the right kind, about the right digest, by the right signer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from sc_secure.errors import ConfigError, VerificationFailed
from sc_secure.steps.attachments import find
from sc_secure.steps.formats import PREDICATES, PredicateType
from sc_secure.steps.platforms import platforms_output, whole_and_parts
from sc_secure.steps.result import StepResult
from sc_secure.steps.session import Session
from sc_secure.tools.cosign import SIGNATURE, Statement, Verifier
from sc_secure.tools.documents import Json
from sc_secure.tools.key import Key
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.text import printable

_OF_THE_CONTENT = {PREDICATES[name].uri for name in ("cyclonedx", "spdx", "syft", "vuln")}
"""What is said of each platform's image, and not of an index."""


def verify_image(
    session: Session, image: ImageReference, verifier: Verifier, attestations: Sequence[str]
) -> StepResult:
    """The step `image verify`: the signature, and each attestation that is named.

    Of an index, those of each platform's image too: a machine that pulls the index runs one of them.

    Args:
        session: the run.
        image: what to verify.
        verifier: who must have signed: a key, or an identity.
        attestations: short names of predicate types.

    Raises:
        VerificationFailed: one is missing, another's, of another digest, or says nothing; all are named.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be verified.
    """
    kinds = [predicate_type(name) for name in dict.fromkeys(attestations)]
    wanted = [
        _Wanted("signature", SIGNATURE, _anything),
        *(_Wanted(kind.uri, kind.uri, says_something) for kind in kinds),
    ]
    return _verify(session, image, verifier, wanted)


def verify_attestation(
    session: Session, image: ImageReference, verifier: Verifier, name: str, *, builder_id: str | None = None
) -> StepResult:
    """The steps `sbom verify`, `provenance verify` and `scan verify`.

    Args:
        session: the run.
        image: what to verify.
        verifier: who must have signed: a key, or an identity.
        name: a predicate type's short name.
        builder_id: for provenance: the builder that must be named.

    Raises:
        VerificationFailed, ToolMissing, InfrastructureError, NotAuthorised: see `verify_image`.
    """
    kind = predicate_type(name)

    def accept(statement: Statement) -> bool:
        return says_something(statement) and (builder_id is None or _builder(statement.predicate) == builder_id)

    detail = f" by the builder {printable(builder_id, limit=200)}" if builder_id else ""
    return _verify(session, image, verifier, [_Wanted(kind.uri, kind.uri, accept)], detail)


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
    """Whether the predicate holds what its type must hold: an empty one proves nothing."""
    needed = {
        PREDICATES["cyclonedx"].uri: "bomFormat",
        PREDICATES["spdx"].uri: "spdxVersion",
        PREDICATES["syft"].uri: "artifacts",
        PREDICATES["slsaprovenance1"].uri: "buildDefinition",
        PREDICATES["vuln"].uri: "scanner",
    }[statement.predicate_type]
    return bool(statement.predicate.get(needed)) or isinstance(statement.predicate.get(needed), list)


@dataclass(frozen=True)
class _Wanted:
    """What has to be attached."""

    name: str
    uri: str
    accept: Callable[[Statement], bool]


def _anything(statement: Statement) -> bool:
    return True


def _builder(provenance: Json) -> object:
    details = provenance.get("runDetails")
    builder = cast("Json", details).get("builder") if isinstance(details, dict) else None
    return cast("Json", builder).get("id") if isinstance(builder, dict) else None


def _verify(
    session: Session,
    image: ImageReference,
    verifier: Verifier,
    wanted: Sequence[_Wanted],
    detail: str = "",
) -> StepResult:
    used = session.use("cosign")
    verified: dict[str, str] = {}
    missing: list[str] = []
    images = whole_and_parts(session.registry(image), image)
    for platform, part in images:
        for each in wanted:
            if len(images) > 1 and not platform and each.uri in _OF_THE_CONTENT:
                continue  # an index has no content of its own
            found = find(session, part, verifier, each.uri, each.accept)
            if not found:
                missing.append(f"{each.name} of {platform}" if platform else each.name)
            elif not platform or each.name not in verified:
                verified[each.name] = found.manifest
    if missing:
        there = f"; verified: {', '.join(verified)}" if verified else ""
        raise _failed(session, image, verifier, f"{detail}: {', '.join(missing)}{there}")
    return session.result("verify", image, used, outputs={"verified": verified, **platforms_output(images)})


def _failed(session: Session, image: ImageReference, verifier: Verifier, what: str) -> VerificationFailed:
    """The error: what isn't there, what is, and, where an identity was looked for, who signed instead."""
    if isinstance(verifier, Key):
        logged = verifier.services is not None and verifier.services.transparency_log
        entry = ", or without an entry in a transparency log that is trusted" if logged else ""
        key = "one of these keys" if verifier.also else "this key"
        return VerificationFailed(
            f"{image.subject}: not there, or not by {key}{entry}{what}",
            advice="sign and attest this digest with the matching key, or check that it is the image you mean",
        )
    signers = session.cosign.signers(image, verifier)
    instead = f"; attached: {'; '.join(signers)}" if signers else ""
    if not session.registry(image).referrers(image.digest):
        instead = "; nothing is attached"
    return VerificationFailed(
        f"{image.subject}: not there, or not by {verifier}{what}{instead}",
        advice="sign and attest this digest as this identity, or check that it is the image and the identity you mean "
        "(the expression has to match the whole identity)",
    )
