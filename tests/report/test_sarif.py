import json
import urllib.parse
from pathlib import Path

import jsonschema
import pytest

from sc_secure.report import sarif
from sc_secure.report.building import build, scan_of
from sc_secure.report.document import Release
from tests.report import documents
from tests.report.documents import finding, refused, scan_document

# https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json, as it is published
SCHEMA = json.loads(Path(__file__).with_name("sarif-schema-2.1.0.json").read_text())
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def written(release: Release) -> dict:
    """The one run."""
    log = json.loads(sarif.write(release))
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    return run


@pytest.mark.parametrize("name", ["secured", "refused", "hostile"])
def test_valid_by_the_published_schema(name: str) -> None:
    run = written(getattr(documents, name)())
    for result in run["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        parts = urllib.parse.urlsplit(uri)
        # A relative reference of RFC 3986: a colon before the first slash would make a scheme of the host.
        assert not parts.scheme
        assert not parts.netloc
        assert urllib.parse.quote(urllib.parse.unquote(uri), safe="/") == uri
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_levels_are_the_decisions() -> None:
    results = written(refused())["results"]
    assert [(each["ruleId"], each["level"], "suppressions" in each) for each in results] == [
        ("CVE-2026-1", "error", False),
        ("CVE-2026-4", "note", True),
        ("GHSA-2m57-hf25-phgg", "error", False),
        ("CVE-2026-2", "warning", False),
        ("CVE-2026-3", "note", False),
    ]
    (suppression,) = results[1]["suppressions"]
    assert suppression == {
        "kind": "external",
        "status": "accepted",
        "justification": "scan.ignore: CVE-2026-4 in sqlparse until 2027-01-01: not reachable",
    }
    assert "scan.failOn: high" in results[0]["message"]["text"]
    assert "no fix yet" in results[0]["message"]["text"]
    assert "fixed in 0.5.0" in results[2]["message"]["text"]


def test_rules_are_sorted_and_have_githubs_severity() -> None:
    driver = written(refused([*documents.FINDINGS, finding(id="CVE-2026-2", severity="critical")]))["tool"]["driver"]
    rules = driver["rules"]
    assert [rule["id"] for rule in rules] == sorted(rule["id"] for rule in rules)
    scores = {rule["id"]: float(rule["properties"]["security-severity"]) for rule in rules}
    assert scores["CVE-2026-1"] > 9
    assert 7 <= scores["GHSA-2m57-hf25-phgg"] < 9
    assert scores["CVE-2026-2"] > 9, "a rule has the severity of its worst finding"
    assert 0.1 <= scores["CVE-2026-3"] < 4
    helped = {rule["id"]: rule.get("helpUri") for rule in rules}
    assert helped["GHSA-2m57-hf25-phgg"] == "https://github.com/advisories/GHSA-2m57-hf25-phgg"
    assert helped["CVE-2026-3"] is None, "ftp:// is no page"


def test_the_image() -> None:
    run = written(refused())
    (artifact,) = run["artifacts"]
    assert artifact["location"]["uri"] == "registry.example%3A5000/team/app"
    assert artifact["hashes"] == {"sha-256": "a" * 64}
    assert run["automationDetails"]["id"] == "sc-secure/registry.example%3A5000/team/app/"
    logical = run["results"][0]["locations"][0]["logicalLocations"][0]
    assert logical == {"name": "zlib", "fullyQualifiedName": "zlib@1:1.2", "kind": "package"}


def test_fingerprints_outlive_a_build_and_tell_findings_apart() -> None:
    def prints(release: Release) -> list[str]:
        return [each["partialFingerprints"]["primaryLocationLineHash"] for each in written(release)["results"]]

    one, two = finding(), finding(version="0.4.3", purl="pkg:pypi/sqlparse@0.4.3")
    before = prints(refused([one, two]))
    assert len(set(before)) == 2
    later = refused([one, two]).model_copy(update={"subject": f"registry.example:5000/team/app@sha256:{'b' * 64}"})
    assert prints(later) == before
    assert prints(refused([finding(purl="pkg:pypi/sqlparse@0.4.4?arch=arm64")])) == before[1:]
    other = refused([one, two]).model_copy(update={"subject": documents.SUBJECT.replace("app", "other")})
    assert not set(prints(other)) & set(before)


def test_the_same_bytes_in_whatever_order_findings_come() -> None:
    forth, back = refused(documents.FINDINGS), refused(documents.FINDINGS[::-1])
    assert sarif.write(forth) == sarif.write(back)


def test_failure_and_warnings_are_notifications() -> None:
    (invocation,) = written(refused(message="a {0} [link](https://x) \\"))["invocations"]
    assert invocation["exitCode"] == 3
    assert invocation["executionSuccessful"] is True, "the scanner did its work"
    assert invocation["startTimeUtc"] == "2026-11-24T12:00:00.000000Z"
    warning, note = invocation["toolExecutionNotifications"]
    assert warning == {"level": "warning", "message": {"text": "1 finding to look at"}}
    # No placeholder (3.11.5) and no link (3.11.6).
    assert note == {"level": "error", "message": {"text": "a {{0}} \\[link\\](https://x) \\\\"}}


def test_counts_alone_are_not_told_as_nothing_found() -> None:
    run = written(build(documents.SUBJECT, documents.chain(), scan=scan_of(scan_document())))
    assert len(run["results"]) == 5
    known = scan_of(scan_document()).model_copy(update={"findings": None})
    run = written(build(documents.SUBJECT, documents.chain(), scan=known))
    assert "results" not in run
    assert run["properties"]["counts"]["critical"] == 1
