"""The examples of docs/scan-policy.md do what it says."""

import re
from datetime import date
from pathlib import Path

import pytest

from sc_secure import SecuredImage, load_security
from sc_secure.policy.decision import Policy, decide
from sc_secure.policy.finding import Finding
from sc_secure.policy.ignore import IgnoreRules
from sc_secure.policy.ignore_rule import parse_rule
from sc_secure.policy.openvex import parse_document
from sc_secure.policy.severity import Severity
from sc_secure.policy.vex import Image, Read, Vex
from tests.components.mocked import REFERENCE, Mocks, run
from tests.docs.test_readme import ROOT, blocks
from tests.policy.vex_documents import statement, vex

PAGE = ROOT / "docs/scan-policy.md"
PATH = "security/app.openvex.json"
IMAGE = Image("registry.example", "team/app", REFERENCE.partition("@")[2])
SQLPARSE = "pkg:pypi/sqlparse@0.4.4"


def test_the_policy_makes_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: trial\nruntime: python\n")
    (tmp_path / "client.yaml").write_text(blocks(PAGE, "yaml")[0])
    (tmp_path / PATH).parent.mkdir()
    (tmp_path / PATH).write_text(blocks(PAGE, "json")[0])
    monkeypatch.chdir(tmp_path)
    mocks = Mocks()
    security = load_security("client.yaml")
    run(lambda: SecuredImage("app", {"image_ref": REFERENCE, "security": security}).deployable_ref, mocks)  # type: ignore[typeddict-item]
    assert mocks.commands()["app-scan"] == blocks(PAGE, "text")[0].strip().replace("IMAGE", REFERENCE)


def test_the_scanners_make_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: trial\nruntime: python\n")
    (tmp_path / "client.yaml").write_text(blocks(PAGE, "yaml")[1])
    monkeypatch.chdir(tmp_path)
    mocks = Mocks()
    security = load_security("client.yaml")
    run(lambda: SecuredImage("app", {"image_ref": REFERENCE, "security": security}).deployable_ref, mocks)  # type: ignore[typeddict-item]
    tools = "--tool grype --tool trivy --tool-optional trivy --tool-fail-on trivy=high"
    assert f"--fail-on critical {tools} --output" in mocks.commands()["app-scan"]


@pytest.mark.parametrize(
    ("finding", "cleared"),
    [
        (Finding("GHSA-1", Severity.HIGH, "sqlparse", "0.4.4", aliases=("CVE-2024-4340",), purl=SQLPARSE), True),
        (Finding("CVE-2024-4340", Severity.HIGH, "sqlparse", "0.4.5", purl="pkg:pypi/sqlparse@0.4.5"), False),
        (Finding("CVE-2024-4341", Severity.HIGH, "sqlparse", "0.4.4", purl=SQLPARSE), False),
    ],
)
def test_the_document_clears_what_it_names(finding: Finding, *, cleared: bool) -> None:
    read = Read(PATH, "0", parse_document(blocks(PAGE, "json")[0].encode()))
    assert bool(Vex([read], IMAGE).why(finding)) == cleared


def test_the_table_s_order_and_reasons() -> None:
    """One finding a row, each of which fits every row below it too, as far as that is possible."""
    table = re.findall(r"^\| (\d) \|.*\| (\w+) \| `(.*)` \|$", PAGE.read_text(), re.MULTILINE)
    cleared = vex(statement("pkg:pypi/one@1", justification="vulnerable_code_not_present"))
    exceptions = [
        Vex([Read(PATH, "0", parse_document(cleared))], IMAGE),
        IgnoreRules([parse_rule("CVE-2024-4340 until 2099-12-01: not reached")], date(2026, 11, 24)),
    ]
    exploited = {"known_exploited": True, "epss": 0.9}
    rows = [
        Finding("CVE-2024-4340", Severity.HIGH, "one", "1", purl="pkg:pypi/one@1", **exploited),
        Finding("CVE-2024-4340", Severity.HIGH, "two", "1", **exploited),
        Finding("CVE-3", Severity.UNKNOWN, "p", "1", **exploited),
        Finding("CVE-4", Severity.UNKNOWN, "p", "1", epss=0.9),
        Finding("CVE-5", Severity.UNKNOWN, "p", "1"),
        Finding("CVE-6", Severity.HIGH, "p", "1"),
        Finding("CVE-7", Severity.HIGH, "p", "1", fixed_in=("2",)),
        Finding("CVE-8", Severity.MEDIUM, "p", "1"),
        Finding("CVE-9", Severity.LOW, "p", "1"),
    ]
    policy = Policy(Severity.HIGH, Severity.MEDIUM, only_fixed=True, kev=True, epss_above=0.5)
    made = [decide([row], policy, exceptions).decided[0] for row in rows]
    assert [(str(n), each.action, each.reason) for n, each in enumerate(made, 1)] == table
