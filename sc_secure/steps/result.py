"""What a step returns: one line of JSON on stdout, the contract between the run plane and the plan plane."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SCHEMA = "https://sc-secure.dev/step-result/v1"
MAX_BYTES = 4096
"""A result's greatest size: it is an output of a resource, kept in state and shown in diffs."""

Status = Literal["passed", "reused", "skipped", "soft_failed"]
StepName = Literal["sbom", "scan", "sign", "provenance", "attest", "verify"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)


class Artifact(_Model):
    """A document that the step wrote."""

    path: str
    """Relative to the project's folder, with forward slashes."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    media_type: str


class ToolUsed(_Model):
    """The program that did the work."""

    name: str
    version: str


class StepResult(_Model):
    """The result of one step on one image digest. At most `MAX_BYTES` as JSON.

    `status` is `passed` (done now), `reused` (it was there already, and was checked), `skipped` (nothing to do) or
    `soft_failed` (an infrastructure failure of a step that isn't required). A failure has no result: it has an
    exit code and a message on stderr.
    """

    schema_: Annotated[Literal["https://sc-secure.dev/step-result/v1"], Field(alias="schema")] = SCHEMA
    step: StepName
    subject: str
    """The image: `repository@sha256:…`."""
    status: Status
    outputs: dict[str, str | int | float | bool | dict[str, str]] = Field(default_factory=dict)
    artifacts: list[Artifact] = Field(default_factory=list[Artifact])
    warnings: list[str] = Field(default_factory=list[str])
    tool: ToolUsed | None = None
    started_at: datetime
    finished_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    def to_line(self) -> str:
        """One line of JSON of at most `MAX_BYTES`; warnings that don't fit are cut, and counted.

        Raises:
            ValueError: the rest alone is larger than `MAX_BYTES`.
        """
        line = self.model_dump_json(exclude_none=True)
        kept = list(self.warnings)
        while len(line.encode()) > MAX_BYTES:
            if not kept:
                raise ValueError(f"a step result of {len(line.encode())} bytes; at most {MAX_BYTES} are allowed")
            kept.pop()
            left_out = len(self.warnings) - len(kept)
            shorter = self.model_copy(update={"warnings": [*kept, f"{left_out} more warnings: see the report"]})
            line = shorter.model_dump_json(exclude_none=True)
        return line

    @classmethod
    def from_line(cls, line: str) -> StepResult:
        """The result that a step printed.

        Raises:
            ValueError: it isn't one.
        """
        if len(line.encode()) > MAX_BYTES:
            raise ValueError(f"a step result of {len(line.encode())} bytes; at most {MAX_BYTES} are allowed")
        return cls.model_validate_json(line)
