"""The release document: what was done to one image, what was found and what was decided. All reports are made of it.

`docs/release.schema.json` is its JSON Schema, made from these models.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from sc_secure.policy.decision import Action
from sc_secure.policy.decision import Verdict as ScanVerdict
from sc_secure.steps.result import StepName

SCHEMA = "https://sc-secure.dev/release/v1"
Verdict = Literal["secured", "degraded", "unsecured", "refused", "failed", "incomplete"]
"""`secured`: every step passed. `degraded`: one failed softly. `unsecured`: the policy switches everything off.
`refused`: the policy or a verification said no. `failed`: something broke, so nothing is known. `incomplete`: steps
passed, and nothing says that they were all."""
StepStatus = Literal["passed", "reused", "skipped", "soft_failed", "failed", "not_run"]
"""As in a step's result; and `failed`, and `not_run` for what comes after that."""
Word = Literal["critical", "high", "medium", "low", "negligible", "unknown"]
"""A severity."""


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        serialize_by_alias=True,
        frozen=True,
        use_attribute_docstrings=True,
    )


class Artifact(_Model):
    """A document that a step wrote."""

    path: str
    """Relative to the project's folder, with forward slashes."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    media_type: str


class ToolUsed(_Model):
    """The program that did the work."""

    name: str
    version: str


class Step(_Model):
    """One step of the chain."""

    name: str
    """Unique in the document: `sbom`, `scan`, `sign`, `attest-sbom`, `verify`, …"""
    kind: StepName
    needs: list[str] = Field(default_factory=list[str])
    """Names of the steps that it waited for."""
    status: StepStatus
    started_at: datetime | None = None
    finished_at: datetime | None = None
    outputs: dict[str, str | int | float | bool | dict[str, str]] = Field(default_factory=dict)
    artifacts: list[Artifact] = Field(default_factory=list[Artifact])
    warnings: list[str] = Field(default_factory=list[str])
    tool: ToolUsed | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took; None: it didn't run."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class Failure(_Model):
    """What ended the chain."""

    step: str
    """The step's name."""
    exit_code: int
    """As on the command line: 3 for a policy, 4 for a verification, …"""
    message: str
    advice: str = ""


class Said(_Model):
    """What one scanner said of a finding."""

    scanner: str
    id: str
    severity: Word


class Finding(_Model):
    """One vulnerability in one version of one package, and what was decided on it."""

    id: str
    severity: Word
    package: str
    version: str
    action: Action
    """`fail` closes the gate, `warn` is to be looked at, `allow` is below the thresholds, `ignore` doesn't count."""
    reason: str
    """Why: the policy's item, by its path in the `security:` block."""
    kind: str = ""
    """The package's ecosystem."""
    aliases: list[str] = Field(default_factory=list[str])
    fixed_in: list[str] = Field(default_factory=list[str])
    purl: str = ""
    url: str = ""
    known_exploited: bool = False
    """It is in CISA's catalogue of known exploited vulnerabilities."""
    epss: float | None = None
    """The probability, 0 to 1, that it is exploited within 30 days."""
    sources: list[Said] = Field(default_factory=list[Said])


class Scanner(_Model):
    """A program that looked, and what it compared with."""

    name: str
    version: str
    database_built: str = ""
    """RFC 3339."""
    providers: list[str] = Field(default_factory=list[str])


class Scan(_Model):
    """What was found and decided."""

    verdict: ScanVerdict
    counts: dict[Word, int]
    """Findings per severity; those that are ignored aren't among them."""
    ignored: int
    policy: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """The thresholds that were applied, as in the `security:` block's `scan`."""
    scanners: list[Scanner] = Field(default_factory=list[Scanner])
    findings: list[Finding] | None = None
    """The worst first. None: only the counts are known here."""


class Attachment(_Model):
    """Something signed that is attached to the image in its registry."""

    kind: str
    """`signature`, or an attestation's predicate type."""
    digest: str
    """Its manifest's digest."""
    log_index: str = ""
    """The number of its entry in a transparency log; empty: it is in none."""
    log_id: str = ""
    """That log's own name, in hexadecimal."""
    log_uuid: str = ""
    """A Rekor 1's name for the entry; empty for a Rekor 2, which has none."""
    log_url: str = ""
    """Where that log is; empty: it is the public one, or it isn't known."""


class Signer(_Model):
    """Who must have signed, for those who verify by hand."""

    key: str = ""
    """What `--key` takes; empty: an identity signed."""
    private: bool = False
    """`key` names the private half: the public one has to be taken from it first."""
    identity_regexp: str = ""
    oidc_issuer: str = ""
    transparency_log: bool = False
    trusted_root: str = ""
    """What `--trusted-root` takes: a private Sigstore's. Empty: the public one's, or none."""


class Generator(_Model):
    """What wrote the document."""

    name: Literal["sc-secure"] = "sc-secure"
    version: str


class Release(_Model):
    """What was done to one image."""

    schema_: Annotated[Literal["https://sc-secure.dev/release/v1"], Field(alias="schema")] = SCHEMA
    subject: str
    """The image: `repository@sha256:…`."""
    verdict: Verdict
    environment: str = ""
    """What the release is for, as it was given: `production`."""
    policy: str = ""
    """Where the policy came from: a stack's name or a file."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    steps: list[Step] = Field(default_factory=list[Step])
    """In their order."""
    scan: Scan | None = None
    attachments: list[Attachment] = Field(default_factory=list[Attachment])
    signer: Signer | None = None
    failure: Failure | None = None
    generator: Generator

    @property
    def repository(self) -> str:
        """The subject without its digest."""
        return self.subject.partition("@")[0]

    @property
    def digest(self) -> str:
        """The subject's digest."""
        return self.subject.partition("@")[2]

    @property
    def warnings(self) -> list[str]:
        """Each warning once, in the steps' order."""
        return list(dict.fromkeys(warning for step in self.steps for warning in step.warnings))

    def findings(self, action: Action) -> list[Finding]:
        """The findings with that action, the worst first; none where only counts are known."""
        known = (self.scan.findings if self.scan else None) or []
        return [finding for finding in known if finding.action == action]


class ReleaseResult(_Model):
    """What the command line prints of a release with `--output json`: one line."""

    schema_: Annotated[Literal["https://sc-secure.dev/release-result/v1"], Field(alias="schema")] = (
        "https://sc-secure.dev/release-result/v1"
    )
    subject: str
    verdict: Verdict
    environment: str = ""
    exit_code: int
    counts: dict[Word, int] = Field(default_factory=dict[Word, int])
    """Findings per severity; empty without a scan."""
    ignored: int = 0
    attachments: list[Attachment] = Field(default_factory=list[Attachment])
    reports: dict[Literal["json", "md", "html", "sarif"], str]
    """Each report's path."""
