"""The whole chain on one image, in one process: SBOM, scan, signature, attestations, verification.

The order is the gate: nothing is signed before the scan has passed, and what fails ends everything after it. What the
provenance says, and the public key, are gathered beside the SBOM and the scan. Attestations are made at once; they are
written one at a time.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic.alias_generators import to_camel

from sc_secure.errors import ConfigError, InfrastructureError, PolicyViolation, ScSecureError
from sc_secure.policy.decision import Policy, Thresholds
from sc_secure.policy.rules import Rules
from sc_secure.policy.security import Output, Scan, Security, Signing, Threshold
from sc_secure.policy.severity import Severity
from sc_secure.steps import attest, provenance, sbom, scan, sign, verify
from sc_secure.steps.formats import SbomFormat, sbom_format
from sc_secure.steps.origin import parse_origin
from sc_secure.steps.provenance import Source
from sc_secure.steps.result import StepName, StepResult
from sc_secure.steps.scan_report import REPORT
from sc_secure.steps.session import Session, Turn, shown_path
from sc_secure.steps.soft import is_soft, soft_failure
from sc_secure.tools.beside import Beside
from sc_secure.tools.cosign import Signer, Verifier
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.identity import parse_identity
from sc_secure.tools.key import Key, parse_key
from sc_secure.tools.lifeline import StepTimedOut
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.services import Keyless, Services, check_form, parse_services
from sc_secure.tools.workspace import disk_failures

Attested = Literal["sbom", "provenance", "scan"]
"""What is attached to the image, by the section of the policy that says so."""


@dataclass(frozen=True)
class Plan:
    """What is done to the image. Made by `plan`, which checks it."""

    security: Security
    source: Source
    forms: tuple[SbomFormat, ...]
    """The SBOM's formats: the first one is attested."""
    signer: Signer | None
    """Signs; None: signing is off."""
    verifier: Verifier | None
    """Must have signed; None: verifying is off."""


@dataclass(frozen=True)
class Outcome:
    """What became of one step."""

    name: str
    kind: StepName
    needs: tuple[str, ...] = ()
    started_at: datetime | None = None
    """None: it didn't run."""
    finished_at: datetime | None = None
    result: StepResult | None = None
    error: ScSecureError | None = None


@dataclass(frozen=True)
class Chain:
    """What became of all steps, in their order."""

    outcomes: tuple[Outcome, ...]
    scan: Json | None
    """The scan's document, if there was a verdict."""

    @property
    def failed(self) -> Outcome | None:
        """The step that ended the chain."""
        return next((each for each in self.outcomes if each.error), None)


@dataclass(frozen=True)
class _Link:
    """A step to run."""

    name: str
    kind: StepName
    needs: tuple[str, ...]
    timeout: float
    setting: str
    """The policy's item that says the time-out."""
    required: bool
    run: Callable[[Session], StepResult]


def plan(security: Security, source: Source, forms: Sequence[SbomFormat], environ: Mapping[str, str]) -> Plan:
    """The plan of a policy.

    Args:
        security: the policy.
        source: what the image was built from; what the policy says of provenance goes over it.
        forms: formats of the SBOM besides the policy's.
        environ: where a key's password, and a key that is in a variable, are.

    Raises:
        ConfigError: a key, a Sigstore's file or what the image was built from isn't there, or nobody is named who must
            have signed.
    """
    said = security.provenance
    source = replace(
        source,
        builder_id=said.builder_id or source.builder_id,
        include_git=said.include_git,
        include_dockerfile=said.include_dockerfile,
    )
    provenance.check(source)
    signing = security.signing
    signer = _signer(signing, environ) if security.enabled and signing.enabled else None
    verifier = _verifier(signing, signer, environ) if signer and signing.verifies else None
    return Plan(security, source, tuple(dict.fromkeys((sbom_format(security.sbom.format), *forms))), signer, verifier)


def secure(
    session: Session,
    image: ImageReference,
    what: Plan,
    tell: Callable[[Outcome], None] = lambda _: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Chain:
    """Run the chain. A step that fails is in the result, and ends it.

    Args:
        session: the run; each step gets a part of it, with warnings and times of its own.
        image: the image, in its registry.
        what: made by `plan`.
        tell: called with each step's outcome, once it is known.
        meanwhile: called in another thread, while the image is read.
    """
    done: dict[str, Outcome] = {}
    links = list(_links(image, what, done))
    document: Json | None = None
    with Beside(partial(_beside, session, image, links, what.signer, meanwhile), session.runner) as beside:
        for kind, of_kind in itertools.groupby(links, key=lambda link: link.kind):
            became = [beside.result()] if kind == "provenance" else _together(session, image, list(of_kind))
            if kind == "scan":
                became[0], document = _with_document(session, image, became[0])
            for outcome in became:
                done[outcome.name] = outcome
                tell(outcome)
            if any(outcome.error for outcome in done.values()):
                break
    outcomes = (done.get(link.name) or Outcome(link.name, link.kind, link.needs) for link in links)
    return Chain(tuple(outcomes), document)


def _beside(
    session: Session,
    image: ImageReference,
    links: Iterable[_Link],
    signer: Signer | None,
    meanwhile: Callable[[], None],
) -> Outcome:
    """What needs neither the SBOM nor the scan."""
    found = [_run(session, image, link) for link in links if link.kind == "provenance"]
    if isinstance(signer, Key):
        # Kept in the session. What is wrong with a key is told by the step that needs it.
        with contextlib.suppress(ScSecureError):
            session.cosign.public_key(signer)
    meanwhile()
    return found[0] if found else Outcome("provenance", "provenance")


def _together(session: Session, image: ImageReference, links: Sequence[_Link]) -> list[Outcome]:
    """What doesn't wait for each other, at once: the first one in this thread. All have the first one's time."""
    first, *others = links
    # The first one is the longest to read back: written first, it is read back beside the writing of the others.
    turn = Turn()
    ahead = replace(session, turns={"attach": turn})
    parts = [replace(session.beside(link.name), turns={"attach": Turn(after=turn.has_come)}) for link in others]
    advice, began = f"raise security.{first.setting}, or try again", datetime.now(UTC)
    with contextlib.ExitStack() as stack:
        stack.enter_context(session.lifeline.within(first.timeout, advice))
        running = [
            stack.enter_context(Beside(partial(_run, part, image, link), part.runner))
            for link, part in zip(others, parts, strict=True)
        ]
        session.runner.purpose = first.name
        try:
            outcomes = [_run(ahead, image, first)]
        finally:
            turn.has_come.set()
        for link, other in zip(others, running, strict=True):
            with contextlib.suppress(StepTimedOut):
                if not session.lifeline.over:
                    other.wait()
            if session.lifeline.over:
                other.end(f"the time is over: {advice}")
            try:
                outcomes.append(other.result())
            except InfrastructureError as error:  # it didn't even end
                outcomes.append(_failed(image, link, began, error))
    return outcomes


def _links(image: ImageReference, what: Plan, done: Mapping[str, Outcome]) -> Iterator[_Link]:
    """The steps that are switched on, in their order, each with those that it waits for."""
    security, limits = what.security, what.security.timeouts
    if not security.enabled:
        return
    last: tuple[str, ...] = ()
    if security.sbom.enabled:
        form, *also = what.forms
        step = partial(sbom.generate, image=image, form=form, also=also, save=_saved(security.sbom.output))
        yield _Link("sbom", "sbom", (), limits.sbom, "timeouts.sbom", security.sbom.required, step)
        last = ("sbom",)
    if security.scan.enabled:
        rules, running = _rules(security.scan), security.scan.running
        tools, optional = [tool.name for tool in running], [tool.name for tool in running if not tool.required]
        save = _saved(security.scan.output)
        step = partial(scan.scan, image=image, rules=rules, tools=tools, optional=optional, save=save)
        yield _Link("scan", "scan", last, limits.scan, "timeouts.scan", security.scan.required, step)
        last = ("scan",)
    signer = what.signer
    if signer is None:
        return
    if security.provenance.enabled:
        step = partial(provenance.generate, image=image, source=what.source, save=_saved(security.provenance.output))
        required = security.demands("provenance")
        yield _Link("provenance", "provenance", (), limits.attest, "timeouts.attest", required, step)
    step = partial(sign.sign, image=image, signer=signer)
    yield _Link("sign", "sign", last, limits.sign, "timeouts.sign", security.signing.required, step)
    attested = dict(_attested(image, what, signer, done))
    for kind, attach in attested.items():
        needs = ("sign", "provenance") if kind == "provenance" else ("sign",)
        name, required = f"attest-{kind}", security.demands(kind)
        yield _Link(name, "attest", needs, limits.attest, "timeouts.attest", required, attach)
    verifier = what.verifier
    if verifier:
        said = security.signing.verify
        origin = parse_origin(said.builder_id, said.source_uri, None)
        step = partial(verify.verify_image, image=image, verifier=verifier, attestations=_kinds(what), origin=origin)
        needs = tuple(f"attest-{kind}" for kind in attested) or ("sign",)
        yield _Link("verify", "verify", needs, limits.verify, "timeouts.verify", True, step)


def _attested(
    image: ImageReference, what: Plan, signer: Signer, done: Mapping[str, Outcome]
) -> Iterator[tuple[Attested, Callable[[Session], StepResult]]]:
    """What is attached."""

    def attach_provenance(run: Session) -> StepResult:
        gathered = done["provenance"].result
        if gathered is None or gathered.status == "soft_failed":
            return attest.attach_provenance(run, image, what.source, signer)
        return attest.attach_gathered(run, image, gathered.artifacts[0], signer)

    form = what.forms[0]
    if what.security.attaches_sbom:
        yield "sbom", lambda run: attest.attach_sbom(run, image, form, signer)
    if what.security.provenance.enabled:
        yield "provenance", attach_provenance
    if what.security.attests_scan:
        yield "scan", lambda run: attest.attach_scan(run, image, signer)


def _kinds(what: Plan) -> list[str]:
    """What must be attached, by the names that verifying takes."""
    kinds = {
        what.forms[0].attestation: what.security.attaches_sbom and what.security.demands("sbom"),
        "slsaprovenance1": what.security.provenance.enabled and what.security.demands("provenance"),
        "vuln": what.security.attests_scan and what.security.demands("scan"),
    }
    return [name for name, wanted in kinds.items() if wanted]


def _saved(output: Output) -> Path | None:
    """Where a copy of the document is kept; None: nowhere."""
    return Path(output.local) if output.local is not None else None


def _run(session: Session, image: ImageReference, link: _Link) -> Outcome:
    # The step's warnings and times are its own; programs, registry access and keys are the run's.
    part = replace(session, started_at=datetime.now(UTC), warnings=[])
    try:
        with disk_failures():
            result = link.run(part)
    except ScSecureError as error:
        return _failed(image, link, part.started_at, error)
    return Outcome(link.name, link.kind, link.needs, part.started_at, result.finished_at, result)


def _failed(image: ImageReference, link: _Link, began: datetime, error: ScSecureError) -> Outcome:
    outcome = Outcome(link.name, link.kind, link.needs, began, datetime.now(UTC))
    if link.required or not is_soft(error, of_a_part=True):
        return replace(outcome, error=error)
    result = soft_failure(link.kind, image, error, began)
    return replace(outcome, finished_at=result.finished_at, result=result)


def _with_document(session: Session, image: ImageReference, outcome: Outcome) -> tuple[Outcome, Json | None]:
    """The scan's outcome, and its document: of this very run, since an older one may lie there."""
    verdict = outcome.result is None or outcome.result.status != "soft_failed"
    if not verdict or (outcome.error and not isinstance(outcome.error, PolicyViolation)):
        return outcome, None
    path = session.folder(image) / REPORT
    content = path.read_bytes()
    if outcome.result and session.artifact(path, content, "application/json") not in outcome.result.artifacts:
        error = InfrastructureError(f"{shown_path(path)} was written anew by somebody else", advice="try again")
        return replace(outcome, result=None, error=error), None
    return outcome, parse_object(content, REPORT)


def _rules(said: Scan) -> Rules:
    """The policy of a scan, each scanner's own thresholds beside the general ones."""

    def severity(word: Threshold | None) -> Severity | None:
        return Severity.parse(word) if word else None

    policy = Policy(
        fail_on=Severity.parse(said.fail_on or "critical"),
        warn_on=severity(said.warn_on),
        only_fixed=said.only_fixed,
        tools={each.name: Thresholds(severity(each.fail_on), severity(each.warn_on)) for each in said.tools},
        kev=said.kev,
        epss_above=said.epss_above,
    )
    return Rules(policy, tuple(said.ignore), tuple(map(Path, said.vex)), said.max_database_age)


def _signer(signing: Signing, environ: Mapping[str, str]) -> Signer:
    said, log = signing.sigstore, signing.transparency_log
    services = parse_services(said, keyless=signing.keyless, transparency_log=log, naming=_in_policy)
    check_form(signing.format, services, _in_policy("format"))
    if signing.keyless:
        return Keyless(services or Services(), signing.format)
    return replace(parse_key(signing.key or "", signing.password_env, environ, services=services), form=signing.format)


def _verifier(signing: Signing, signer: Signer, environ: Mapping[str, str]) -> Verifier:
    """Who must have signed: who is named for it, or else the key that signs."""
    if isinstance(signer, Key):
        key, services = signing.verify.key, signer.services
        main = parse_key(key, None, environ, services=services) if key else signer
        return replace(
            main, also=tuple(parse_key(each, None, environ, services=services) for each in signing.verify.keys)
        )
    regexp, issuer = signing.verify.identity_regexp, signing.verify.oidc_issuer
    if not regexp or not issuer:
        raise ConfigError(
            "security.signing.verify: identityRegexp and oidcIssuer are needed: without a key, they say who must have "
            "signed",
            advice="name both, or set security.signing.verify.enabled to false",
        )
    root = signer.services.trusted_root
    return parse_identity(
        regexp, issuer, str(root) if root else None, transparency_log=signer.services.transparency_log
    )


def _in_policy(setting: str) -> str:
    return f"security.signing.{to_camel(setting)}"
