import json
from typing import Any

import jsonschema
import pytest

from devtools import release_schema
from sc_secure.report import HTML, JSON, MARKDOWN, SARIF, words, write_all
from sc_secure.report.building import build, scan_of, signer_of, step_of
from sc_secure.report.document import Failure, Release
from sc_secure.steps.result import StepResult, ToolUsed
from tests.report import documents
from tests.report.documents import BEGAN, SUBJECT, chain, hostile, refused, scan_document, secured, step

SCHEMAS = {file.name: json.loads(text) for file, text in release_schema.schemas().items()}


def test_the_checked_in_schemas_are_the_models() -> None:
    for file, text in release_schema.schemas().items():
        assert file.read_text() == text, "run python -m devtools.release_schema"
        jsonschema.Draft202012Validator.check_schema(json.loads(text))


@pytest.mark.parametrize("name", ["secured", "refused", "hostile"])
def test_all_reports(name: str) -> None:
    release = getattr(documents, name)()
    written = write_all(release)
    assert set(written) == {JSON, MARKDOWN, SARIF, HTML}
    assert written == write_all(release)
    document = json.loads(written[JSON])
    jsonschema.Draft202012Validator(SCHEMAS["release.schema.json"]).validate(document)
    assert document["schema"] == "https://sc-secure.dev/release/v1"
    assert Release.model_validate_json(written[JSON]) == release


def test_what_the_steps_attached() -> None:
    kinds = [each.kind for each in secured().attachments]
    assert kinds == [
        "signature",
        "https://cyclonedx.org/bom",
        "https://slsa.dev/provenance/v1",
        "https://cosign.sigstore.dev/attestation/vuln/v1",
    ]
    assert refused().attachments == []
    sign = chain()[3]
    assert len(build(SUBJECT, [sign, sign]).attachments) == 1, "each once"
    soft = step("attest-sbom", "attest", status="soft_failed", outputs={"predicateType": "x"})
    assert build(SUBJECT, [soft]).attachments == []


@pytest.mark.parametrize(
    ("steps", "exit_code", "verdict", "headline"),
    [
        (chain(), None, "secured", "Secured"),
        ([], None, "unsecured", "Not secured: the policy switches everything off"),
        ([step("sbom", "sbom", status="soft_failed")], None, "degraded", "Secured, but for a step that failed softly"),
        (chain(), 3, "refused", "Refused: Verify"),
        (chain(), 4, "refused", "Refused: Verify"),
        (chain(), 6, "failed", "Failed: nothing is known for sure: Verify"),
    ],
)
def test_the_verdict(steps: list[Any], exit_code: int | None, verdict: str, headline: str) -> None:
    failure = Failure(step="verify", exit_code=exit_code, message="why") if exit_code else None
    release = build(SUBJECT, steps, failure=failure)
    assert release.verdict == verdict
    assert words.headline(release) == headline


def test_what_was_signed_before_a_failure_is_told() -> None:
    failure = Failure(step="verify", exit_code=4, message="why")
    assert words.consequence(build(SUBJECT, chain(), failure=failure)).startswith("The image was signed, but")
    assert words.consequence(refused()) == "Nothing was signed."


def test_times_are_the_whole_chain_s() -> None:
    assert secured().started_at == BEGAN
    assert (secured().finished_at - BEGAN).total_seconds() == 7.5
    assert build(SUBJECT, []).started_at is None


def test_warnings_are_told_once() -> None:
    assert secured().warnings == ["1 finding to look at"]
    assert len(hostile().warnings) == len(documents.HOSTILE)


def test_counts_of_a_result_alone() -> None:
    outputs = {"critical": 0, "high": 2, "medium": 0, "low": 0, "negligible": 0, "unknown": 1, "ignored": 3}
    line = StepResult(
        step="scan",
        subject=SUBJECT,
        status="passed",
        outputs={**outputs, "verdict": "warn", "databaseBuilt": "2026-11-24T06:00:00Z"},
        tool=ToolUsed("grype", "0.121.2"),
        started_at=BEGAN,
        finished_at=BEGAN,
    ).to_line()
    release = build(SUBJECT, [step_of("scan", [], StepResult.from_line(line))])
    assert release.scan
    assert (release.scan.counts["high"], release.scan.ignored, release.scan.verdict) == (2, 3, "warn")
    assert release.scan.findings is None
    assert release.scan.scanners[0].database_built == "2026-11-24T06:00:00Z"
    assert words.counts(release) == "2 high, 1 unknown, 3 ignored"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"findings": None},
        {"findings": [{}]},
        {"findings": [documents.finding(severity="dire")]},
        {"verdict": "fine"},
        {"scanners": [{}]},
        {"counts": {"high": "many"}},
    ],
)
def test_what_is_no_scan_s_document(wrong: dict[str, Any]) -> None:
    document = scan_document() | wrong if wrong else {}
    with pytest.raises(ValueError, match=r"scan|validation"):
        scan_of(document)


def test_the_policy_s_items() -> None:
    assert words.rules(scan_of(scan_document())) == [
        ("failOn", "high"),
        ("onlyFixed", "true"),
        ("tools.grype.warnOn", "medium"),
        ("epssAbove", "0.5"),
        ("ignore", "1 rule"),
        ("vex", "vex.json"),
        ("maxDatabaseAge", "5d"),
    ]


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://github.com/advisories/GHSA-2m57-hf25-phgg", True),
        ("http://x/y?a=b&c=%20#d", True),
        ("javascript:alert(1)", False),
        ("JAVASCRIPT:alert(1)", False),
        ("data:text/html,x", False),
        ("//x/y", False),
        ("ftp://x/y", False),
        ('https://x/" onclick="a()', False),
        ("https://x/><script>", False),
        ("https://x/\n", False),
        ("https://x/`", False),
        ("https://xn/\u202e", False),
        ("https://x/" + "y" * 3000, False),
        ("", False),
    ],
)
def test_links_are_ordinary_web_addresses(url: str, *, is_one: bool) -> None:
    assert words.web_address(url) == (url if is_one else "")


@pytest.mark.parametrize(
    ("key", "public", "private"),
    [
        ("cosign.key", False, True),
        ("cosign.pub", True, False),
        ("env://KEY", False, True),
        ("awskms:///alias/x", False, False),
        ("pkcs11:token=x", False, False),
    ],
)
def test_which_key_has_to_be_turned_into_a_public_one(key: str, *, public: bool, private: bool) -> None:
    assert signer_of(key, public=public).private is private
    release = secured().model_copy(update={"signer": signer_of(key, public=public)})
    assert any("cosign public-key" in each.command for each in words.by_hand(release)) is private
