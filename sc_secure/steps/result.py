"""What a step returns: one line of JSON on stdout, the contract between the run plane and the plan plane.

Plain dataclasses: each step is a process of its own, and pydantic would take longer to load than all else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict, cast, get_args

SCHEMA = "https://sc-secure.dev/step-result/v1"
MAX_BYTES = 4096
"""A result's greatest size: it is an output of a resource, kept in state and shown in diffs."""

Status = Literal["passed", "reused", "skipped", "soft_failed"]
StepName = Literal["sbom", "scan", "sign", "provenance", "attest", "verify"]
Outputs = dict[str, str | int | float | bool | dict[str, str]]
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Artifact:
    """A document that the step wrote."""

    path: str
    """Relative to the project's folder, with forward slashes."""
    sha256: str
    media_type: str


@dataclass(frozen=True)
class ToolUsed:
    """The program that did the work."""

    name: str
    version: str


class ArtifactDocument(TypedDict):
    """A document that the step wrote, as it is printed."""

    path: str
    """Relative to the project's folder, with forward slashes."""
    sha256: str
    mediaType: str


class ToolDocument(TypedDict):
    """The program that did the work, as it is printed."""

    name: str
    version: str


class StepResultDocument(TypedDict):
    """What a step prints with `--output json`: one line of at most 4 KiB."""

    schema: Literal["https://sc-secure.dev/step-result/v1"]
    step: StepName
    subject: str
    """The image: `repository@sha256:…`."""
    status: Status
    """`passed`: done now. `reused`: it was there already. `skipped`: nothing to do. `soft_failed`: it couldn't be done,
    and isn't required."""
    outputs: Outputs
    """What the step found or made; each step its own."""
    artifacts: list[ArtifactDocument]
    warnings: list[str]
    tool: NotRequired[ToolDocument]
    startedAt: str
    """RFC 3339, in UTC."""
    finishedAt: str
    """RFC 3339, in UTC."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """The result of one step on one image digest. At most `MAX_BYTES` as JSON.

    `status` is `passed` (done now), `reused` (it was there already, and was checked), `skipped` (nothing to do) or
    `soft_failed` (an infrastructure failure of a step that isn't required). A failure has no result: it has an
    exit code and a message on stderr.
    """

    step: StepName
    subject: str
    """The image: `repository@sha256:…`."""
    status: Status
    outputs: Outputs = field(default_factory=dict[str, Any])
    artifacts: list[Artifact] = field(default_factory=list[Artifact])
    warnings: list[str] = field(default_factory=list[str])
    tool: ToolUsed | None = None
    started_at: datetime
    finished_at: datetime = field(default_factory=_now)

    def to_line(self) -> str:
        """One line of JSON of at most `MAX_BYTES`; warnings that don't fit are cut, and counted.

        Raises:
            ValueError: the rest alone is larger than `MAX_BYTES`.
        """
        line = self._json()
        kept = list(self.warnings)
        while len(line.encode()) > MAX_BYTES:
            if not kept:
                raise ValueError(f"a step result of {len(line.encode())} bytes; at most {MAX_BYTES} are allowed")
            kept.pop()
            left_out = len(self.warnings) - len(kept)
            line = replace(self, warnings=[*kept, f"{left_out} more warnings: see the report"])._json()
        return line

    def _json(self) -> str:
        document: StepResultDocument = {
            "schema": SCHEMA,
            "step": self.step,
            "subject": self.subject,
            "status": self.status,
            "outputs": self.outputs,
            "artifacts": [
                {"path": each.path, "sha256": each.sha256, "mediaType": each.media_type} for each in self.artifacts
            ],
            "warnings": self.warnings,
            "startedAt": _rfc3339(self.started_at),
            "finishedAt": _rfc3339(self.finished_at),
        }
        if self.tool:
            document["tool"] = {"name": self.tool.name, "version": self.tool.version}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> StepResult:
        """The result that a step printed.

        Raises:
            ValueError: it isn't one.
        """
        if len(line.encode()) > MAX_BYTES:
            raise ValueError(f"a step result of {len(line.encode())} bytes; at most {MAX_BYTES} are allowed")
        try:
            said = _keys("result", json.loads(line), _REQUIRED, _OPTIONAL)
        except RecursionError:
            raise ValueError("result: nested too deep") from None
        if said["schema"] != SCHEMA:
            raise ValueError(f"schema: {SCHEMA} is expected")
        tool = said.get("tool")
        return cls(
            step=_one_of("step", said["step"], get_args(StepName)),
            subject=_text("subject", said["subject"]),
            status=_one_of("status", said["status"], get_args(Status)),
            outputs=_outputs(said.get("outputs", {})),
            artifacts=_list("artifacts", said.get("artifacts", []), _artifact),
            warnings=_list("warnings", said.get("warnings", []), lambda each: _text("warnings", each)),
            tool=None if tool is None else _tool(tool),
            started_at=_moment("startedAt", said["startedAt"]),
            finished_at=_moment("finishedAt", said["finishedAt"]),
        )


_REQUIRED = ("schema", "step", "subject", "status", "startedAt", "finishedAt")
_OPTIONAL = ("outputs", "artifacts", "warnings", "tool")


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _keys(what: str, value: object, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what}: an object is expected")  # noqa: TRY004 - a bad value, not a bug
    said = cast("dict[str, Any]", value)
    missing, unknown = set(required) - set(said), set(said) - {*required, *optional}
    if missing or unknown:
        raise ValueError(f"{what}: missing: {sorted(missing)}; unknown: {sorted(unknown)}")
    return said


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what}: a text is expected")  # noqa: TRY004 - see above
    return value


def _one_of(what: str, value: object, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        raise ValueError(f"{what}: one of {', '.join(allowed)} is expected")
    return value


def _moment(what: str, value: object) -> datetime:
    moment = datetime.fromisoformat(_text(what, value))
    if moment.tzinfo is None:
        raise ValueError(f"{what}: a time with its zone is expected")
    return moment


def _list(what: str, value: object, item: Callable[[object], Any]) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{what}: a list is expected")  # noqa: TRY004 - see above
    return [item(each) for each in cast("list[object]", value)]


def _artifact(value: object) -> Artifact:
    said = _keys("artifacts", value, ("path", "sha256", "mediaType"))
    sha256 = _text("sha256", said["sha256"])
    if not _SHA256.fullmatch(sha256):
        raise ValueError("sha256: 64 hexadecimal digits are expected")
    return Artifact(_text("path", said["path"]), sha256, _text("mediaType", said["mediaType"]))


def _tool(value: object) -> ToolUsed:
    said = _keys("tool", value, ("name", "version"))
    return ToolUsed(_text("name", said["name"]), _text("version", said["version"]))


def _outputs(value: object) -> Outputs:
    said = _keys("outputs", value, (), tuple(cast("dict[str, Any]", value)) if isinstance(value, dict) else ())
    for name, each in said.items():
        if isinstance(each, dict):
            for item in cast("dict[str, object]", each).values():
                _text(f"outputs.{name}", item)
        elif not isinstance(each, str | int | float | bool):
            raise ValueError(f"outputs.{name}: a text, a number or a boolean is expected")  # noqa: TRY004 - see above
    return dict(said)
