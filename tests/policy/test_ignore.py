"""Ignore rules: what they say, how they stand in a command, and when they stop counting."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc_secure.errors import ConfigError
from sc_secure.policy.finding import Finding
from sc_secure.policy.ignore import IgnoreRules
from sc_secure.policy.ignore_rule import MAX_REASON, MAX_RULES, IgnoreRule, parse_rule
from sc_secure.policy.security import parse_security
from sc_secure.policy.severity import Severity

TODAY = date(2026, 11, 24)
FOUND = Finding("GHSA-2m57-hf25-phgg", Severity.HIGH, "sqlparse", "0.4.4", aliases=("CVE-2024-4340",))


def rule(**changes: str | None) -> IgnoreRule:
    values = {"id": "CVE-2024-4340", "reason": "only at build time", "expires": "2026-12-01"} | changes
    return IgnoreRule.model_validate({key: value for key, value in values.items() if value is not None})


@pytest.mark.parametrize(
    ("given_rule", "counts"),
    [
        (rule(), True),
        (rule(id="GHSA-2m57-hf25-phgg"), True),
        (rule(id="ghsa-2M57-hf25-phgg"), True),
        (rule(package="sqlparse"), True),
        (rule(package="sqlparse@0.4.4"), True),
        (rule(package="sqlparse@0.4.5"), False),
        (rule(package="sqlpars"), False),
        (rule(id="CVE-2024-434"), False),
        (rule(expires="2026-11-25"), True),
        (rule(expires="2026-11-24"), False),
        (rule(expires="2020-01-01"), False),
    ],
)
def test_what_a_rule_ignores(given_rule: IgnoreRule, *, counts: bool) -> None:
    why = IgnoreRules([given_rule], TODAY).why(FOUND)
    assert (why == f"scan.ignore: {given_rule.flag}") if counts else (why is None)


def test_aliases_the_other_way_round() -> None:
    found = Finding("CVE-2024-4340", Severity.HIGH, "sqlparse", "0.4.4", aliases=("GHSA-2m57-hf25-phgg",))
    assert IgnoreRules([rule(id="GHSA-2m57-hf25-phgg")], TODAY).why(found)


def test_a_rule_for_one_of_several_cves_ignores_no_advisory_of_all() -> None:
    found = Finding("ALAS-1", Severity.HIGH, "sqlparse", "0.4.4", aliases=("CVE-2024-4340", "CVE-2024-1"))
    assert IgnoreRules([rule()], TODAY).why(found) is None
    assert IgnoreRules([rule(id="ALAS-1")], TODAY).why(found)


def test_a_rule_that_counts_wins_over_an_expired_one() -> None:
    rules = IgnoreRules([rule(expires="2020-01-01"), rule(package="sqlparse")], TODAY)
    assert rules.why(FOUND) == f"scan.ignore: {rule(package='sqlparse').flag}"
    assert rules.expired() == [rule(expires="2020-01-01")]


def test_what_matches_nothing_can_be_told() -> None:
    idle, expired, used = rule(package="idna"), rule(expires="2020-01-01"), rule(package="sqlparse")
    assert IgnoreRules([idle, expired, used], TODAY).matches([FOUND, FOUND]) == {idle: 0, expired: 2, used: 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("CVE-2024-4340", "is expected"),
        ("CVE-2024-4340: no day", "is expected"),
        ("CVE-2024-4340 until 2026-12-01:", "is expected"),
        ("CVE-2024-4340 until 2026-12-01: ", "is expected"),
        ("CVE-2024-4340 until tomorrow: x", "is expected"),
        ("CVE-2024-4340 in a b until 2026-12-01: x", "is expected"),
        ("CVE-2024-4340 until 2026-12-01: x\n", "is expected"),
        ("CVE-2024-4340 until 2026-13-01: x", "a date is expected"),
        ("CVE-2024-4340 in a@b@c until 2026-12-01: x", "package"),
        ("2024 until 2026-12-01: x", "id"),
        (f"CVE-1-1 until 2026-12-01: {'x' * (MAX_REASON + 1)}", "reason"),
        ("CVE-1-1 until 2026-12-01: x\x1b[31m", "without control characters"),
        ("CVE-1-1 until 2026-12-01: x\u202e", "without control characters"),
    ],
)
def test_a_flag_that_says_no_rule(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_rule(text)


WORD = st.text("abcXYZ09.:_-", min_size=1, max_size=20)
PACKAGE = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"], exclude_characters="@"), min_size=1)


@given(
    vulnerability=WORD.map(lambda text: f"CVE-0{text}"),
    package=st.none() | PACKAGE.map(lambda text: text[:100]) | PACKAGE.map(lambda text: f"@{text[:60]}@{text[:60]}"),
    reason=st.text(min_size=1, max_size=MAX_REASON).filter(lambda text: text.isprintable() and text == text.strip()),
    expires=st.dates().map(date.isoformat),
)
def test_each_rule_is_one_flag_and_back(vulnerability: str, package: str | None, reason: str, expires: str) -> None:
    made = IgnoreRule(id=vulnerability, package=package, reason=reason, expires=expires)
    assert parse_rule(made.flag) == made


@given(st.text())
def test_any_text_is_a_rule_or_a_plain_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_rule(text).flag == text


@pytest.mark.parametrize(
    ("scan", "said"),
    [
        ({"ignore": [{"id": "CVE-1-1", "expires": "2026-12-01"}]}, "security.scan.ignore.0.reason"),
        ({"ignore": [{"id": "CVE-1-1", "reason": "r"}]}, "security.scan.ignore.0.expires"),
        ({"ignore": [{"id": "CVE-1-1", "reason": " ", "expires": "2026-12-01"}]}, "ignore.0.reason"),
        ({"ignore": [{"id": "CVE-1-1", "reason": "r", "expires": "never"}]}, "a date is expected, as 2026-12-01"),
        ({"ignore": [{"id": "CVE-1-1", "reason": "r", "expires": "20261201"}]}, "a date is expected, as 2026-12-01"),
        ({"ignore": [{"id": "CVE-1-1", "reasn": "r", "expires": "2026-12-01"}]}, "did you mean reason?"),
        ({"ignore": [{"id": "CVE-1-1", "reason": "r", "expires": "2026-12-01"}] * 2}, "CVE-1-1 stands there twice"),
        (
            {"ignore": [{"id": f"CVE-1-{n}", "reason": "r", "expires": "2026-12-01"} for n in range(MAX_RULES + 1)]},
            "write OpenVEX statements instead",
        ),
        ({"vex": ["a.json", "a.json"]}, "each once"),
        ({"vex": ["a"] * 21}, "at most 20 documents"),
        ({"vex": [""]}, "security.scan.vex.0"),
        ({"kev": "yes"}, "security.scan.kev"),
        ({"epssAbove": 1}, "less than 1"),
        ({"epssAbove": -0.1}, "greater than or equal to 0"),
        ({"epssAbove": "0.5"}, "security.scan.epssAbove"),
        ({"maxDatabaseAge": "5 days"}, "as 120h or 5d"),
        ({"maxDatabaseAge": "0h"}, "as 120h or 5d"),
        ({"maxDatabaseAge": 120}, "security.scan.maxDatabaseAge"),
        ({"tools": [{"name": "grype"}, {"name": "grype"}]}, "a scanner stands there twice"),
    ],
)
def test_a_block_that_won_t_do(scan: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_security({"scan": scan})
    assert said in raised.value.message


def test_yaml_s_date_is_a_date() -> None:
    block = {"ignore": [{"id": "CVE-1-1", "reason": "r", "expires": date(2026, 12, 1)}]}
    (read,) = parse_security({"scan": block}).scan.ignore
    assert read.expires == "2026-12-01"
