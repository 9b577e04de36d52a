"""Scans the image's catalogue for known vulnerabilities, and decides over what was found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from sc_secure.errors import ConfigError, InfrastructureError, PolicyViolation, VerificationFailed
from sc_secure.policy.decision import Decision, Finding, Policy, decide
from sc_secure.policy.severity import EVERY_WORD, Severity
from sc_secure.steps import sbom
from sc_secure.steps.canonical import canonical_bytes, is_about
from sc_secure.steps.formats import SYFT
from sc_secure.steps.result import StepResult, ToolUsed
from sc_secure.steps.session import Session, shown_path
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.grype import Grype
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.scanner import SAMPLE_PROVIDER, Report, Scanner
from sc_secure.tools.text import printable
from sc_secure.tools.workspace import write_file

SCHEMA = "https://sc-secure.dev/scan/v1"
REPORT = "scan.json"
"""The normalised report: what was found, and what was decided."""
FACTS = "scan.vuln.json"
"""The facts alone, as they are attested."""
SCANNERS = {"grype": Grype}
"""Each scanner's class, by the name that `--tool` takes."""
SAMPLE_WARNING = "a small sample vulnerability database was used, not a full one: much goes unseen"
_SHOWN = 8


@dataclass(frozen=True)
class Scanned:
    """What a scan found, before any policy."""

    report: Report
    tool: ToolUsed
    started_at: datetime
    finished_at: datetime


def scan(
    session: Session, image: ImageReference, policy: Policy, *, tool: str = "grype", sbom_file: Path | None = None
) -> StepResult:
    """The step `image scan`: writes the report, and only then gives the verdict.

    Args:
        session: the run.
        image: what to scan.
        policy: what may be found.
        tool: a name of `SCANNERS`.
        sbom_file: a syft-json catalogue of this image; without it, the one of this machine, made if it is missing.

    Raises:
        PolicyViolation: the policy forbids what was found.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be scanned, so nothing is known: never a pass.
    """
    done = facts(session, image, tool=tool, sbom_file=sbom_file)
    decision = decide(done.report.findings, policy)
    path = session.folder(image) / REPORT
    content = canonical_bytes(_document(image, done, policy, decision))
    write_file(path, content)
    if decision.verdict == "fail":
        raise _violation(image, done.report, policy, decision, path)
    unknown = [each for each in done.report.findings if each.severity is Severity.UNKNOWN]
    if unknown:
        names = ", ".join(sorted({_name(each) for each in unknown})[:5])
        more = ", …" if len(unknown) > 5 else ""  # noqa: PLR2004
        session.warn(f"{_findings(len(unknown))} of unknown severity: {names}{more}")
    known = [each for each in decision.of("warn") if each.severity is not Severity.UNKNOWN]
    if known:
        session.warn(f"{_findings(len(known))} to look at, the worst: {_name(known[0])} ({known[0].severity.word})")
    return session.result(
        "scan",
        image,
        done.tool,
        outputs={
            **decision.counts,
            "ignored": len(done.report.ignored),
            "verdict": decision.verdict,
            "databaseBuilt": _rfc3339(done.report.database.built),
        },
        artifacts=[session.artifact(path, content, "application/json")],
    )


def facts(session: Session, image: ImageReference, *, tool: str = "grype", sbom_file: Path | None = None) -> Scanned:
    """What a scanner finds, without any policy; the scanner's own report is kept.

    Raises:
        ConfigError: there is no such scanner, or `sbom_file` can't be read.
        VerificationFailed: `sbom_file` is another image's.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be scanned.
    """
    if tool not in SCANNERS:
        raise ConfigError(f"--tool {printable(tool, limit=40)}: unknown", advice=f"known: {', '.join(SCANNERS)}")
    used = session.use(tool)
    started = datetime.now(UTC)
    catalogue = _given(sbom_file, image) if sbom_file else sbom.ensure(session, image, SYFT).path
    raw = session.temp / f"scan.{tool}.json"
    scanner: Scanner = SCANNERS[tool](session.runner, session.environ, session.temp)
    report = scanner.scan(catalogue, raw)
    write_file(session.folder(image) / raw.name, raw.read_bytes())
    scanned = Scanned(report, used, started, datetime.now(UTC))
    write_file(session.folder(image) / FACTS, canonical_bytes(_predicate(scanned)))
    if SAMPLE_PROVIDER in report.database.providers:
        session.warn(SAMPLE_WARNING)
    return scanned


def last_predicate(session: Session, image: ImageReference) -> Json:
    """The last scan of this digest as cosign's vulnerability predicate: facts only, whatever the policy was.

    https://github.com/sigstore/cosign/blob/v3.1.3/specs/COSIGN_VULN_ATTESTATION_SPEC.md

    Raises:
        ToolMissing, InfrastructureError, NotAuthorised: this machine has no scan of it, and it couldn't be scanned.
    """
    path = session.folder(image) / FACTS
    try:
        document = parse_object(path.read_bytes(), FACTS)
    except (OSError, InfrastructureError):
        document = {}
    scanner = document.get("scanner")
    if not isinstance(scanner, dict):
        return _predicate(facts(session, image))
    if SAMPLE_PROVIDER in str(cast("Json", scanner).get("db")):
        session.warn(SAMPLE_WARNING)
    return document


def _predicate(scanned: Scanned) -> Json:
    report = scanned.report
    return {
        "invocation": {"parameters": None, "uri": "", "event_id": "", "builder.id": ""},
        "scanner": {
            "uri": f"pkg:github/anchore/{report.scanner}@{report.version}",
            "version": report.version,
            "db": {"uri": ",".join(report.database.providers), "version": _rfc3339(report.database.built)},
            "result": {"findings": [_finding(each) for each in report.findings]},
        },
        "metadata": {
            "scanStartedOn": _rfc3339(scanned.started_at),
            "scanFinishedOn": _rfc3339(scanned.finished_at),
        },
    }


def _given(path: Path, image: ImageReference) -> Path:
    shown = printable(str(path), limit=200)
    try:
        document = parse_object(path.read_bytes(), f"--sbom {shown}")
    except OSError as error:
        raise ConfigError(f"--sbom {shown}: {error.strerror}") from None
    if not is_about(document, image):
        raise VerificationFailed(f"--sbom {shown}: not a syft-json catalogue of {image.digest}")
    return path


def _document(image: ImageReference, done: Scanned, policy: Policy, decision: Decision) -> Json:
    report = done.report
    return {
        "schema": SCHEMA,
        "subject": image.subject,
        "scanner": {"name": report.scanner, "version": report.version},
        "database": {
            "built": _rfc3339(report.database.built),
            "schema": report.database.schema,
            "providers": list(report.database.providers),
        },
        "policy": {
            "failOn": policy.fail_on.word,
            "warnOn": policy.warn_on.word if policy.warn_on is not None else None,
            "onlyFixed": policy.only_fixed,
        },
        "verdict": decision.verdict,
        "counts": decision.counts,
        "findings": [
            {**_finding(each.finding), "action": each.action, "reason": each.reason} for each in decision.decided
        ],
        "ignored": [_finding(each) for each in report.ignored],
        "scannedAt": _rfc3339(done.finished_at),
    }


def _finding(finding: Finding) -> Json:
    fields = asdict(finding)
    return {
        **{name: fields[name] for name in ("id", "package", "version", "kind", "purl", "url")},
        "severity": finding.severity.word,
        "aliases": list(finding.aliases),
        "fixedIn": list(finding.fixed_in),
    }


def _violation(
    image: ImageReference, report: Report, policy: Policy, decision: Decision, path: Path
) -> PolicyViolation:
    """The verdict for a person, in at most a dozen lines: it ends up in the error of the engine."""
    failed = decision.of("fail")
    counts = ", ".join(f"{decision.counts[word]} {word}" for word in EVERY_WORD if decision.counts[word])
    rule = f"scan.failOn: {policy.fail_on.word}" + (", scan.onlyFixed" if policy.only_fixed else "")
    forbids = f"{rule} forbids {_findings(len(failed))} in {image.digest[:19]}…"
    lines = [f"{forbids} (found: {counts})"]
    for each in failed[:_SHOWN]:
        fixed = f"fixed in {', '.join(each.fixed_in[:3])}" if each.fixed_in else "no fix yet"
        aliases = f" ({', '.join(each.aliases[:2])})" if each.aliases else ""
        line = f"{each.severity.word:<9} {each.id}{aliases} {each.package} {each.version}: {fixed}"
        lines.append("  " + printable(line, limit=160))
    more = f"; {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    sample = " (a small sample database was used)" if SAMPLE_PROVIDER in report.database.providers else ""
    lines.append(f"  full report: {printable(shown_path(path), limit=300)}{more}{sample}")
    return PolicyViolation(
        "\n".join(lines),
        advice="update these packages and build again, or change the policy; until then nothing is signed",
    )


def _findings(count: int) -> str:
    return f"{count} finding" if count == 1 else f"{count} findings"


def _name(finding: Finding) -> str:
    return printable(f"{finding.id} in {finding.package}", limit=80)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
