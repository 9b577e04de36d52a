"""The one line of JSON that a step prints: read back as it was written, and refused if it is anything else."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sc_secure.steps.result import MAX_BYTES, SCHEMA, Artifact, StepResult, ToolUsed

BEGAN = datetime(2026, 11, 25, 9, 30, 0, 125000, tzinfo=UTC)
RESULT = StepResult(
    step="scan",
    subject="registry.example/app@sha256:" + "a" * 64,
    status="passed",
    outputs={"high": 1, "share": 0.5, "ok": True, "verdict": "pass", "verified": {"signature": "sha256:b"}},
    artifacts=[Artifact(".sc/artifacts/x/scan.json", "c" * 64, "application/json")],
    warnings=["é: \u202e one"],
    tool=ToolUsed("grype", "0.121.2"),
    started_at=BEGAN,
    finished_at=(BEGAN + timedelta(seconds=2)).astimezone(timezone(timedelta(hours=1))),
)


def changed(**changes: Any) -> str:
    return json.dumps({**json.loads(RESULT.to_line()), **changes})


def test_it_is_one_line_and_comes_back() -> None:
    line = RESULT.to_line()
    assert "\n" not in line
    document = json.loads(line)
    assert document["schema"] == SCHEMA
    assert (document["startedAt"], document["finishedAt"]) == (
        "2026-11-25T09:30:00.125000Z",
        "2026-11-25T09:30:02.125000Z",
    )
    assert document["artifacts"][0]["mediaType"] == "application/json"
    assert StepResult.from_line(line) == RESULT


def test_without_what_may_be_absent() -> None:
    least = StepResult(step="sign", subject="x", status="reused", started_at=BEGAN)
    assert "tool" not in json.loads(least.to_line())
    assert StepResult.from_line(least.to_line()) == least
    bare = {k: v for k, v in json.loads(least.to_line()).items() if k not in ("outputs", "artifacts", "warnings")}
    assert StepResult.from_line(json.dumps(bare)) == least


def test_warnings_that_dont_fit_are_counted() -> None:
    many = StepResult(step="scan", subject="x", status="passed", warnings=["é" * 100] * 60, started_at=BEGAN)
    line = many.to_line()
    assert len(line.encode()) <= MAX_BYTES
    *kept, last = StepResult.from_line(line).warnings
    assert last == f"{60 - len(kept)} more warnings: see the report"
    with pytest.raises(ValueError, match="at most 4096"):
        StepResult(step="scan", subject="x" * 5000, status="passed", started_at=BEGAN).to_line()


def exactly(size: int) -> str:
    """The line of a result of that many bytes."""
    least = len(StepResult(step="scan", subject="", status="passed", started_at=BEGAN, finished_at=BEGAN).to_line())
    return StepResult(
        step="scan", subject="x" * (size - least), status="passed", started_at=BEGAN, finished_at=BEGAN
    ).to_line()


def test_the_greatest_size_is_allowed() -> None:
    assert len(StepResult.from_line(exactly(MAX_BYTES)).to_line()) == MAX_BYTES == 4096
    with pytest.raises(ValueError, match=r"^a step result of 4097 bytes; at most 4096 are allowed$"):
        exactly(MAX_BYTES + 1)


def test_no_more_warnings_are_cut_than_have_to_be() -> None:
    """Each of 61 bytes and more: one fewer would have fitted in what the cut leaves."""
    whole = StepResult(step="scan", subject="x", status="passed", warnings=["w" * 50] * 90, started_at=BEGAN)
    line = whole.to_line()
    assert MAX_BYTES - 60 < len(line) <= MAX_BYTES
    assert StepResult.from_line(line).warnings[:-1] == ["w" * 50] * (len(StepResult.from_line(line).warnings) - 1)


def test_it_is_small_and_its_text_is_as_it_was_said() -> None:
    line = RESULT.to_line()
    assert '"warnings":["é: ' in line
    assert '","subject":"registry.example/' in line
    assert SCHEMA == "https://sc-secure.dev/step-result/v1"
    assert StepResult(step="sign", subject="x", status="passed", started_at=BEGAN).outputs == {}


def artifact(**changes: Any) -> list[Any]:
    return [{"path": "x", "sha256": "c" * 64, "mediaType": "y"} | changes]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        (
            "{}",
            "result: missing: ['finishedAt', 'schema', 'startedAt', 'status', 'step', 'subject']; unknown: []",
        ),
        ("[]", "result: an object is expected"),
        ("null", "result: an object is expected"),
        ("passed", "Expecting value: line 1 column 1 (char 0)"),
        ("[" * 2000, "result: nested too deep"),
        (" " * (MAX_BYTES + 1), "a step result of 4097 bytes; at most 4096 are allowed"),
        (
            changed(schema="https://sc-secure.dev/step-result/v2"),
            "schema: https://sc-secure.dev/step-result/v1 is expected",
        ),
        (changed(more=1), "result: missing: []; unknown: ['more']"),
        (changed(step="deploy"), "step: one of sbom, scan, sign, provenance, attest, verify is expected"),
        (changed(step=["scan"]), "step: one of sbom, scan, sign, provenance, attest, verify is expected"),
        (changed(status="secured"), "status: one of passed, reused, skipped, soft_failed is expected"),
        (changed(subject=None), "subject: a text is expected"),
        (changed(outputs=[]), "outputs: an object is expected"),
        (changed(outputs=1), "outputs: an object is expected"),
        (changed(outputs={"x": None}), "outputs.x: a text, a number or a boolean is expected"),
        (changed(outputs={"x": [1]}), "outputs.x: a text, a number or a boolean is expected"),
        (changed(outputs={"x": {"y": 1}}), "outputs.x: a text is expected"),
        (changed(artifacts={}), "artifacts: a list is expected"),
        (changed(artifacts=["x"]), "artifacts: an object is expected"),
        (changed(artifacts=artifact(sha256="c" * 63)), "sha256: 64 hexadecimal digits are expected"),
        (changed(artifacts=artifact(sha256="c" * 65)), "sha256: 64 hexadecimal digits are expected"),
        (changed(artifacts=artifact(sha256="٣" * 64)), "sha256: 64 hexadecimal digits are expected"),
        (changed(artifacts=artifact(sha256=1)), "sha256: a text is expected"),
        (changed(artifacts=artifact(path=1)), "path: a text is expected"),
        (changed(artifacts=artifact(mediaType=None)), "mediaType: a text is expected"),
        (
            changed(artifacts=[{"path": "x", "sha256": "c" * 64, "media_type": "y"}]),
            "artifacts: missing: ['mediaType']; unknown: ['media_type']",
        ),
        (changed(warnings="x"), "warnings: a list is expected"),
        (changed(warnings=[1]), "warnings: a text is expected"),
        (changed(tool="grype"), "tool: an object is expected"),
        (changed(tool={"name": "grype"}), "tool: missing: ['version']; unknown: []"),
        (changed(tool={"name": 1, "version": "1"}), "name: a text is expected"),
        (changed(tool={"name": "grype", "version": 1}), "version: a text is expected"),
        (changed(startedAt="yesterday"), "Invalid isoformat string: 'yesterday'"),
        (changed(startedAt="2026-11-25T09:30:00"), "startedAt: a time with its zone is expected"),
        (changed(startedAt=1), "startedAt: a text is expected"),
        (changed(finishedAt="2026-11-25T09:30:00"), "finishedAt: a time with its zone is expected"),
        (changed(finishedAt=1), "finishedAt: a text is expected"),
    ],
)
def test_anything_else_is_refused(line: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        StepResult.from_line(line)
    assert str(refused.value) == said
