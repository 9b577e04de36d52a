"""What `make up` leaves behind, without its set-up: the README's test runs all of it."""

import json
import os
from pathlib import Path

import pytest

from devtools import cache, up
from devtools.console import SetupError
from tests.report.test_state import state, whole


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "REPOSITORY", tmp_path)
    monkeypatch.setattr(up, "_PROJECT", tmp_path / "project")
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def test_it_leaves_the_reports(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(up, "_pulumi", lambda env, *words: json.dumps(state(*whole())) if "export" in words else "")
    up._report(os.environ)
    said, page = capsys.readouterr().out.strip().split(": ")
    assert said == "Report"
    assert page == f"project/.sc/artifacts/sha256-{'a' * 64}/release.html"
    assert "Secured" in (project.parent / page).read_text()


def test_a_state_without_steps_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "_pulumi", lambda env, *words: json.dumps(state()))
    with pytest.raises(SetupError, match="holds no step's result"):
        up._report(os.environ)
