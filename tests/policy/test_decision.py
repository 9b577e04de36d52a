import subprocess
import sys
import time

import pytest

from sc_secure.policy.decision import Policy, Thresholds, decide
from sc_secure.policy.finding import Finding, Source, merge
from sc_secure.policy.severity import EVERY_WORD, Severity


def finding(severity: str, fixed: str = "", name: str = "CVE-1", package: str = "p", **more: object) -> Finding:
    return Finding(name, Severity.parse(severity), package, "1", fixed_in=(fixed,) if fixed else (), **more)  # type: ignore[arg-type]


def found_by(*scanners: str) -> tuple[Source, ...]:
    return tuple(Source(scanner, "CVE-1", Severity.HIGH) for scanner in scanners)


def test_the_order_of_the_severities() -> None:
    assert [severity.word for severity in sorted(Severity, reverse=True)] == list(EVERY_WORD)
    assert sorted(Severity) == list(range(len(EVERY_WORD)))
    assert Severity.parse("hIgH") is Severity.HIGH


class Excepted:
    """Takes out what it names."""

    def __init__(self, name: str, reason: str) -> None:
        self._name, self._reason = name, reason

    def why(self, finding: Finding) -> str | None:
        return self._reason if finding.id == self._name else None


@pytest.mark.parametrize("threshold", EVERY_WORD)
@pytest.mark.parametrize("found", EVERY_WORD)
def test_a_threshold_means_that_and_worse(threshold: str, found: str) -> None:
    decision = decide([finding(found)], Policy(Severity.parse(threshold)))
    if found == "unknown" and threshold != "unknown":
        assert decision.verdict == "warn"
    else:
        assert decision.verdict == ("fail" if EVERY_WORD.index(found) <= EVERY_WORD.index(threshold) else "pass")
    assert decision.counts == {word: int(word == found) for word in EVERY_WORD}


OWN = {"one": Thresholds(Severity.HIGH), "two": Thresholds(Severity.LOW, Severity.NEGLIGIBLE)}
EXPLOITED = {"known_exploited": True}


@pytest.mark.parametrize(
    ("found", "policy", "action", "reason"),
    [
        (finding("high"), Policy(Severity.HIGH), "fail", "scan.failOn: high"),
        (finding("high"), Policy(Severity.CRITICAL, Severity.HIGH), "warn", "scan.warnOn: high"),
        (finding("low"), Policy(Severity.CRITICAL, Severity.HIGH), "allow", "below scan.failOn: critical"),
        (
            finding("high"),
            Policy(Severity.HIGH, only_fixed=True),
            "warn",
            "scan.onlyFixed: no fix yet (else scan.failOn: high)",
        ),
        (finding("high", "2"), Policy(Severity.HIGH, only_fixed=True), "fail", "scan.failOn: high"),
        (finding("odd"), Policy(Severity.CRITICAL), "warn", "its severity is unknown"),
        (finding("odd"), Policy(Severity.UNKNOWN), "fail", "scan.failOn: unknown"),
        # a scanner's own thresholds, for what it found
        (
            finding("high", sources=found_by("one")),
            Policy(Severity.CRITICAL, tools=OWN),
            "fail",
            "scan.tools.one.failOn: high",
        ),
        (
            finding("low", sources=found_by("one")),
            Policy(Severity.CRITICAL, tools=OWN),
            "allow",
            "below scan.tools.one.failOn: high",
        ),
        (
            finding("low", sources=found_by("one", "two")),
            Policy(Severity.CRITICAL, tools=OWN),
            "fail",
            "scan.tools.two.failOn: low",
        ),
        (
            finding("high", sources=found_by("other")),
            Policy(Severity.CRITICAL, tools=OWN),
            "allow",
            "below scan.failOn: critical",
        ),
        (finding("high", sources=found_by("one")), Policy(Severity.MEDIUM, tools=OWN), "fail", "scan.failOn: medium"),
        (
            finding("negligible", sources=found_by("two")),
            Policy(Severity.HIGH, tools=OWN),
            "warn",
            "scan.tools.two.warnOn: negligible",
        ),
        (
            finding("odd", sources=found_by("one")),
            Policy(Severity.HIGH, tools={"one": Thresholds(Severity.UNKNOWN)}),
            "fail",
            "scan.tools.one.failOn: unknown",
        ),
        # whatever the severity, and whether or not there is a fix
        (finding("low", **EXPLOITED), Policy(Severity.CRITICAL, only_fixed=True, kev=True), "fail", "scan.kev: true"),
        (finding("odd", **EXPLOITED), Policy(Severity.CRITICAL, kev=True), "fail", "scan.kev: true"),
        (finding("low", **EXPLOITED), Policy(Severity.CRITICAL), "allow", "below scan.failOn: critical"),
        (finding("low", epss=0.51), Policy(Severity.CRITICAL, epss_above=0.5), "fail", "scan.epssAbove: 0.5"),
        (finding("low", epss=0.5), Policy(Severity.CRITICAL, epss_above=0.5), "allow", "below scan.failOn: critical"),
        (finding("low", epss=0.01), Policy(Severity.CRITICAL, epss_above=0), "fail", "scan.epssAbove: 0"),
        (finding("low"), Policy(Severity.CRITICAL, epss_above=0), "allow", "below scan.failOn: critical"),
    ],
)
def test_each_decision_has_its_reason(found: Finding, policy: Policy, action: str, reason: str) -> None:
    (decided,) = decide([found], policy).decided
    assert decided.action == action
    assert decided.reason == reason


@pytest.mark.parametrize(
    ("found", "blind", "action", "reason"),
    [
        (("two",), {"scan.kev": ["two"]}, "warn", "scan.kev: can't be judged: no data from two"),
        (
            ("two",),
            {"scan.kev": [], "scan.epssAbove": ["two"]},
            "warn",
            "scan.epssAbove: can't be judged: no data from two",
        ),
        (("two", "one"), {"scan.kev": ["one", "two"]}, "warn", "scan.kev: can't be judged: no data from one and two"),
        ((), {"scan.kev": ["two"]}, "allow", "below scan.failOn: high"),
        (("one", "two"), {"scan.kev": ["two"]}, "allow", "below scan.failOn: high"),
        (("one",), {"scan.kev": ["two"]}, "allow", "below scan.failOn: high"),
        (("one",), {"scan.kev": []}, "allow", "below scan.failOn: high"),
    ],
)
def test_what_a_blind_scanner_alone_found_is_warned_of(
    found: tuple[str, ...], blind: dict[str, list[str]], action: str, reason: str
) -> None:
    (decided,) = decide(
        [finding("low", sources=found_by(*found))], Policy(Severity.HIGH, kev=True), blind=blind
    ).decided
    assert (decided.action, decided.reason) == (action, reason)
    # A reason to fail stays one, and so does an exception.
    (decided,) = decide([finding("high", sources=found_by(*found))], Policy(Severity.HIGH), blind=blind).decided
    assert decided.action == "fail"
    exceptions = [Excepted("CVE-1", "why")]
    (decided,) = decide(
        [finding("low", sources=found_by(*found))], Policy(Severity.HIGH), exceptions, blind=blind
    ).decided
    assert decided.action == "ignore"


def test_an_exception_takes_out_everything_and_is_counted() -> None:
    findings = [finding("critical", name="A", **EXPLOITED), finding("odd", name="B"), finding("low", name="C")]
    policy = Policy(Severity.HIGH, kev=True)
    exceptions = [Excepted("A", "first"), Excepted("A", "second"), Excepted("B", "other")]
    decision = decide(merge(findings), policy, exceptions)
    assert [(each.finding.id, each.action, each.reason) for each in decision.decided] == [
        ("A", "ignore", "first"),
        ("C", "allow", "below scan.failOn: high"),
        ("B", "ignore", "other"),
    ]
    assert (decision.verdict, decision.ignored, sum(decision.counts.values())) == ("pass", 2, 1)
    assert decide(merge(findings), policy, exceptions[2:]).verdict == "fail"


def test_the_worst_first_and_duplicates_once() -> None:
    low, high = finding("low", name="A"), finding("high", name="B")
    decision = decide(merge([low, high, low]), Policy(Severity.CRITICAL))
    assert [each.finding for each in decision.decided] == [high, low]
    assert [each.finding for each in decision.of("allow")] == [high, low]
    assert decision.verdict == "pass"


def test_nothing_found_passes() -> None:
    assert decide([], Policy(Severity.NEGLIGIBLE)).verdict == "pass"


LINEAR = 20
"""Seconds of CPU: ten times what it takes, so that a busy machine fails nothing; what is quadratic takes minutes."""


def test_many_findings_are_quick() -> None:
    many = [finding(EVERY_WORD[n % 6], name=f"CVE-{n}") for n in range(100_000)]
    began = time.process_time()
    assert decide(merge(many), Policy(Severity.HIGH)).verdict == "fail"
    assert time.process_time() - began < LINEAR


LARGE = """
import time
from datetime import date
from sc_secure.policy.decision import Policy, Thresholds, decide
from sc_secure.policy.finding import Finding, Source, merge
from sc_secure.policy.ignore import IgnoreRules
from sc_secure.policy.ignore_rule import IgnoreRule
from sc_secure.policy.severity import EVERY_WORD, Severity

def found(scanner, n, name, other):
    severity = Severity.parse(EVERY_WORD[n % 6])
    return Finding(name, severity, f"p{n % 500}", "1", "deb", (other,), ("2",), f"pkg:deb/debian/p{n % 500}@1?arch=x",
                   sources=(Source(scanner, name, severity),))

# Two scanners that know each vulnerability by other names: 50,000 findings once merged.
names = [(f"CVE-2024-{n}", f"GHSA-{n}") for n in range(50_000)]
many = [found("one", n, *pair) for n, pair in enumerate(names)]
many += [found("two", n, *pair[::-1]) for n, pair in enumerate(names)]
rules = [IgnoreRule(id=f"GHSA-{n}", reason="r", expires="2030-01-01") for n in range(100)]
policy = Policy(Severity.HIGH, tools={"one": Thresholds(Severity.LOW)}, kev=True, epss_above=0.5)
began = time.process_time()
decision = decide(merge(many), policy, [IgnoreRules(rules, date(2026, 1, 1))])
seconds = time.process_time() - began
# Not getrusage's ru_maxrss: the kernel hands a child the peak of the process that started it, the test runner's here.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, peak, len(decision.decided), decision.ignored)
"""


def test_many_findings_of_two_scanners_are_quick_and_small() -> None:
    done = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True, timeout=120)
    seconds, kibibytes, count, ignored = done.stdout.split()
    assert (count, ignored) == ("50000", "100")
    assert float(seconds) < LINEAR
    assert int(kibibytes) < 300 * 1024
