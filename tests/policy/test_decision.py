import time

import pytest

from sc_secure.policy.decision import Finding, Policy, decide
from sc_secure.policy.severity import EVERY_WORD, Severity


def finding(severity: str, fixed: str = "", name: str = "CVE-1", package: str = "p") -> Finding:
    return Finding(name, Severity.parse(severity), package, "1", fixed_in=(fixed,) if fixed else ())


@pytest.mark.parametrize("threshold", EVERY_WORD)
@pytest.mark.parametrize("found", EVERY_WORD)
def test_a_threshold_means_that_and_worse(threshold: str, found: str) -> None:
    decision = decide([finding(found)], Policy(Severity.parse(threshold)))
    if found == "unknown" and threshold != "unknown":
        assert decision.verdict == "warn"
    else:
        assert decision.verdict == ("fail" if EVERY_WORD.index(found) <= EVERY_WORD.index(threshold) else "pass")
    assert decision.counts == {word: int(word == found) for word in EVERY_WORD}


@pytest.mark.parametrize(
    ("found", "policy", "action", "reason"),
    [
        (finding("high"), Policy(Severity.HIGH), "fail", "scan.failOn: high"),
        (finding("high"), Policy(Severity.CRITICAL, Severity.HIGH), "warn", "scan.warnOn: high"),
        (finding("low"), Policy(Severity.CRITICAL, Severity.HIGH), "allow", "below scan.failOn: critical"),
        (finding("high"), Policy(Severity.HIGH, only_fixed=True), "warn", "scan.onlyFixed"),
        (finding("high", "2"), Policy(Severity.HIGH, only_fixed=True), "fail", "scan.failOn: high"),
        (finding("odd"), Policy(Severity.CRITICAL), "warn", "unknown"),
        (finding("odd"), Policy(Severity.UNKNOWN), "fail", "scan.failOn: unknown"),
    ],
)
def test_each_decision_has_its_reason(found: Finding, policy: Policy, action: str, reason: str) -> None:
    (decided,) = decide([found], policy).decided
    assert decided.action == action
    assert reason in decided.reason


def test_the_worst_first_and_duplicates_once() -> None:
    low, high = finding("low", name="A"), finding("high", name="B")
    decision = decide([low, high, low], Policy(Severity.CRITICAL))
    assert [each.finding for each in decision.decided] == [high, low]
    assert decision.of("allow") == [high, low]
    assert decision.verdict == "pass"


def test_nothing_found_passes() -> None:
    assert decide([], Policy(Severity.NEGLIGIBLE)).verdict == "pass"


def test_many_findings_are_quick() -> None:
    many = [finding(EVERY_WORD[n % 6], name=f"CVE-{n}") for n in range(100_000)]
    began = time.process_time()
    assert decide(many, Policy(Severity.HIGH)).verdict == "fail"
    assert time.process_time() - began < 2
