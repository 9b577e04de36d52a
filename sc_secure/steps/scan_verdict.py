"""What a person is told of a scan: the verdict of a few lines, and the warnings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sc_secure.errors import PolicyViolation
from sc_secure.policy.decision import Decided
from sc_secure.policy.severity import EVERY_WORD, Severity
from sc_secure.steps.scan_report import Judged, Scanned
from sc_secure.steps.session import shown_path
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.scanner import SAMPLE_PROVIDER
from sc_secure.tools.text import printable

_SHOWN = 8
_NAMED = 5


def violation(image: ImageReference, done: Scanned, judged: Judged, path: Path) -> PolicyViolation:
    """The verdict for a person, in at most a dozen lines: it ends up in the error of the engine.

    Args:
        image: what was scanned.
        done: what was found.
        judged: what the policy says to it.
        path: the full report.
    """
    decision = judged.decision
    failed = decision.of("fail")
    counts = ", ".join(f"{decision.counts[word]} {word}" for word in EVERY_WORD if decision.counts[word])
    if decision.ignored:
        counts += f"; {decision.ignored} ignored"
    rules = list(dict.fromkeys(each.reason for each in failed))
    verb = "forbids" if len(rules) == 1 else "forbid"
    rules += ["scan.onlyFixed"] if judged.policy.only_fixed else []
    forbids = f"{', '.join(rules)} {verb} {_findings(len(failed))} in {image.digest[:19]}…"
    lines = [f"{forbids} (found: {counts})", *(f"  {_line(each)}" for each in failed[:_SHOWN])]
    matching = (rule for each in failed for rule in judged.ignore.matching(each.finding))
    expired = _some(f"{rule.what} ({rule.expires})" for rule in dict.fromkeys(matching))
    lines += [f"  scan.ignore, expired: {expired}"] if expired else []
    more = f"; {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    sampled = any(SAMPLE_PROVIDER in report.database.providers for report in done.reports)
    sample = " (a small sample database was used)" if sampled else ""
    lines.append(f"  full report: {printable(shown_path(path), limit=300)}{more}{sample}")
    return PolicyViolation(
        "\n".join(lines),
        advice="update these packages and build again, or change the policy; until then nothing is signed",
    )


def warnings(judged: Judged) -> list[str]:
    """What is to be looked at though the scan passes, and the ignore rules that do nothing any more."""
    warned = judged.decision.of("warn")
    unknown = [each for each in warned if each.finding.severity is Severity.UNKNOWN]
    known = [each for each in warned if each.finding.severity is not Severity.UNKNOWN]
    found: list[str] = []
    if unknown:
        found.append(
            f"{_findings(len(unknown))} of unknown severity: {_some(sorted({_name(each) for each in unknown}))}"
        )
    if known:
        worst = f"{_name(known[0])} ({known[0].finding.severity.word})"
        found.append(f"{_findings(len(known))} to look at, the worst: {worst}")
    expired = judged.ignore.expired()
    if expired:
        names = _some(f"{rule.what} ({rule.expires})" for rule in expired)
        found.append(f"scan.ignore: expired, and no longer counted: {names}; look again, or remove it")
    matches = judged.ignore.matches(each.finding for each in judged.decision.decided)
    idle = [rule for rule, count in matches.items() if not count and rule not in expired]
    if idle:
        found.append(f"scan.ignore: matches nothing that was found: {_some(rule.what for rule in idle)}; remove it")
    return found


def _line(decided: Decided) -> str:
    """One finding: `high      GHSA-… (CVE-…) sqlparse 0.4.4: fixed in 0.5.0`."""
    each = decided.finding
    fixed = f"fixed in {', '.join(each.fixed_in[:3])}" if each.fixed_in else "no fix yet"
    aliases = f" ({', '.join(each.aliases[:2])})" if each.aliases else ""
    exploited = " [known to be exploited]" if each.known_exploited else ""
    likely = f" [EPSS {each.epss:.2f}]" if each.epss is not None and "epssAbove" in decided.reason else ""
    line = f"{each.severity.word:<9} {each.id}{aliases} {each.package} {each.version}: {fixed}{exploited}{likely}"
    return printable(line, limit=200)


def _some(names: Iterable[str]) -> str:
    """The first few, on one line."""
    every = list(names)
    shown = ", ".join(printable(name, limit=100) for name in every[:_NAMED])
    return f"{shown}, and {len(every) - _NAMED} more" if len(every) > _NAMED else shown


def _findings(count: int) -> str:
    return f"{count} finding" if count == 1 else f"{count} findings"


def _name(decided: Decided) -> str:
    return printable(f"{decided.finding.id} in {decided.finding.package}", limit=80)
