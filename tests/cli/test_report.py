"""`sc-secure report`: from a stack's state, without Pulumi."""

import hashlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.command_line import CommandLine, in_process
from tests.report import documents
from tests.report.documents import SUBJECT, scan_document
from tests.report.test_document import SCHEMAS
from tests.report.test_state import command, component, state, whole

ENV = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
FOLDER = f".sc/artifacts/sha256-{'a' * 64}"


@pytest.fixture
def sc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return in_process(ENV, tmp_path, monkeypatch, capsys)


def with_scan(path: str, content: bytes) -> list[dict[str, Any]]:
    """The chain, whose scan left that document."""
    artifact = {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "mediaType": "application/json"}
    resources = whole()
    for resource in resources:
        if resource["urn"].endswith("::web-scan"):
            result = json.loads(resource["outputs"]["stdout"])
            resource["outputs"]["stdout"] = json.dumps(result | {"artifacts": [artifact]})
    return resources


def write(*resources: Any) -> str:
    Path("state.json").write_text(json.dumps(state(*resources)))
    return "--stack-state state.json"


def test_help(sc: CommandLine) -> None:
    done = sc("report --help")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: sc-secure report")
    assert sc("release create --help").stdout.startswith("Usage: sc-secure release create")


def test_with_the_scan_s_document(sc: CommandLine, tmp_path: Path) -> None:
    content = json.dumps(scan_document(verdict="warn")).encode()
    path = f"{FOLDER}/scan.json"
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / path).write_bytes(content)
    done = sc(f"report {write(*with_scan(path, content))} --output json")
    jsonschema.Draft202012Validator(SCHEMAS["release-result.schema.json"]).validate(done.result)
    assert (done.result["verdict"], done.result["exitCode"], done.stderr) == ("secured", 0, "")
    kinds = ("json", "md", "html", "sarif")
    assert done.result["reports"] == {kind: f"{FOLDER}/release.{kind}" for kind in kinds}
    release = json.loads((tmp_path / FOLDER / "release.json").read_bytes())
    assert len(release["scan"]["findings"]) == len(documents.FINDINGS)
    assert release["policy"] == "stack"
    assert len(release["attachments"]) == 2


@pytest.mark.parametrize("changed", [True, False], ids=["another one", "none"])
def test_without_it_only_counts_are_claimed(sc: CommandLine, tmp_path: Path, *, changed: bool) -> None:
    path = f"{FOLDER}/scan.json"
    if changed:
        (tmp_path / FOLDER).mkdir(parents=True)
        (tmp_path / path).write_text(json.dumps(scan_document([])))
    done = sc(f"report {write(*with_scan(path, b'x'))}")
    assert done.code == 0
    assert ("isn't what the state names" in done.stderr) == changed
    assert "found: 2 high" in done.stdout
    assert "findings" not in json.loads((tmp_path / FOLDER / "release.json").read_bytes())["scan"]
    assert "results" not in json.loads((tmp_path / FOLDER / "release.sarif").read_bytes())["runs"][0]


@pytest.mark.parametrize("path", ["{}/scan.json", "../scan.json"])
def test_a_path_outside_the_project_is_not_read(sc: CommandLine, tmp_path: Path, path: str) -> None:
    content = json.dumps(scan_document()).encode()
    for file in (tmp_path / "scan.json", tmp_path.parent / "scan.json"):
        file.write_bytes(content)
    assert sc(f"report {write(*with_scan(path.format(tmp_path), content))}").code == 0
    assert "findings" not in json.loads((tmp_path / FOLDER / "release.json").read_bytes())["scan"]


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"schema": "https://sc-secure.dev/scan/v0"}'])
def test_a_document_of_another_form(sc: CommandLine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "scan.json").write_bytes(content)
    done = sc(f"report {write(*with_scan('scan.json', content))}")
    assert done.code == 0
    assert "scan.json has another form" in done.stderr
    assert "found: 2 high" in done.stdout


def test_from_standard_input_to_a_folder_of_choice(
    sc: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(state(*whole())).encode())))
    done = sc("report --to out")
    assert done.code == 0
    assert "report: out/release.html" in done.stdout
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_several_images(sc: CommandLine, tmp_path: Path) -> None:
    other = SUBJECT.replace("team/app", "team/other")
    flags = write(component(), command("web-scan"), command("web-scan", other))
    done = sc(f"report {flags}")
    assert (done.code, done.stdout) == (2, "")
    assert SUBJECT in done.stderr
    assert other in done.stderr
    assert json.loads(sc(f"report {flags} --image {other} --output json").stdout)["verdict"] == "incomplete"
    assert json.loads(sc(f"report {flags} --image {SUBJECT} --output json").stdout)["verdict"] == "secured"


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", "{" * 100_000, '{"deployment": {"resources": []}}'])
def test_what_is_no_state_of_ours(sc: CommandLine, tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    done = sc("report --stack-state state.json")
    assert (done.code, done.stdout) == (2, "")
    assert "--stack-state" in done.stderr
    assert sc("report --stack-state none.json").code == 2
    assert not (tmp_path / ".sc").exists()


def test_a_subject_that_is_no_image_names_no_folder(sc: CommandLine, tmp_path: Path) -> None:
    done = sc(f"report {write(command('web-scan', 'x@../../../etc'))}")
    assert (done.code, done.stdout) == (2, "")
    assert list(tmp_path.iterdir()) == [tmp_path / "state.json"]


def test_from_a_scan_that_has_ended_the_update(sc: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "scan.json").write_text(json.dumps(scan_document()))
    done = sc("report --scan scan.json --to out --output json")
    assert (done.result["subject"], done.result["verdict"], done.result["exitCode"]) == (SUBJECT, "refused", 3)
    sarif = json.loads((tmp_path / "out/release.sarif").read_bytes())
    assert {result["level"] for result in sarif["runs"][0]["results"]} >= {"error", "warning", "note"}
    assert "## Refused: the policy forbids 2 findings" in (tmp_path / "out/release.md").read_text()
    (tmp_path / "scan.json").write_text(json.dumps(scan_document(verdict="warn")))
    assert sc("report --scan scan.json --output json").result["verdict"] == "incomplete"


@pytest.mark.parametrize("changed", [{"subject": "x"}, {"verdict": "?"}, {"findings": [1]}])
def test_what_is_no_scan_s_document(sc: CommandLine, tmp_path: Path, *, changed: dict[str, Any]) -> None:
    (tmp_path / "scan.json").write_text(json.dumps(scan_document() | changed))
    done = sc("report --scan scan.json")
    assert (done.code, done.stdout) == (2, "")
    assert "--scan: not a scan's document" in done.stderr
    assert not (tmp_path / ".sc").exists()
