"""Scans the image for known vulnerabilities, and decides over what was found."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from sc_secure.errors import ConfigError, InfrastructureError, VerificationFailed
from sc_secure.policy.decision import decide
from sc_secure.policy.finding import merge
from sc_secure.policy.ignore import IgnoreRules
from sc_secure.policy.limits import DEFAULT_TOOLS
from sc_secure.policy.rules import Rules
from sc_secure.policy.vex import Image, Read, Vex
from sc_secure.steps import sbom
from sc_secure.steps.canonical import canonical_bytes, is_about, rfc3339
from sc_secure.steps.formats import SYFT
from sc_secure.steps.result import StepResult
from sc_secure.steps.scan_report import FACTS, REPORT, SAMPLE_WARNING, Judged, Scanned, document, predicate
from sc_secure.steps.scan_verdict import violation, warnings
from sc_secure.steps.scanners import SCANNERS, Scanning
from sc_secure.steps.session import Session
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.made import is_ours, remember
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.scanner import SAMPLE_PROVIDER, Report, Target
from sc_secure.tools.text import printable
from sc_secure.tools.workspace import write_file


def scan(
    session: Session,
    image: ImageReference,
    rules: Rules,
    *,
    tools: Sequence[str] = DEFAULT_TOOLS,
    optional: Collection[str] = (),
    sbom_file: Path | None = None,
    save: Path | None = None,
) -> StepResult:
    """The step `image scan`: writes the report, and only then gives the verdict.

    Of an index, each platform's image is scanned, and what is found in one of them counts.

    Args:
        session: the run.
        image: what to scan.
        rules: what may be found.
        tools: names of `SCANNERS`, which run at once.
        optional: those of them that are left out, with a warning, if they can't run.
        sbom_file: a syft-json catalogue of this image; without it, the one of this machine, made if it is missing.
        save: where to keep a copy of the report.

    Raises:
        ConfigError: a scanner, VEX document or `sbom_file` that won't do, and nothing was scanned; or `save` won't.
        PolicyViolation: the policy forbids what was found.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be scanned, or the policy needs what the database
            doesn't have, so nothing is known: never a pass.
    """
    vex = Vex([_read(path) for path in rules.vex], Image(image.registry, image.repository, image.digest))
    ignore = IgnoreRules(rules.ignore, session.started_at.date())
    age = rules.max_database_age
    done = facts(session, image, tools=tools, optional=optional, sbom_file=sbom_file, max_database_age=age)
    blind = _blind(done.reports, rules)
    decision = decide(done.findings, rules.policy, [vex, ignore], blind=blind)
    judged = Judged(rules.policy, ignore, vex, decision)
    path = session.folder(image) / REPORT
    content = canonical_bytes(document(image, done, judged, rules.max_database_age))
    write_file(path, content)
    saved = session.save(save, content, "application/json")
    if judged.decision.verdict == "fail":
        raise violation(image, done, judged, path)
    for warning in warnings(judged):
        session.warn(warning)
    return session.result(
        "scan",
        image,
        done.tool,
        outputs={
            **judged.decision.counts,
            "ignored": judged.decision.ignored,
            "verdict": judged.decision.verdict,
            "databaseBuilt": rfc3339(min(report.database.built for report in done.reports)),
            **({"platforms": ", ".join(done.platforms)} if done.platforms else {}),
            **({"scanners": ", ".join(report.scanner for report in done.reports)} if len(set(tools)) > 1 else {}),
        },
        artifacts=[session.artifact(path, content, "application/json"), *saved],
    )


def facts(
    session: Session,
    image: ImageReference,
    *,
    tools: Sequence[str] = DEFAULT_TOOLS,
    optional: Collection[str] = (),
    sbom_file: Path | None = None,
    max_database_age: str | None = None,
) -> Scanned:
    """What the scanners find, without any policy; each one's own report is kept.

    Raises:
        ConfigError: there is no such scanner, or `sbom_file` can't be read.
        VerificationFailed: `sbom_file` is another image's.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be scanned.
    """
    scanning = Scanning(session, tools, optional)
    given = _given(sbom_file, image) if sbom_file else None
    images = [("", image)] if given else sbom.images_of(session, image)

    def of(part: ImageReference) -> dict[str, Report]:
        return scanning.scan(
            lambda run: Target(part, lambda: given or sbom.ensure(run, part, SYFT).path, max_database_age)
        )

    found = [(part, of(part)) for _, part in images]
    # Only now it is known which scanners looked at all of them.
    each = [_scanned(session, part, [reports[name] for name in scanning.used], scanning) for part, reports in found]
    scanned = each[0] if len(each) == 1 else _scanned(session, image, _together(each), scanning, images)
    if any(SAMPLE_PROVIDER in report.database.providers for report in scanned.reports):
        session.warn(SAMPLE_WARNING)
    return scanned


def _scanned(
    session: Session,
    image: ImageReference,
    reports: Sequence[Report],
    scanning: Scanning,
    platforms: Sequence[tuple[str, ImageReference]] = (),
) -> Scanned:
    """What the scanners found in one image, or in all platforms' images of an index; kept as facts."""
    found = tuple(merge(finding for report in reports for finding in report.findings))
    uris = tuple(f"{SCANNERS[report.scanner].uri}@{report.version}" for report in reports)
    names = tuple(name for name, _ in platforms)
    tool, left_out = scanning.used[reports[0].scanner], dict(scanning.left_out)
    scanned = Scanned(tuple(reports), uris, found, tool, scanning.started, datetime.now(UTC), names, left_out)
    content = canonical_bytes(predicate(scanned))
    remember(session.environ, content)
    write_file(session.folder(image) / FACTS, content)
    return scanned


def _together(each: Sequence[Scanned]) -> list[Report]:
    """Each scanner's report over all platforms: what is in one of them counts."""
    return [
        replace(
            reports[0],
            findings=tuple(dict.fromkeys(found for report in reports for found in report.findings)),
            ignored=tuple(dict.fromkeys(found for report in reports for found in report.ignored)),
        )
        for reports in zip(*(scanned.reports for scanned in each), strict=True)
    ]


def last_predicate(session: Session, image: ImageReference) -> Json:
    """The last scan of this digest as cosign's vulnerability predicate: facts only, whatever the policy was.

    https://github.com/sigstore/cosign/blob/v3.1.3/specs/COSIGN_VULN_ATTESTATION_SPEC.md

    Raises:
        ToolMissing, InfrastructureError, NotAuthorised: this machine has no scan of it, and it couldn't be scanned.
    """
    path = session.folder(image) / FACTS
    try:
        content = path.read_bytes()
        recorded = parse_object(content, FACTS) if is_ours(session.environ, content) else {}
    except (OSError, InfrastructureError):
        recorded = {}
    scanner = recorded.get("scanner")
    if not isinstance(scanner, dict):
        facts(session, image)
        return parse_object(path.read_bytes(), FACTS)
    if SAMPLE_PROVIDER in str(cast("Json", scanner).get("db")):
        session.warn(SAMPLE_WARNING)
    return recorded


def _given(path: Path, image: ImageReference) -> Path:
    shown = printable(str(path), limit=200)
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"--sbom {shown}: not a regular file")
        catalogue = parse_object(path.read_bytes(), f"--sbom {shown}")
    except OSError as error:
        raise ConfigError(f"--sbom {shown}: {error.strerror}") from None
    if not is_about(catalogue, image):
        raise VerificationFailed(f"--sbom {shown}: not a syft-json catalogue of {image.digest}")
    return path


def _read(path: Path) -> Read:
    from sc_secure.policy.openvex import parse_document, read_content  # noqa: PLC0415 - light start

    shown = printable(path.as_posix(), limit=200)
    try:
        content = read_content(path)
        return Read(shown, hashlib.sha256(content).hexdigest(), parse_document(content))
    except OSError as error:
        raise ConfigError(f"--vex {shown}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"--vex {shown}: {printable(str(error), limit=600)}") from None


def _blind(reports: Sequence[Report], rules: Rules) -> dict[str, list[str]]:
    """An item of the policy -> the scanners whose databases don't know what it asks for.

    Raises:
        InfrastructureError: none has the KEV or EPSS data that the policy asks for.
    """
    known = {
        "scan.kev": [report.database.kev for report in reports] if rules.policy.kev else [],
        "scan.epssAbove": [report.database.epss for report in reports] if rules.policy.epss_above is not None else [],
    }
    for item, has in known.items():
        if has and not any(has):
            names = " and ".join(report.scanner for report in reports)
            raise InfrastructureError(
                f"{item}: the vulnerability database of {names} has no such data, so this can't be judged",
                advice="use a database whose providers include kev and epss (Anchore's does), or remove it",
            )
    return {
        item: [report.scanner for report, knows in zip(reports, has, strict=False) if not knows]
        for item, has in known.items()
    }
