"""What comes from outside may be anything: it is read right or refused by an error of ours, and never passed over."""

import base64
import json
import shlex
import string
import subprocess
import tempfile
import unicodedata
import urllib.parse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sc_secure.context.git import public_remote
from sc_secure.errors import ConfigError, InfrastructureError, ScSecureError
from sc_secure.policy.decision import Policy, decide
from sc_secure.policy.finding import Finding, merge
from sc_secure.policy.ignore import IgnoreRules
from sc_secure.policy.ignore_rule import parse_rule
from sc_secure.policy.loading import load_security
from sc_secure.policy.severity import EVERY_WORD, Severity
from sc_secure.steps.origin import Origin
from sc_secure.steps.result import StepResult, ToolUsed
from sc_secure.tools import grype, legacy, trivy
from sc_secure.tools.bbolt import buckets
from sc_secure.tools.certificate import bundle_identity
from sc_secure.tools.log_entry import older_entry
from sc_secure.tools.reference import parse_reference
from sc_secure.tools.scanner import Database
from sc_secure.tools.statement import read_bundle
from sc_secure.tools.text import printable
from sc_secure.tools.transient import MAX_RETRY_AFTER, classify, retry_after
from tests import trivy_database
from tests.fuzz.documents import anything, damaged

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
IMAGE = parse_reference(f"registry.example/team/app@{DIGEST}")
DATABASE = Database(NOW, "2", ("trivy-db",))
MATCHES = [("GHSA-1", "High", "sqlparse"), ("CVE-2", "Low", "idna")]
GRYPE: dict[str, Any] = {
    "descriptor": {
        "version": "0.121.2",
        "db": {
            "status": {"valid": True, "built": "2026-11-24T00:00:00Z", "schemaVersion": "v6"},
            "providers": {"x": {}},
        },
    },
    "matches": [
        {
            "vulnerability": {
                "id": name,
                "severity": severity,
                "fix": {"versions": ["2"], "state": "fixed"},
                "epss": [],
            },
            "relatedVulnerabilities": [{"id": f"CVE-{package}"}],
            "artifact": {"name": package, "version": "1", "type": "python", "purl": f"pkg:pypi/{package}@1"},
        }
        for name, severity, package in MATCHES
    ],
    "ignoredMatches": [],
}
TRIVY: dict[str, Any] = {
    "SchemaVersion": 2,
    "Trivy": {"Version": "0.74.0"},
    "ArtifactType": "container_image",
    "Metadata": {"RepoDigests": [f"registry.example/team/app@{DIGEST}"]},
    "Results": [
        {
            "Packages": [{"Name": package}],
            "Vulnerabilities": [
                {
                    "VulnerabilityID": name,
                    "VendorIDs": ["GHSA-3"],
                    "Severity": severity.upper(),
                    "PkgName": package,
                    "InstalledVersion": "1",
                    "FixedVersion": "2",
                    "PkgIdentifier": {"PURL": f"pkg:pypi/{package}@1"},
                }
            ],
        }
        for name, severity, package in MATCHES
    ],
}


@given(damaged(GRYPE))
def test_no_finding_of_grype_is_passed_over(report: dict[str, Any]) -> None:
    try:
        read = grype.parse_report(json.dumps(report).encode(), now=NOW)
    except InfrastructureError:
        return
    assert len(read.findings) == len(report["matches"])


@given(damaged(TRIVY))
def test_no_finding_of_trivy_is_passed_over(report: dict[str, Any]) -> None:
    try:
        read = trivy.parse_report(json.dumps(report).encode(), IMAGE, DATABASE)
    except InfrastructureError:
        return
    there = [each for result in report.get("Results") or [] for each in result.get("Vulnerabilities") or []]
    assert len(read.findings) == len(there)
    assert DIGEST in json.dumps(report["Metadata"])


@given(st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()))
def test_rubbish_is_no_report(content: bytes) -> None:
    with pytest.raises(InfrastructureError):
        grype.parse_report(content, now=NOW)
    with pytest.raises(InfrastructureError):
        trivy.parse_report(content, IMAGE, DATABASE)


PART = st.text(string.ascii_lowercase + string.digits + "._-/:@", max_size=30)


@given(st.text(max_size=60) | st.builds(lambda name: f"{name}@{DIGEST}", PART | st.text(max_size=30)))
def test_a_reference_is_one_or_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except ConfigError as error:
        assert printable(error.message) == error.message
        return
    assert reference.digest == DIGEST
    assert shlex.split(reference.subject) == [reference.subject], "it needs no quotes"
    assert not reference.subject.startswith("-")
    assert parse_reference(reference.subject) == parse_reference(text)
    place = urllib.parse.urlsplit(f"https://{reference.registry}/v2/{reference.repository}/")
    assert (place.netloc, place.query, place.fragment) == (reference.registry, "", "")
    assert ".." not in place.path.split("/")


YAML = st.text("abcdefghijkLmnoprstuvwxyzSFO:{}[],-#&*!|>'\"\n 0123456789.@%\t", max_size=80)


@given(
    YAML | YAML.map(lambda text: f"security:\n  scan: {{failOn: high}}\n{text}") | YAML.map("security: {{{}}}".format)
)
def test_a_policy_is_one_or_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "client.yaml"
        file.write_text(text)
        try:
            assert isinstance(load_security(str(file)), dict)
        except ConfigError as error:
            assert error.message


@given(st.text(max_size=40) | st.integers().map(str) | st.datetimes().map(str), st.datetimes(timezones=st.just(UTC)))
def test_a_pause_is_bounded(header: str, now: datetime) -> None:
    assert 0 <= retry_after(header, now) <= MAX_RETRY_AFTER


WORD = st.text(string.ascii_letters + string.digits + "-._~!$&'()*+,;=%", min_size=1, max_size=12)


@given(
    st.sampled_from(["https://{}:{}@git.example/{}", "ssh://{}:{}@git.example/{}", "{}:{}@git.example:{}", "{}{}{}"]),
    WORD,
    WORD,
    WORD,
)
def test_no_credential_stays_in_a_remote(form: str, user: str, password: str, path: str) -> None:
    assume(len(password) > 5 and password not in f"git.example/{path}https://ssh://" and "/" not in user + password)
    found = public_remote(form.format(user, password, path) + f"?token={password}#{password}")
    assert password not in found
    assert "@" not in found


@given(st.text(max_size=60))
def test_any_text_can_be_printed(text: str) -> None:
    assert {unicodedata.category(each) for each in printable(text)}.isdisjoint(
        {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    )
    classify(text)


@settings(max_examples=40)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=5
    )
)
def test_a_shell_gets_each_word_as_it_is(words: list[str]) -> None:
    assert shlex.split(shlex.join(words)) == words
    done = subprocess.run(["sh", "-c", f"printf '%s\\0' {shlex.join(words)}"], check=True, capture_output=True)
    assert done.stdout.decode().split("\0")[:-1] == words


FINDINGS = st.lists(
    st.builds(
        Finding,
        id=st.sampled_from(["CVE-1", "CVE-2", "GHSA-3"]),
        severity=st.sampled_from(list(Severity)),
        package=st.sampled_from(["a", "b"]),
        version=st.sampled_from(["1", "2"]),
        aliases=st.sampled_from([(), ("CVE-1",), ("CVE-1", "CVE-2")]),
        fixed_in=st.sampled_from([(), ("3",)]),
        known_exploited=st.booleans(),
        epss=st.none() | st.floats(0, 1),
    ),
    max_size=6,
)
POLICIES = st.builds(
    Policy,
    fail_on=st.sampled_from(list(Severity)),
    warn_on=st.none() | st.sampled_from(list(Severity)),
    only_fixed=st.booleans(),
    kev=st.booleans(),
    epss_above=st.none() | st.floats(0, 1),
)


def fails(findings: list[Finding], policy: Policy, rules: IgnoreRules | None = None) -> bool:
    return decide(merge(findings), policy, [rules] if rules else []).verdict == "fail"


@given(FINDINGS, FINDINGS, POLICIES)
def test_another_finding_never_makes_it_pass(some: list[Finding], more: list[Finding], policy: Policy) -> None:
    assert not fails(some, policy) or fails([*some, *more], policy)


@given(FINDINGS, POLICIES, st.sampled_from(EVERY_WORD))
def test_a_stricter_policy_never_makes_it_pass(findings: list[Finding], policy: Policy, word: str) -> None:
    stricter = Policy(
        min(policy.fail_on, Severity.parse(word)), policy.warn_on, only_fixed=False, kev=True, epss_above=0
    )
    assert not fails(findings, policy) or fails(findings, stricter)


@given(FINDINGS, POLICIES)
def test_only_a_rule_that_names_it_ignores_a_finding(findings: list[Finding], policy: Policy) -> None:
    other = IgnoreRules([parse_rule("CVE-9 until 2099-01-01: another")], NOW.date())
    expired = IgnoreRules([parse_rule(f"{name} until 2026-11-25: over") for name in ("CVE-1", "CVE-2")], NOW.date())
    assert fails(findings, policy) == fails(findings, policy, other) == fails(findings, policy, expired)


RESULT = StepResult(
    step="scan", subject=str(IMAGE), status="passed", outputs={"high": 1, "verified": {"signature": DIGEST}},
    warnings=["x"], tool=ToolUsed("grype", "1"), started_at=NOW, finished_at=NOW,
)  # fmt: skip


@given(damaged(json.loads(RESULT.to_line())) | anything)
def test_a_result_is_one_or_refused(document: Any) -> None:
    try:
        read = StepResult.from_line(json.dumps(document))
    except ValueError:
        return
    assert StepResult.from_line(read.to_line()) == read


PROVENANCE: dict[str, Any] = {
    "buildDefinition": {
        "resolvedDependencies": [
            {"uri": "git+https://git.example/a/b@refs/heads/main", "digest": {"gitCommit": "a" * 40}}
        ]
    },
    "runDetails": {"builder": {"id": "https://ci.example/b"}},
}


@given(damaged(PROVENANCE))
def test_only_provenance_that_names_it_is_the_one(predicate: dict[str, Any]) -> None:
    wanted = Origin("https://ci.example/b", "https://git.example/a/b", "a" * 40)
    if not wanted.problem(predicate):
        source = predicate["buildDefinition"]["resolvedDependencies"]
        assert "a" * 40 in json.dumps(source)
        assert predicate["runDetails"]["builder"]["id"] == "https://ci.example/b"


@given(anything)
def test_what_is_attached_may_be_anything(document: Any) -> None:
    if isinstance(document, dict):
        list(legacy.layers(document))
        list(legacy.layers({"layers": [document]}))
    assert legacy.signed(json.dumps([document]).encode(), IMAGE) == []
    bundle_identity(json.dumps(document).encode())
    payload = base64.b64encode(json.dumps(document).encode()).decode()
    for envelope in (document, {"payload": document}, {"payload": payload, "signatures": [{"sig": "x"}]}):
        found = read_bundle(json.dumps({"dsseEnvelope": envelope}).encode())
        assert found is None or {"predicate", "predicateType", "subject"} <= document.keys()
    older_entry(document)
    older_entry({"Payload": document})


@given(st.data())
def test_a_database_is_read_or_refused(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trivy_database.make(Path(folder))
        file = Path(folder) / "db/trivy.db"
        content = bytearray(file.read_bytes())
        for _ in range(data.draw(st.integers(1, 6))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        file.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
        try:
            assert all(isinstance(name, str) for name in buckets(file))
        except ValueError:
            return


@given(st.binary(max_size=300))
def test_rubbish_is_no_bundle(content: bytes) -> None:
    try:
        assert read_bundle(content) is None
        assert bundle_identity(content) is None
    except ScSecureError:
        return
