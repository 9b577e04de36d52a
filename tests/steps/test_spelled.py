"""Findings are written by another library than the rest of a document: byte for byte as the standard one would."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc_secure.policy.decision import Decided
from sc_secure.policy.finding import Finding, Source
from sc_secure.policy.severity import Severity
from sc_secure.steps import spelled
from sc_secure.steps.canonical import Spelled, canonical_bytes
from sc_secure.steps.spelled import spelled_decided, spelled_findings

text = st.text(st.characters(exclude_categories=())) | st.text('\x00\x1f\x7f\x80\u2028\u2029\ud800\udc00"\\/<é😀\n\b\f')
severity = st.sampled_from(Severity)
several = st.lists(text, max_size=3).map(tuple)
probability = st.none() | st.floats(0, 1) | st.floats(0, 0.001)
found = st.builds(
    Finding,
    id=text, severity=severity, package=text, version=text, kind=text, aliases=several, fixed_in=several, purl=text,
    other_purls=several, url=text, known_exploited=st.booleans(), epss=probability,
    sources=st.lists(st.builds(Source, text, text, severity), max_size=2).map(tuple),
)  # fmt: skip
actions = st.sampled_from(["fail", "warn", "allow", "ignore"])


def plain(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "aliases": finding.aliases,
        "severity": finding.severity.word,
        "package": finding.package,
        "version": finding.version,
        "kind": finding.kind,
        "purl": finding.purl,
        "otherPurls": finding.other_purls,
        "fixedIn": finding.fixed_in,
        "url": finding.url,
        "knownExploited": finding.known_exploited,
        "epss": finding.epss,
        "sources": [{"scanner": one.scanner, "id": one.id, "severity": one.severity.word} for one in finding.sources],
    }


@given(st.lists(found, max_size=5))
def test_what_was_found(findings: list[Finding]) -> None:
    expected = canonical_bytes({"x": [plain(each) for each in findings]})
    assert canonical_bytes({"x": spelled_findings(iter(findings))}) == expected


@given(st.lists(st.builds(Decided, found, actions, text), max_size=5))
def test_what_was_decided(decided: list[Decided]) -> None:
    expected = [{**plain(each.finding), "action": each.action, "reason": each.reason} for each in decided]
    assert canonical_bytes({"x": spelled_decided(decided)}) == canonical_bytes({"x": expected})


PLAIN = [0.0, 1e-4, 0.00010000000000000002, 0.1, 0.30000000000000004, 1.0]
SMALL = [9.999999999999999e-05, 9.87e-5, 1e-5, 1e-7, 5e-324]


@pytest.mark.parametrize("number", [*PLAIN, *SMALL])
def test_a_probability(number: float) -> None:
    finding = Finding("CVE-1", Severity.LOW, "p", "1", epss=number)
    assert f'"epss":{json.dumps(number)},'.encode() in canonical_bytes({"x": spelled_findings([finding])})


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_however_many_are_written_at_once(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelled, "_AT_ONCE", 2)
    findings = [Finding(f"CVE-{n}", Severity.LOW, "p", "1") for n in range(count)]
    written = json.loads(canonical_bytes({"x": spelled_findings(findings)}))
    assert [each["id"] for each in written["x"]] == [each.id for each in findings]


def test_where_it_stands_in_a_document() -> None:
    one, two = Spelled([b"[", b'{"a":1}', b"]"]), Spelled([b"[]"])
    document = {"z": [one, {"y": two}], "a": one, "m": "\ud800", "b": Spelled([b'"\xc3\xa9"'])}
    expected = '{"a":[{"a":1}],"b":"é","m":"\ufffd","z":[[{"a":1}],{"y":[]}]}'
    assert canonical_bytes(document) == expected.encode()
    with pytest.raises(TypeError, match="not JSON: set"):
        canonical_bytes({"a": {1}})
