"""Decides over findings: pure, quick, and the same whichever scanner found them.

No scanner's own flag decides: each counts otherwise, and none says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sc_secure.policy.severity import EVERY_WORD, Severity

Action = Literal["fail", "warn", "allow"]
Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One vulnerability in one version of one package."""

    id: str
    """As the scanner's database names it: `GHSA-…`, `CVE-…`."""
    severity: Severity
    package: str
    version: str
    kind: str = ""
    """The package's ecosystem: `python`, `deb`, `npm`, …"""
    aliases: tuple[str, ...] = ()
    """Other names of the same vulnerability, sorted."""
    fixed_in: tuple[str, ...] = ()
    """Versions that don't have it; empty: there is no fix."""
    purl: str = ""
    """The package URL (https://github.com/package-url/purl-spec)."""
    url: str = ""
    """Where the vulnerability is described."""

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        """Sorts findings: the worst first, then by name, so that a report is the same each time."""
        return (-self.severity, self.id, self.package, self.version, self.purl)


@dataclass(frozen=True)
class Policy:
    """What a scan may find."""

    fail_on: Severity
    """This severity and worse fail the scan."""
    warn_on: Severity | None = None
    """This severity and worse are warned about."""
    only_fixed: bool = False
    """True: a finding without a fix is counted, and never fails the scan."""


@dataclass(frozen=True)
class Decided:
    """A finding, and what the policy says to it."""

    finding: Finding
    action: Action
    reason: str
    """Why: the policy's item, by its path in the `security:` block."""


@dataclass(frozen=True)
class Decision:
    """What the policy says to all findings."""

    verdict: Verdict
    decided: tuple[Decided, ...]
    """Sorted: the worst first."""
    counts: dict[str, int]
    """Findings per severity, every word of `EVERY_WORD`."""

    def of(self, action: Action) -> list[Finding]:
        """The findings with that action, the worst first."""
        return [each.finding for each in self.decided if each.action == action]


def decide(findings: Sequence[Finding], policy: Policy) -> Decision:
    """What the policy says to these findings. Duplicates count once."""
    decided = tuple(_one(finding, policy) for finding in sorted(set(findings), key=lambda each: each.order))
    counts = dict.fromkeys(EVERY_WORD, 0)
    actions: set[Action] = set()
    for each in decided:
        counts[each.finding.severity.word] += 1
        actions.add(each.action)
    verdict: Verdict = "fail" if "fail" in actions else "warn" if "warn" in actions else "pass"
    return Decision(verdict, decided, counts)


def _one(finding: Finding, policy: Policy) -> Decided:
    severity = finding.severity
    if severity is Severity.UNKNOWN and policy.fail_on is not Severity.UNKNOWN:
        # It may be anything, so it is always seen; it fails only where the policy says so by `unknown`.
        return Decided(finding, "warn", "its severity is unknown")
    if severity >= policy.fail_on:
        if policy.only_fixed and not finding.fixed_in:
            return Decided(finding, "warn", f"scan.onlyFixed: no fix yet (else scan.failOn: {policy.fail_on.word})")
        return Decided(finding, "fail", f"scan.failOn: {policy.fail_on.word}")
    if policy.warn_on is not None and severity >= policy.warn_on:
        return Decided(finding, "warn", f"scan.warnOn: {policy.warn_on.word}")
    return Decided(finding, "allow", f"below scan.failOn: {policy.fail_on.word}")
