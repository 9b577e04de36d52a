"""SARIF 2.1.0, for code-scanning systems: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.

The `§` in comments are that specification's.
"""

from __future__ import annotations

import hashlib
import json
import urllib.parse
from collections.abc import Sequence
from datetime import UTC, datetime

from sc_secure.policy.decision import Action
from sc_secure.policy.severity import Severity
from sc_secure.report.document import Finding, Release
from sc_secure.report.words import fixed, web_address
from sc_secure.tools.text import printable

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: dict[Action, str] = {"fail": "error", "warn": "warning", "allow": "note", "ignore": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "negligible": "0.1", "unknown": "0.0"}
"""A number in each of GitHub's bands: critical above 9.0, high from 7.0, medium from 4.0, low from 0.1.

https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""
_LONGEST = 1000


def write(release: Release) -> bytes:
    """The document as SARIF. Where only counts are known, the run has no `results`: none would mean "nothing found"."""
    findings = release.scan.findings if release.scan else None
    ordered = sorted(findings or [], key=lambda each: (-Severity.parse(each.severity), each.id, *_place(each)))
    rules = _rules(ordered)
    indexes = {rule["id"]: number for number, rule in enumerate(rules)}
    run: dict[str, object] = {
        "tool": {
            "driver": {"name": "sc-secure", "version": release.generator.version, "rules": rules},
            "extensions": [
                {
                    "name": each.name,
                    "version": each.version,
                    "properties": {"databaseBuilt": each.database_built, "providers": each.providers},
                }
                for each in (release.scan.scanners if release.scan else [])
            ],
        },
        "automationDetails": {"id": f"sc-secure/{urllib.parse.quote(release.repository, safe='/')}/"},
        "invocations": [_invocation(release)],
        "artifacts": [
            {
                "location": {"uri": _uri(release)},
                "hashes": {"sha-256": release.digest.removeprefix("sha256:")},
                "description": {"text": "A container image in its registry."},
            }
        ],
        "properties": {
            "subject": release.subject,
            "verdict": release.verdict,
            "counts": dict(release.scan.counts) if release.scan else {},
            "ignored": release.scan.ignored if release.scan else 0,
        },
    }
    if findings is not None:
        run["results"] = [_result(release, each, indexes[each.id]) for each in ordered]
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=2, sort_keys=True) + "\n").encode()


def _rules(findings: Sequence[Finding]) -> list[dict[str, object]]:
    """A rule for each vulnerability, sorted by name, with the severity of its worst finding."""
    worst: dict[str, Finding] = {}
    for finding in findings:  # the worst first
        worst.setdefault(finding.id, finding)
    return [_rule(worst[name]) for name in sorted(worst)]


def _rule(finding: Finding) -> dict[str, object]:
    names = f" (also {', '.join(finding.aliases[:5])})" if finding.aliases else ""
    about = _text(f"{finding.id}{names}: a known vulnerability of {finding.package}, {finding.severity}")
    rule: dict[str, object] = {
        "id": finding.id,
        "name": "KnownVulnerability",
        "shortDescription": {"text": about},
        "help": {"text": "Update the package and build the image again, or say in the policy why it doesn't count."},
        "properties": {
            "security-severity": _SCORES[finding.severity],
            "tags": ["security", "vulnerability", finding.severity],
        },
    }
    url = web_address(finding.url)
    return {**rule, "helpUri": url} if url else rule


def _result(release: Release, finding: Finding, index: int) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": _LEVELS[finding.action],
        "message": {"text": _message(finding)},
        "locations": [_location(release, finding)],
        "partialFingerprints": _fingerprints(release, finding),
        "properties": {
            "action": finding.action,
            "reason": finding.reason,
            "severity": finding.severity,
            "purl": finding.purl,
            "fixedIn": finding.fixed_in,
            "sources": [each.scanner for each in finding.sources],
        },
    }
    if finding.action == "ignore":
        # §3.35: decided outside of the source code, and accepted.
        accepted = {"kind": "external", "status": "accepted", "justification": printable(finding.reason)}
        result["suppressions"] = [accepted]
    return result


def _message(finding: Finding) -> str:
    remedy = f"fixed in {fixed(finding)}" if finding.fixed_in else "no fix yet"
    return _text(
        f"{finding.package} {finding.version} has {finding.id} ({finding.severity}): {remedy}. "
        f"Decision: {finding.action}, because of {finding.reason}."
    )


def _location(release: Release, finding: Finding) -> dict[str, object]:
    return {
        # An image has no lines; GitHub shows no result without one.
        "physicalLocation": {"artifactLocation": {"uri": _uri(release), "index": 0}, "region": {"startLine": 1}},
        "logicalLocations": [
            {
                "name": finding.package,
                "fullyQualifiedName": finding.purl or f"{finding.package}@{finding.version}",
                "kind": "package",
            }
        ],
    }


def _fingerprints(release: Release, finding: Finding) -> dict[str, str]:
    """The same for every build of the image (§3.27.17), so that an alert lives on until the package is another one."""
    parts = [release.repository, finding.id, *_place(finding)]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    # The second is the one name that GitHub looks at.
    return {"packageVulnerability/v1": digest, "primaryLocationLineHash": f"{digest[:16]}:1"}


def _place(finding: Finding) -> tuple[str, str]:
    """The package and its version, as `policy.finding` tells packages apart."""
    identity = finding.purl.partition("#")[0].partition("?")[0]
    return identity or f"{finding.kind}/{finding.package}", finding.version


def _invocation(release: Release) -> dict[str, object]:
    notes = [{"level": "warning", "message": {"text": _text(warning)}} for warning in release.warnings]
    invocation: dict[str, object] = {"executionSuccessful": release.verdict not in ("failed", "incomplete")}
    if release.failure:
        notes.append({"level": "error", "message": {"text": _text(release.failure.message)}})
        invocation["exitCode"] = release.failure.exit_code
    if release.started_at and release.finished_at:
        invocation |= {"startTimeUtc": _utc(release.started_at), "endTimeUtc": _utc(release.finished_at)}
    return {**invocation, "toolExecutionNotifications": notes}


def _uri(release: Release) -> str:
    """The image's name as a relative reference: with its colon, the registry's host would be a scheme (RFC 3986)."""
    return urllib.parse.quote(release.repository, safe="/")


def _text(text: str) -> str:
    """A message's plain text, in which nothing is a placeholder (§3.11.5) or a link (§3.11.6)."""
    shown = printable(text, limit=_LONGEST).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return shown.replace("{", "{{").replace("}", "}}")


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
