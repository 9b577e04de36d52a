"""Documents that somebody else wrote in the meantime: neither attached nor reported as what a step of this run made."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sc_secure.errors import ConfigError, InfrastructureError, PolicyViolation, VerificationFailed
from sc_secure.steps import provenance
from sc_secure.steps.attest import attach_gathered
from sc_secure.steps.release import Outcome, _with_document
from sc_secure.steps.result import Artifact, StepResult
from sc_secure.steps.scan import _given
from sc_secure.steps.scan_report import REPORT
from sc_secure.steps.session import Session
from tests.steps.shelf import IMAGE, KEY, Shelf, Verifies, session

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.chdir(tmp_path)
    made = session(tmp_path, Shelf(), Verifies())
    made.folder(IMAGE).mkdir()
    return made


def written(run: Session, name: str, content: bytes) -> Artifact:
    path = run.folder(IMAGE) / name
    path.write_bytes(content)
    return run.artifact(path, content, "application/json")


def test_provenance_that_is_another_one_by_now_is_not_signed(run: Session) -> None:
    gathered = written(run, provenance.FILE, b'{"ours": 1}')
    written(run, provenance.FILE, b'{"theirs": 1}')
    with pytest.raises(InfrastructureError) as raised:
        attach_gathered(run, IMAGE, gathered, replace(KEY, public=False))
    assert raised.value.message == f"{gathered.path} was written anew by somebody else"


def scanned(artifacts: list[Artifact]) -> Outcome:
    result = StepResult(step="scan", subject=IMAGE.subject, status="passed", artifacts=artifacts, started_at=NOW)
    return Outcome("scan", "scan", result=result)


def test_a_report_that_is_another_one_by_now_is_not_told_of(run: Session) -> None:
    ours = written(run, REPORT, b'{"ours": 1}')
    outcome = scanned([ours])
    assert _with_document(run, IMAGE, outcome) == (outcome, {"ours": 1})
    written(run, REPORT, b'{"theirs": 1}')
    instead, document = _with_document(run, IMAGE, outcome)
    assert (instead.result, document) == (None, None)
    assert str(instead.error) == f"{ours.path} was written anew by somebody else"


def test_of_a_scan_that_could_not_be_made_no_older_report_is_told(run: Session) -> None:
    written(run, REPORT, b'{"older": 1}')
    failed = replace(scanned([]), result=None, error=InfrastructureError("x"))
    assert _with_document(run, IMAGE, failed) == (failed, None)
    soft = scanned([])
    assert soft.result is not None
    soft = replace(soft, result=replace(soft.result, status="soft_failed"))
    assert _with_document(run, IMAGE, soft) == (soft, None)
    forbidden = replace(failed, error=PolicyViolation("x"))
    assert _with_document(run, IMAGE, forbidden) == (forbidden, {"older": 1})


def test_a_catalogue_that_is_given_has_to_be_of_this_image(run: Session) -> None:
    with pytest.raises(ConfigError, match=r"^--sbom gone\.json: No such file or directory$"):
        _given(Path("gone.json"), IMAGE)
    Path("other.json").write_text("{}")
    with pytest.raises(VerificationFailed, match=r"^--sbom other\.json: not a syft-json catalogue of sha256:a+$"):
        _given(Path("other.json"), IMAGE)
