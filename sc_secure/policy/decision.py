"""Decides over findings: pure, quick, and the same whichever scanner found them.

No scanner's own flag decides: each counts otherwise, and none says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from sc_secure.policy.finding import Finding
from sc_secure.policy.severity import EVERY_WORD, Severity

Action = Literal["fail", "warn", "allow", "ignore"]
Verdict = Literal["pass", "warn", "fail"]
_NOBODY: Mapping[str, Collection[str]] = {}


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of one scanner, besides those for all; the stricter counts."""

    fail_on: Severity | None = None
    warn_on: Severity | None = None


@dataclass(frozen=True)
class Policy:
    """What a scan may find."""

    fail_on: Severity
    """This severity and worse fail the scan."""
    warn_on: Severity | None = None
    """This severity and worse are warned about."""
    only_fixed: bool = False
    """True: a finding without a fix is counted, and never fails the scan by its severity."""
    tools: Mapping[str, Thresholds] = field(default_factory=dict[str, Thresholds])
    """A scanner's name -> its own thresholds, for what it found."""
    kev: bool = False
    """True: a finding that is known to be exploited fails the scan, whatever its severity."""
    epss_above: float | None = None
    """A finding whose EPSS probability is above this fails the scan, whatever its severity."""


class Exceptions(Protocol):
    """Findings that don't count, and why: ignore rules, VEX statements."""

    def why(self, finding: Finding) -> str | None:
        """Why this finding doesn't count, starting with the policy's item; None: nothing is said of it."""
        ...


class Decided(NamedTuple):
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
    """Findings per severity, every word of `EVERY_WORD`; those that are ignored aren't among them."""
    ignored: int
    """Findings that an exception takes out."""

    def of(self, action: Action) -> list[Decided]:
        """The findings with that action, the worst first."""
        return [each for each in self.decided if each.action == action]


def decide(
    merged: Iterable[Finding],
    policy: Policy,
    exceptions: Sequence[Exceptions] = (),
    *,
    blind: Mapping[str, Collection[str]] = _NOBODY,
) -> Decision:
    """What the policy says to these findings.

    Args:
        merged: what `merge` gave of all scanners' findings, so that none counts twice.
        policy: what may be found.
        exceptions: what doesn't count; the first one that speaks of a finding gives the reason.
        blind: an item of the policy (`scan.kev`) -> the scanners whose databases have no data for it. What they alone
            found is warned of, since it can't be judged by it.
    """
    judge = _Judge(policy, exceptions, blind)
    decided = tuple(map(judge.decided, merged))
    tally = Counter((each.action, each.finding.severity) for each in decided)
    counts = dict.fromkeys(EVERY_WORD, 0)
    for (action, severity), count in tally.items():
        counts[severity.word] += count if action != "ignore" else 0
    actions = {action for action, _ in tally}
    ignored = sum(count for (action, _), count in tally.items() if action == "ignore")
    verdict: Verdict = "fail" if "fail" in actions else "warn" if "warn" in actions else "pass"
    return Decision(verdict, decided, counts, ignored)


class _Judge:
    """Decides over one finding at a time."""

    def __init__(self, policy: Policy, exceptions: Sequence[Exceptions], blind: Mapping[str, Collection[str]]) -> None:
        self._policy = policy
        self._exceptions = exceptions
        self._blind = {item: scanners for item, scanners in blind.items() if scanners}
        own = {name: (each.fail_on, each.warn_on) for name, each in policy.tools.items()}
        self._fail_on = _Strictest("failOn", policy.fail_on, {name: each[0] for name, each in own.items()})
        self._warn_on = _Strictest("warnOn", policy.warn_on, {name: each[1] for name, each in own.items()})

    def decided(self, finding: Finding) -> Decided:
        for each in self._exceptions:
            why = each.why(finding)
            if why is not None:
                return Decided(finding, "ignore", why)
        if self._policy.kev and finding.known_exploited:
            return Decided(finding, "fail", "scan.kev: true")
        likely = self._policy.epss_above
        if likely is not None and finding.epss is not None and finding.epss > likely:
            return Decided(finding, "fail", f"scan.epssAbove: {likely:g}")
        return self._by_severity(finding)

    def _by_severity(self, finding: Finding) -> Decided:
        severity = finding.severity
        fail_on, failing = self._fail_on.of(finding)
        if severity is Severity.UNKNOWN and fail_on > Severity.UNKNOWN:
            # It may be anything, so it is always seen; it fails only where the policy says so by `unknown`.
            return Decided(finding, "warn", "its severity is unknown")
        if severity >= fail_on:
            if self._policy.only_fixed and not finding.fixed_in:
                return Decided(finding, "warn", f"scan.onlyFixed: no fix yet (else {failing})")
            return Decided(finding, "fail", failing)
        warn_on, warning = self._warn_on.of(finding)
        if severity >= warn_on:
            return Decided(finding, "warn", warning)
        return self._unseen(finding) or Decided(finding, "allow", f"below {failing}")

    def _unseen(self, finding: Finding) -> Decided | None:
        """It may be just what an item of the policy forbids, and nobody who found it can tell."""
        for item, scanners in self._blind.items():
            names = {source.scanner for source in finding.sources}
            if names and names.issubset(scanners):
                return Decided(finding, "warn", f"{item}: can't be judged: no data from {' and '.join(sorted(names))}")
        return None


class _Strictest:
    """The strictest threshold of one kind that holds for a finding, and the policy's item that says it."""

    def __init__(self, key: str, general: Severity | None, own: Mapping[str, Severity | None]) -> None:
        never = (len(Severity), "")
        self._general = (int(general), f"scan.{key}: {general.word}") if general is not None else never
        self._own = {
            name: (int(value), f"scan.tools.{name}.{key}: {value.word}")
            for name, value in own.items()
            if value is not None
        }

    def of(self, finding: Finding) -> tuple[int, str]:
        if not self._own:
            return self._general
        own = [self._own[source.scanner] for source in finding.sources if source.scanner in self._own]
        return min([self._general, *own], key=lambda each: each[0])
