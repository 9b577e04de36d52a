"""A scan's documents: `scan.json`, with what was decided and why, and the facts alone, as they are attested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sc_secure.policy.decision import Decision, Policy
from sc_secure.policy.finding import Finding, in_order
from sc_secure.policy.ignore import IgnoreRules
from sc_secure.policy.vex import Vex
from sc_secure.steps.canonical import rfc3339
from sc_secure.steps.result import ToolUsed
from sc_secure.tools.documents import Json
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.scanner import Report

SCHEMA = "https://sc-secure.dev/scan/v1"
REPORT = "scan.json"
"""The normalised report: what was found, and what was decided."""
FACTS = "scan.vuln.json"
"""The facts alone, as they are attested."""
SAMPLE_WARNING = "a small sample vulnerability database was used, not a full one: much goes unseen"


@dataclass(frozen=True)
class Scanned:
    """What a scan found, before any policy."""

    reports: tuple[Report, ...]
    """Each scanner's."""
    uris: tuple[str, ...]
    """Each scanner, as a package URL with its version."""
    findings: tuple[Finding, ...]
    """Those of all scanners, merged."""
    tool: ToolUsed
    started_at: datetime
    finished_at: datetime
    platforms: tuple[str, ...] = ()
    """Of an index: the platforms whose images were scanned."""
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    """The scanners that aren't required and couldn't run, and why."""


@dataclass(frozen=True)
class Judged:
    """What the policy, its ignore rules and its VEX documents say to a scan."""

    policy: Policy
    ignore: IgnoreRules
    vex: Vex
    decision: Decision


def predicate(scanned: Scanned) -> Json:
    """The facts as cosign's vulnerability predicate, which knows one scanner: the first one; the result names all.

    It is for `canonical_bytes`, as `document` is.
    """
    from sc_secure.steps.spelled import spelled_findings  # noqa: PLC0415 - light start

    first = scanned.reports[0]
    return {
        "invocation": {"parameters": None, "uri": "", "event_id": "", "builder.id": ""},
        "scanner": {
            "uri": scanned.uris[0],
            "version": first.version,
            "db": {"uri": ",".join(first.database.providers), "version": rfc3339(first.database.built)},
            "result": {
                "scanners": [_scanner(report) for report in scanned.reports],
                "findings": spelled_findings(scanned.findings),
            },
        },
        "metadata": {
            "scanStartedOn": rfc3339(scanned.started_at),
            "scanFinishedOn": rfc3339(scanned.finished_at),
        },
    }


def document(image: ImageReference, done: Scanned, judged: Judged, max_database_age: str | None) -> Json:
    """The report: the scanners, the whole policy, and every finding with what was decided and why."""
    from sc_secure.steps.spelled import spelled_decided, spelled_findings  # noqa: PLC0415 - light start

    decision = judged.decision
    ignored = (each for report in done.reports for each in in_order(report.ignored))
    return {
        "schema": SCHEMA,
        "subject": image.subject,
        **({"platforms": list(done.platforms)} if done.platforms else {}),
        "scanners": [_scanner(report) for report in done.reports],
        "leftOut": [{"name": name, "reason": reason} for name, reason in done.left_out.items()],
        "policy": {**_policy(judged, done), "maxDatabaseAge": max_database_age},
        "verdict": decision.verdict,
        "counts": decision.counts,
        "ignored": decision.ignored,
        "findings": spelled_decided(decision.decided),
        "ignoredByScanner": spelled_findings(ignored),
        "scannedAt": rfc3339(done.finished_at),
    }


def _scanner(report: Report) -> Json:
    database = report.database
    return {
        "name": report.scanner,
        "version": report.version,
        "database": {
            "built": rfc3339(database.built),
            "schema": database.schema,
            "providers": list(database.providers),
        },
    }


def _policy(judged: Judged, done: Scanned) -> Json:
    policy = judged.policy
    expired, matches = judged.ignore.expired(), judged.ignore.matches(done.findings)
    cleared = judged.vex.clears(done.findings)
    return {
        "failOn": policy.fail_on.word,
        "warnOn": policy.warn_on.word if policy.warn_on is not None else None,
        "onlyFixed": policy.only_fixed,
        "tools": {
            name: {
                "failOn": own.fail_on.word if own.fail_on is not None else None,
                "warnOn": own.warn_on.word if own.warn_on is not None else None,
            }
            for name, own in policy.tools.items()
        },
        "kev": policy.kev,
        "epssAbove": policy.epss_above,
        "ignore": [
            {**rule.model_dump(), "expired": rule in expired, "matched": matches[rule]} for rule in judged.ignore.rules
        ],
        "vex": [
            {"path": each.path, "sha256": each.sha256, "cleared": cleared[each.path]} for each in judged.vex.documents
        ],
    }
