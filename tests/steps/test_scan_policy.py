"""The scan's policy, from the flags to the report, on real images with the real grype.

The image has one high finding (sqlparse, GHSA-2m57-hf25-phgg = CVE-2024-4340) and one medium one (idna,
GHSA-jjg7-2v4v-x38h = CVE-2024-3651).
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sc_secure.policy.finding import Finding, Source
from sc_secure.policy.severity import Severity
from sc_secure.steps.scanners import SCANNERS
from sc_secure.tools.scanner import Database, Target
from sc_secure.tools.scanner import Report as ScanReport
from tests.command_line import CommandLine
from tests.policy.vex_documents import statement, vex
from tests.vulnerability_database import exploited, import_changed, likely

SQLPARSE, IDNA = "GHSA-2m57-hf25-phgg", "GHSA-jjg7-2v4v-x38h"
TODAY = datetime.now(UTC).date()
LATER, BEFORE = (str(TODAY + timedelta(days=days)) for days in (30, -1))

Scan = Callable[..., dict[str, Any]]


@pytest.fixture
def report(project: Path) -> Callable[[], dict[str, Any]]:
    """Reads the report of the one image that was scanned."""

    def read() -> dict[str, Any]:
        (file,) = (project / ".sc").rglob("scan.json")
        return json.loads(file.read_bytes())

    return read


Report = Callable[[], dict[str, Any]]


def reasons(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {each["id"]: (each["action"], each["reason"]) for each in report["findings"]}


def test_an_ignored_finding_is_counted_and_explained(sc: CommandLine, image: str, report: Report) -> None:
    rule = f"CVE-2024-4340 in sqlparse@0.4.4 until {LATER}: isn't reached, 'really'"
    result = sc(f"image scan --image {image} --fail-on high --output json", "--ignore", rule).result
    assert {key: result["outputs"][key] for key in ("high", "medium", "ignored", "verdict")} == {
        "high": 0,
        "medium": 1,
        "ignored": 1,
        "verdict": "pass",
    }
    assert reasons(report())[SQLPARSE] == ("ignore", f"scan.ignore: {rule}")
    assert report()["policy"]["ignore"] == [
        {
            "id": "CVE-2024-4340",
            "package": "sqlparse@0.4.4",
            "reason": "isn't reached, 'really'",
            "expires": LATER,
            "expired": False,
            "matched": 1,
        }
    ]
    assert not any("scan.ignore" in warning for warning in result["warnings"])


def test_an_expired_rule_no_longer_counts_and_is_named(sc: CommandLine, image: str, report: Report) -> None:
    flag = f"{SQLPARSE} until {BEFORE}: was fine"
    done = sc(f"image scan --image {image} --fail-on high", "--ignore", flag)
    assert done.code == 3
    assert len(done.stderr.splitlines()) <= 12
    assert f"scan.ignore, expired: {SQLPARSE} ({BEFORE})" in done.stderr
    assert report()["policy"]["ignore"][0]["expired"]
    warnings = sc(f"image scan --image {image} --output json", "--ignore", flag).result["warnings"]
    assert any(f"expired, and no longer counted: {SQLPARSE} ({BEFORE})" in warning for warning in warnings)


def test_a_rule_that_matches_nothing_is_named(sc: CommandLine, image: str) -> None:
    flag = f"{SQLPARSE} in idna until {LATER}: wrong package"
    assert sc(f"image scan --image {image} --fail-on high", "--ignore", flag).code == 3
    warnings = sc(f"image scan --image {image} --output json", "--ignore", flag).result["warnings"]
    assert any(f"matches nothing that was found: {SQLPARSE} in idna" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("product", "code"),
    [
        ("pkg:pypi/sqlparse@0.4.4", 0),
        ("IMAGE", 0),
        ({"@id": "IMAGE", "subcomponents": [{"@id": "pkg:pypi/sqlparse"}]}, 0),
        ("pkg:pypi/sqlparse@0.5.0", 3),
        ({"@id": "IMAGE", "subcomponents": [{"@id": "pkg:pypi/idna"}]}, 3),
        ("pkg:oci/other@sha256:" + "0" * 64, 3),
    ],
    ids=["package", "image", "package in the image", "other version", "other package", "other image"],
)
def test_vex(sc: CommandLine, image: str, project: Path, report: Report, *, product: Any, code: int) -> None:
    repository, _, digest = image.partition("@")
    ours = f"pkg:oci/{repository.rpartition('/')[2]}@{digest.replace(':', '%3A')}?repository_url={repository}"
    text = vex(statement(product)).decode().replace("IMAGE", ours)
    (project / "our.openvex.json").write_text(text)
    done = sc(f"image scan --image {image} --fail-on high --vex our.openvex.json --output json")
    assert done.code == code
    (document,) = report()["policy"]["vex"]
    assert (document["path"], document["cleared"], len(document["sha256"])) == ("our.openvex.json", int(code == 0), 64)
    if code == 0:
        said = "scan.vex: our.openvex.json: not_affected (vulnerable_code_not_in_execute_path)"
        assert reasons(report())[SQLPARSE] == ("ignore", said)
        assert done.result["outputs"]["ignored"] == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("{", "not JSON"),
        ("{}", "not an OpenVEX 0.2.0 document"),
        (vex().decode(), "statements"),
    ],
)
def test_a_bad_vex_document_is_refused_before_anything(
    sc: CommandLine, image: str, project: Path, content: str | None, said: str
) -> None:
    if content is not None:
        (project / "bad.json").write_text(content)
    done = sc(f"image scan --image {image} --vex bad.json")
    assert (done.code, done.stdout) == (2, "")
    assert "--vex bad.json: " in done.stderr
    assert said in done.stderr
    assert not (project / ".sc").exists()


def test_known_exploited_fails_whatever_the_severity(
    sc: CommandLine, tools_env: dict[str, str], image: str, project: Path, report: Report
) -> None:
    database = import_changed(tools_env, project, exploited("CVE-2024-3651"))
    scan = f"image scan --image {image} --fail-on critical"
    assert sc(scan, **database).code == 0
    done = sc(f"{scan} --kev --only-fixed", **database)
    assert done.code == 3
    assert "scan.kev: true, scan.onlyFixed forbids 1 finding" in done.stderr
    assert f"{IDNA} (CVE-2024-3651) idna 3.6: fixed in 3.7 [known to be exploited]" in done.stderr
    assert reasons(report())[IDNA] == ("fail", "scan.kev: true")
    assert {each["id"]: each["knownExploited"] for each in report()["findings"]} == {SQLPARSE: False, IDNA: True}
    done = sc(f"{scan} --kev", "--ignore", f"CVE-2024-3651 until {LATER}: not reached", **database)
    assert done.code == 0


def test_a_probability_above_fails_whatever_the_severity(
    sc: CommandLine, tools_env: dict[str, str], image: str, project: Path, report: Report
) -> None:
    database = import_changed(tools_env, project, likely(CVE_2024_3651=0.51, CVE_2024_4340=0.5))
    scan = f"image scan --image {image} --fail-on critical"
    assert sc(f"{scan} --epss-above 0.51", **database).code == 0
    done = sc(f"{scan} --epss-above 0.5", **database)
    assert done.code == 3
    assert "scan.epssAbove: 0.5 forbids 1 finding" in done.stderr
    assert "[EPSS 0.51]" in done.stderr
    assert {each["id"]: each["epss"] for each in report()["findings"]} == {SQLPARSE: 0.5, IDNA: 0.51}


def test_several_rules_forbid(sc: CommandLine, tools_env: dict[str, str], image: str, project: Path) -> None:
    database = import_changed(tools_env, project, exploited("CVE-2024-3651"), likely())
    done = sc(f"image scan --image {image} --fail-on high --kev --epss-above 0.5", **database)
    assert done.code == 3
    assert "scan.failOn: high, scan.kev: true forbid 2 findings" in done.stderr


@pytest.mark.parametrize("flag", ["--kev", "--epss-above 0.9"])
def test_without_the_data_nothing_can_be_judged(sc: CommandLine, image: str, flag: str) -> None:
    done = sc(f"image scan --image {image} --fail-on critical {flag}")
    assert (done.code, done.stdout) == (6, "")
    assert "has no such data, so this can't be judged" in done.stderr


@pytest.mark.parametrize(
    ("days", "flag", "code"),
    [
        (3, "", 0),
        (3, "2d", 6),
        (3, "71h", 6),
        (3, "4d", 0),
        (20, "", 6),
        (20, "21d", 0),
        (20, "19d", 6),
        (-2, "9999d", 6),
    ],
)
def test_the_database_s_age(
    sc: CommandLine, tools_env: dict[str, str], image: str, project: Path, *, days: int, flag: str, code: int
) -> None:
    database = import_changed(tools_env, project, age=timedelta(days=days))
    done = sc(f"image scan --image {image}{f' --max-database-age {flag}' if flag else ''}", **database)
    assert done.code == code, done.stderr
    if code and flag and days > 0:
        assert f"scan.maxDatabaseAge: {flag}: grype's database is older" in done.stderr


def test_a_scanner_s_own_thresholds(sc: CommandLine, image: str, report: Report) -> None:
    scan = f"image scan --image {image} --fail-on critical"
    assert sc(f"{scan} --tool-fail-on grype=high --tool-warn-on grype=medium").code == 3
    assert reasons(report()) == {
        SQLPARSE: ("fail", "scan.tools.grype.failOn: high"),
        IDNA: ("warn", "scan.tools.grype.warnOn: medium"),
    }
    assert report()["policy"]["tools"] == {"grype": {"failOn": "high", "warnOn": "medium"}}
    assert sc(f"{scan} --tool-fail-on grype=critical").code == 0


class Second:
    """A scanner of our own, under the name of a program that is there: it knows sqlparse's finding as critical."""

    name = "crane"
    uri = "pkg:github/google/go-containerregistry"

    def __init__(self, *_: object) -> None:
        pass

    def scan(self, target: Target, raw: Path) -> ScanReport:
        raw.write_text(json.dumps({"scanned": target.image.subject}))
        found = Finding(
            "CVE-2024-4340",
            Severity.CRITICAL,
            "sqlparse",
            "0.4.4",
            purl="pkg:pypi/sqlparse@0.4.4?by=second",
            sources=(Source(self.name, "CVE-2024-4340", Severity.CRITICAL),),
        )
        database = Database(datetime.now(UTC) - timedelta(days=1), "1", ("second",))
        return ScanReport(self.name, "1.0.0", database, (found,), ())


def test_two_scanners_make_one_list(
    sc: CommandLine, image: str, project: Path, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SCANNERS, "crane", Second)
    scan = f"image scan --image {image} --tool grype --tool crane"
    done = sc(f"{scan} --tool-fail-on crane=critical --fail-on critical")
    assert done.code == 3
    assert "scan.failOn: critical forbids 1 finding" in done.stderr
    first, second = report()["findings"]
    assert (first["id"], first["aliases"], first["severity"]) == ("CVE-2024-4340", [SQLPARSE], "critical")
    assert first["sources"] == [
        {"scanner": "crane", "id": "CVE-2024-4340", "severity": "critical"},
        {"scanner": "grype", "id": SQLPARSE, "severity": "high"},
    ]
    assert (first["fixedIn"], second["id"]) == (["0.5.0"], IDNA)
    assert [each["name"] for each in report()["scanners"]] == ["grype", "crane"]
    assert len(list((project / ".sc").rglob("scan.crane.json"))) == 1
    result = sc(f"{scan} --output json", "--ignore", f"{SQLPARSE} until {LATER}: both are one").result
    assert (result["outputs"]["critical"], result["outputs"]["ignored"]) == (0, 1)
    assert datetime.fromisoformat(result["outputs"]["databaseBuilt"]) < datetime.now(UTC) - timedelta(hours=23)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--ignore CVE-1-1", "'ID in PACKAGE until YYYY-MM-DD: REASON' is expected"),
        ("--ignore 'CVE-1-1 until 2026-02-30: x'", "expires: a date is expected"),
        ("--epss-above 1", "0<=x<1"),
        ("--epss-above much", "not a valid float"),
        ("--max-database-age 5", "as 120h or 5d"),
        ("--tool-fail-on clair=high", "tools: grype, trivy"),
        ("--tool-fail-on grype=bad", "severities: critical"),
        ("--tool clair", "known: grype, trivy"),
        ("--tool-optional trivy", "add `--tool trivy`, or remove it"),
    ],
)
def test_bad_flags_are_refused_before_anything(
    sc: CommandLine, image: str, project: Path, flags: str, said: str
) -> None:
    done = sc(f"image scan --image {image} {flags}")
    assert (done.code, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())
    assert not (project / ".sc").exists()
