import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.command_line import CommandLine, in_process, wrap
from tests.images import CLEAN
from tests.steps.conftest import PushImage
from tests.vulnerability_database import emptied, import_changed


def report_of(project: Path) -> dict:
    (report,) = (project / ".sc").rglob("scan.json")
    return json.loads(report.read_bytes())


def test_below_the_threshold_passes(sc: CommandLine, image: str, project: Path) -> None:
    result = sc(f"image scan --image {image} --fail-on critical --warn-on high --output json").result
    outputs = result["outputs"]
    built = outputs.pop("databaseBuilt")
    assert outputs == {
        "critical": 0,
        "high": 1,
        "medium": 1,
        "low": 0,
        "negligible": 0,
        "unknown": 0,
        "ignored": 0,
        "verdict": "warn",
    }
    assert abs(datetime.now(UTC) - datetime.fromisoformat(built)) < timedelta(days=4)
    assert any("sample vulnerability database" in warning for warning in result["warnings"])
    assert any("GHSA-2m57-hf25-phgg" in warning for warning in result["warnings"])
    report = report_of(project)
    assert report["subject"] == image
    (scanner,) = report["scanners"]
    assert (scanner["name"], scanner["database"]["providers"]) == ("grype", ["sc-secure-sample"])
    assert report["policy"] == {
        "failOn": "critical",
        "warnOn": "high",
        "onlyFixed": False,
        "tools": {},
        "kev": False,
        "epssAbove": None,
        "ignore": [],
        "vex": [],
        "maxDatabaseAge": None,
    }
    assert [(each["id"], each["action"], each["reason"]) for each in report["findings"]] == [
        ("GHSA-2m57-hf25-phgg", "warn", "scan.warnOn: high"),
        ("GHSA-jjg7-2v4v-x38h", "allow", "below scan.failOn: critical"),
    ]
    assert report["findings"][0]["aliases"] == ["CVE-2024-4340"]
    assert report["findings"][0]["sources"] == [{"scanner": "grype", "id": "GHSA-2m57-hf25-phgg", "severity": "high"}]


def test_a_violation_is_a_short_verdict_and_the_report_is_there(sc: CommandLine, image: str, project: Path) -> None:
    done = sc(f"image scan --image {image} --fail-on high --output json")
    assert (done.code, done.stdout) == (3, "")
    lines = done.stderr.splitlines()
    assert len(lines) <= 12
    assert "scan.failOn: high" in lines[0]
    assert "1 high, 1 medium" in lines[0]
    assert any("GHSA-2m57-hf25-phgg" in line and "CVE-2024-4340" in line and "sqlparse 0.4.4" in line for line in lines)
    assert "GHSA-jjg7" not in done.stderr
    assert "scan.json" in done.stderr
    assert report_of(project)["verdict"] == "fail"


def test_a_clean_image(sc: CommandLine, new_image: PushImage) -> None:
    result = sc(f"image scan --image {new_image(CLEAN)} --fail-on negligible --output json").result
    assert result["outputs"]["verdict"] == "pass"


def test_a_configuration_in_the_project_hides_nothing(sc: CommandLine, image: str, project: Path) -> None:
    (project / ".grype.yaml").write_text("ignore:\n  - vulnerability: GHSA-2m57-hf25-phgg\nonly-fixed: true\n")
    env = {"GRYPE_ONLY_FIXED": "true", "GRYPE_EXCLUDE": "**/*", "GRYPE_CONFIG": str(project / ".grype.yaml")}
    assert sc(f"image scan --image {image} --fail-on high", **env).code == 3


@pytest.mark.parametrize(
    ("days", "said"), [(2, "future"), (-30, "weeks"), (0, "empty")], ids=["future", "old", "empty"]
)
def test_a_database_that_proves_nothing_is_never_a_pass(
    sc: CommandLine, tools_env: dict[str, str], image: str, project: Path, *, days: int, said: str
) -> None:
    changes = [emptied] if said == "empty" else []
    database = import_changed(tools_env, project, *changes, age=timedelta(days=-days))
    done = sc(f"image scan --image {image} --fail-on critical", **database)
    assert (done.code, done.stdout) == (6, "")
    assert said in done.stderr


def test_no_database_is_never_a_pass(sc: CommandLine, image: str, project: Path) -> None:
    done = sc(f"image scan --image {image} --fail-on critical", GRYPE_DB_CACHE_DIR=str(project / "none"))
    assert (done.code, done.stdout) == (6, "")


def test_a_scanner_that_prints_rubbish_is_never_a_pass(
    tools_env: dict[str, str],
    project: Path,
    image: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = '[ "$1" = version ] && exec "$real" "$@"\necho "{}"'
    sc = in_process(wrap(project / "bin", tools_env, "grype", script), project, monkeypatch, capsys)
    done = sc(f"image scan --image {image} --fail-on critical")
    assert (done.code, done.stdout) == (6, "")


def test_another_images_catalogue_is_refused(sc: CommandLine, image: str, new_image: PushImage, project: Path) -> None:
    other = new_image(CLEAN)
    sc(f"sbom generate --image {other} --format syft-json")
    (document,) = (project / ".sc").rglob("sbom.syft.json")
    given = os.path.relpath(document, project)
    assert sc(f"image scan --image {other} --fail-on high --sbom {given}").code == 0
    assert sc(f"image scan --image {image} --fail-on high --sbom {given}").code == 4
    # … nor is it used when it lies where ours should be
    ours = document.parents[1] / image.partition("@")[2].replace(":", "-")
    ours.mkdir()
    (ours / document.name).write_bytes(document.read_bytes())
    assert sc(f"image scan --image {image} --fail-on high").code == 3


def test_a_catalogue_that_came_with_the_source_is_not_taken(sc: CommandLine, image: str, project: Path) -> None:
    """One that lists nothing, as a pull request could add it for an image whose digest is known."""
    sc(f"sbom generate --image {image} --format cyclonedx-json")
    folder = project / ".sc/artifacts" / image.partition("@")[2].replace(":", "-")
    for name, key in (("sbom.syft.json", "artifacts"), ("sbom.cyclonedx.json", "components")):
        document = json.loads((folder / name).read_bytes())
        (folder / name).write_text(json.dumps({**document, key: []}))
    assert sc(f"image scan --image {image} --fail-on high").code == 3
    result = sc(f"sbom generate --image {image} --format cyclonedx-json --output json").result
    assert result["outputs"]["packages"] == 2
    assert json.loads((folder / "sbom.cyclonedx.json").read_bytes())["components"]


def test_a_scanner_that_is_missing(sc: CommandLine, image: str) -> None:
    done = sc(f"image scan --image {image} --fail-on high", PATH="/nowhere")
    assert (done.code, done.stdout) == (5, "")
    assert "grype" in done.stderr
    assert "install" in done.stderr
