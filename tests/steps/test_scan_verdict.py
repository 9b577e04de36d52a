"""What a person is told of a scan, to the letter: the verdict, which an engine shows as its error, and the warnings."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from sc_secure.policy.decision import Policy, decide
from sc_secure.policy.finding import Finding, merge
from sc_secure.policy.ignore import IgnoreRules
from sc_secure.policy.ignore_rule import parse_rule
from sc_secure.policy.severity import Severity
from sc_secure.policy.vex import Vex
from sc_secure.steps.result import ToolUsed
from sc_secure.steps.scan_report import Judged, Scanned
from sc_secure.steps.scan_verdict import violation, warnings
from sc_secure.tools.reference import parse_reference
from sc_secure.tools.scanner import SAMPLE_PROVIDER, Database, Report

IMAGE = parse_reference(f"registry.example/team/app@sha256:{'a' * 64}")
TODAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
ADVICE = "update these packages and build again, or change the policy; until then nothing is signed"


def found(number: int, severity: str = "high", **more: Any) -> Finding:
    return Finding(f"CVE-{number}", Severity.parse(severity), f"p{number}", "1", **more)


def judged(findings: list[Finding], *rules: str, policy: Policy | None = None) -> Judged:
    policy = policy or Policy(Severity.HIGH)
    ignore = IgnoreRules([parse_rule(rule) for rule in rules], TODAY)
    return Judged(policy, ignore, cast(Vex, None), decide(merge(findings), policy, [ignore]))


def scanned(*providers: str) -> Scanned:
    """Of two scanners, of which one used a database of these providers."""
    reports = [
        Report(name, "1", Database(NOW, "v6", from_), (), ())
        for name, from_ in (("trivy", ("nvd",)), ("grype", providers))
    ]
    return Scanned(tuple(reports), (), (), ToolUsed("grype", "1"), NOW, NOW)


def verdict(about: Judged, *providers: str, path: Path = Path("scan.json")) -> list[str]:
    told = violation(IMAGE, scanned(*providers), about, path)
    assert told.advice == ADVICE
    return told.message.splitlines()


def test_everything_that_a_verdict_can_say() -> None:
    findings = [
        Finding(
            "GHSA-1",
            Severity.CRITICAL,
            "one",
            "1.0",
            aliases=("CVE-11", "GHSA-12", "GHSA-13"),
            fixed_in=("1.1", "1.2", "1.3", "1.4"),
            known_exploited=True,
            epss=0.9,
        ),
        Finding("GHSA-2", Severity.CRITICAL, "two", "2.0", epss=0.256),
        Finding("GHSA-3", Severity.HIGH, "three", "3.0", fixed_in=("3.1",), epss=0.1),
        Finding("GHSA-4", Severity.HIGH, "four", "4.0", fixed_in=("4.1",)),
        Finding("GHSA-5", Severity.HIGH, "five", "5.0"),
        Finding("GHSA-6", Severity.MEDIUM, "six", "6.0"),
        Finding("GHSA-7", Severity.LOW, "seven", "7.0"),
    ]
    about = judged(
        findings,
        "GHSA-4 in four until 2026-01-01: looked at",
        "GHSA-6 until 2027-01-01: isn't reached",
        policy=Policy(Severity.HIGH, only_fixed=True, kev=True, epss_above=0.2),
    )
    assert verdict(about, "nvd", SAMPLE_PROVIDER) == [
        "scan.kev: true, scan.epssAbove: 0.2, scan.failOn: high, scan.onlyFixed forbid 4 findings in "
        "sha256:aaaaaaaaaaaa… (found: 2 critical, 3 high, 1 low; 1 ignored)",
        "  critical  GHSA-1 (CVE-11, GHSA-12) one 1.0: fixed in 1.1, 1.2, 1.3 [known to be exploited]",
        "  critical  GHSA-2 two 2.0: no fix yet [EPSS 0.26]",
        "  high      GHSA-3 three 3.0: fixed in 3.1",
        "  high      GHSA-4 four 4.0: fixed in 4.1",
        "  scan.ignore, expired: GHSA-4 in four (2026-01-01)",
        "  full report: scan.json (a small sample database was used)",
    ]


def test_the_least_that_a_verdict_says() -> None:
    assert verdict(judged([found(1)])) == [
        "scan.failOn: high forbids 1 finding in sha256:aaaaaaaaaaaa… (found: 1 high)",
        "  high      CVE-1 p1 1: no fix yet",
        "  full report: scan.json",
    ]


@pytest.mark.parametrize(("count", "more"), [(8, ""), (9, "; 1 more"), (12, "; 4 more")])
def test_eight_findings_are_shown_and_the_others_counted(count: int, more: str) -> None:
    told = verdict(judged([found(10 + number) for number in range(count)]))
    assert [line.split()[1] for line in told[1:-1]] == [f"CVE-{10 + number}" for number in range(8)]
    assert told[-1] == f"  full report: scan.json{more}"


def test_nothing_in_a_verdict_is_longer_than_its_line() -> None:
    (_, line, report) = verdict(judged([found(1, fixed_in=("x" * 300,))]), path=Path("p" * 400))
    assert line == f"  {('high      CVE-1 p1 1: fixed in ' + 'x' * 300)[:200]}…"
    assert report == f"  full report: {'p' * 300}…"


def test_an_expired_rule_is_named_once_and_few_of_many() -> None:
    rules = [f"CVE-{number} until 2026-01-0{number}: x" for number in range(1, 8)]
    twice = [found(number) for number in range(1, 8)] + [found(1)._replace(package="other")]
    expired = [f"CVE-{number} (2026-01-0{number})" for number in range(1, 6)]
    assert verdict(judged(twice, *rules))[-2] == f"  scan.ignore, expired: {', '.join(expired)}, and 2 more"
    assert verdict(judged(twice, *rules[:5]))[-2] == f"  scan.ignore, expired: {', '.join(expired)}"


def test_nothing_to_warn_of() -> None:
    assert warnings(judged([found(1, "low")])) == []
    assert warnings(judged([found(1)], "CVE-1 until 2027-01-01: x")) == []


def test_what_is_to_be_looked_at_though_the_scan_passes() -> None:
    findings = [
        found(1, "medium"),
        found(2, "low"),
        found(3, "odd"),
        found(4, "odd")._replace(id="CVE-2b"),
        found(5, "odd")._replace(package="p4"),
    ]
    assert warnings(judged(findings, policy=Policy(Severity.HIGH, warn_on=Severity.LOW))) == [
        "3 findings of unknown severity: CVE-2b in p4, CVE-3 in p3, CVE-5 in p4",
        "2 findings to look at, the worst: CVE-1 in p1 (medium)",
    ]
    assert warnings(judged([found(1, "odd")])) == ["1 finding of unknown severity: CVE-1 in p1"]
    assert warnings(judged([found(1, "low")], policy=Policy(Severity.HIGH, warn_on=Severity.LOW))) == [
        "1 finding to look at, the worst: CVE-1 in p1 (low)"
    ]


def test_rules_that_do_nothing_any_more() -> None:
    """An expired one that matches nothing is told of as expired alone."""
    about = judged(
        [found(1), found(2, "low")],
        "CVE-1 until 2026-01-01: x",
        "CVE-2 until 2026-11-30: x",
        "CVE-8 until 2026-01-02: x",
        "CVE-9 in p9@1 until 2027-01-01: x",
    )
    assert warnings(about) == [
        "scan.ignore: expired, and no longer counted: CVE-1 (2026-01-01), CVE-2 (2026-11-30), CVE-8 (2026-01-02); "
        "look again, or remove it",
        "scan.ignore: matches nothing that was found: CVE-9 in p9@1; remove it",
    ]


def test_names_are_short_in_a_warning() -> None:
    (unknown,) = warnings(judged([found(1, "odd")._replace(package="p" * 200)]))
    assert unknown == f"1 finding of unknown severity: {('CVE-1 in ' + 'p' * 200)[:80]}…"
    (idle,) = warnings(judged([], f"CVE-9 in {'p' * 110} until 2027-01-01: x"))
    assert idle == f"scan.ignore: matches nothing that was found: {('CVE-9 in ' + 'p' * 110)[:100]}…; remove it"
