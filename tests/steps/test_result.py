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


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[]",
        "null",
        "passed",
        "[" * 2000,
        " " * (MAX_BYTES + 1),
        changed(schema="https://sc-secure.dev/step-result/v2"),
        changed(more=1),
        changed(step="deploy"),
        changed(step=["scan"]),
        changed(status="secured"),
        changed(subject=None),
        changed(outputs=[]),
        changed(outputs={"x": None}),
        changed(outputs={"x": [1]}),
        changed(outputs={"x": {"y": 1}}),
        changed(artifacts={}),
        changed(artifacts=[{"path": "x", "sha256": "c" * 63, "mediaType": "y"}]),
        changed(artifacts=[{"path": "x", "sha256": "c" * 64, "media_type": "y"}]),
        changed(artifacts=["x"]),
        changed(warnings="x"),
        changed(warnings=[1]),
        changed(tool="grype"),
        changed(tool={"name": "grype"}),
        changed(startedAt="yesterday"),
        changed(startedAt="2026-11-25T09:30:00"),
        changed(finishedAt=1),
    ],
)
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        StepResult.from_line(line)
