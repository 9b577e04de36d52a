"""The `security:` block, as models: the one definition of what a policy may say.

YAML writes the keys in camelCase and a Pulumi program in snake_case; both are read by these models, and both are
strict: an unknown key is an error with its path, and so is a value that this version can't carry out, since a policy
that is silently not followed is worse than none.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from sc_secure.errors import ConfigError

Threshold = Literal["critical", "high", "medium", "low", "negligible", "unknown"]
"""What a policy names: findings of that severity and worse."""
SbomFormat = Literal["cyclonedx-json", "spdx-json", "syft-json"]


def _always_required(value: bool) -> bool:
    if not value:
        raise ValueError("false (a step that may fail softly) isn't available in this version; remove it")
    return value


def _only_bundle(value: bool) -> bool:
    if not value:
        raise ValueError("an unsigned attachment isn't available in this version; remove it")
    return value


Required = Annotated[bool, AfterValidator(_always_required)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True, strict=True)


class ScanTool(_Block):
    """One scanner."""

    name: Literal["grype"]
    """The scanner's name."""
    required: Required = True
    """A scanner that can't run fails the scan."""
    enabled: bool = True
    fail_on: Threshold | None = None
    """Findings of this severity and worse close the gate; with `scan.failOn`, the stricter of the two counts."""
    warn_on: Threshold | None = None


class Scan(_Block):
    """Looking for known vulnerabilities, and what to do about them."""

    enabled: bool = True
    required: Required = True
    fail_on: Threshold | None = None
    """Findings of this severity and worse close the gate. `critical` when nothing is said here or at the tool."""
    warn_on: Threshold | None = None
    """Findings of this severity and worse are warned of."""
    tools: list[ScanTool] = Field(default_factory=lambda: [ScanTool(name="grype")])
    only_fixed: bool = False
    """Findings without a fixed version don't count."""
    attest: bool = True
    """Attach the scan's result to the image as a signed attestation, where signing is on."""

    @model_validator(mode="after")
    def _one_tool_runs(self) -> Scan:
        if self.enabled and not any(tool.enabled for tool in self.tools):
            raise ValueError(
                "tools: no scanner is enabled: nothing would be scanned; set scan.enabled to false instead"
            )
        return self

    @property
    def effective_fail_on(self) -> Threshold:
        """The strictest threshold of the block and of its tools."""
        return _strictest([self.fail_on, *(t.fail_on for t in self.tools if t.enabled)]) or "critical"

    @property
    def effective_warn_on(self) -> Threshold | None:
        """The strictest warning threshold of the block and of its tools, if any is named."""
        return _strictest([self.warn_on, *(t.warn_on for t in self.tools if t.enabled)])


def _strictest(thresholds: list[Threshold | None]) -> Threshold | None:
    """The threshold that takes in the most severities."""
    order: tuple[Threshold, ...] = ("unknown", "negligible", "low", "medium", "high", "critical")
    return next((threshold for threshold in order if threshold in thresholds), None)


class SignatureVerify(_Block):
    """Verifying what was signed, before anything uses it."""

    enabled: bool = True
    key: str | None = None
    """The public key. Without it, the public half of `signing.key`."""
    oidc_issuer: str | None = None
    """Keyless only: who issued the identity."""
    identity_regexp: str | None = None
    """Keyless only: what the identity must match."""


class Signing(_Block):
    """Signing the image and everything attached to it."""

    enabled: bool = True
    required: Required = True
    keyless: bool = False
    """Sign with a short-lived certificate for a workload identity (Sigstore)."""
    key: str | None = None
    """A cosign private key: a file's path relative to the project, `env://NAME`, or a KMS address."""
    password_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The name of the environment variable that holds the key's password. `COSIGN_PASSWORD` when not said."""
    transparency_log: bool | None = None
    """Record signatures in a public log (Rekor). A key's signatures aren't recorded in this version."""
    verify: SignatureVerify = Field(default_factory=SignatureVerify)

    @model_validator(mode="after")
    def _one_way_to_sign(self) -> Signing:
        if not self.enabled:
            return self
        if self.keyless and self.key:
            raise ValueError("keyless and key exclude each other; keep one of them")
        if not self.keyless and not self.key:
            raise ValueError("say how to sign: key (a cosign private key), or keyless: true")
        return self


class SbomAttach(_Block):
    """Attaching the SBOM to the image in the registry."""

    enabled: bool = True
    sign: Annotated[bool, AfterValidator(_only_bundle)] = True
    """As a signed attestation."""


class Sbom(_Block):
    """The image's software bill of materials."""

    enabled: bool = True
    required: Required = True
    format: SbomFormat = "cyclonedx-json"
    attach: SbomAttach = Field(default_factory=SbomAttach)


class Provenance(_Block):
    """How the image was built, as SLSA v1.0 provenance."""

    enabled: bool = True
    required: Required = True
    builder_id: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9+.-]*:[^\s]+$")
    """A URI that names who builds. When not said: the CI system's workflow, or a person's own machine."""
    include_git: bool = True
    """Record the source's repository and commit."""
    include_dockerfile: bool = True
    """Record the Dockerfile's hash."""


Seconds = Annotated[int, Field(ge=1, le=86400, strict=False)]
"""Not strict: a whole number that comes from another language through Pulumi's wire is a float."""


class Timeouts(_Block):
    """How long each step may take, in seconds."""

    scan: Seconds = 600
    sign: Seconds = 300
    sbom: Seconds = 600
    attest: Seconds = 300
    verify: Seconds = 300


class Security(_Block):
    """The whole block. A section that is absent is off; one that is there is on unless it says `enabled: false`."""

    enabled: bool = True
    scan: Scan = Field(default_factory=lambda: Scan(enabled=False))
    signing: Signing = Field(default_factory=lambda: Signing(enabled=False))
    sbom: Sbom = Field(default_factory=lambda: Sbom(enabled=False))
    provenance: Provenance = Field(default_factory=lambda: Provenance(enabled=False))
    timeouts: Timeouts = Field(default_factory=Timeouts)

    @model_validator(mode="after")
    def _attestations_need_a_signature(self) -> Security:
        if self.enabled and not self.signing.enabled:
            if self.provenance.enabled:
                raise ValueError("provenance is attached signed: add a signing section, or remove provenance")
            if self.sbom.enabled and "attach" in self.sbom.model_fields_set and self.sbom.attach.enabled:
                raise ValueError("sbom.attach needs a signing section: add one, or set sbom.attach.enabled to false")
            if self.scan.enabled and "attest" in self.scan.model_fields_set and self.scan.attest:
                raise ValueError("scan.attest needs a signing section: add one, or set scan.attest to false")
        return self

    @property
    def attaches_sbom(self) -> bool:
        """The SBOM becomes an attestation."""
        return self.signing.enabled and self.sbom.enabled and self.sbom.attach.enabled

    @property
    def attests_scan(self) -> bool:
        """The scan's result becomes an attestation."""
        return self.signing.enabled and self.scan.enabled and self.scan.attest


def problems(error: ValidationError, *, root: str, camel: bool) -> list[tuple[str, str]]:
    """A validation's errors as (path, what is wrong and what is allowed); values never appear in them."""
    found: list[tuple[str, str]] = []
    for item in error.errors(include_input=False, include_url=False):
        parts = [str(part) for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
        reason = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            reason = _unknown_key(parts, camel=camel)
        found.append((".".join([root, *parts]), reason))
    return found


def _unknown_key(parts: list[str], *, camel: bool) -> str:
    """Names what was probably meant, or what is allowed there."""
    model: Any = Security
    for part in parts[:-1]:
        if part.isdigit():
            continue
        model = _submodel(model, part)
    fields: Mapping[str, Any] = model.model_fields
    allowed = [to_camel(name) if camel else name for name in fields]
    return f"unknown key; {near_miss(parts[-1], allowed)}"


def near_miss(word: str, allowed: Iterable[str]) -> str:
    """What was probably meant, or else all that is allowed."""
    choices = sorted(allowed)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"allowed here: {', '.join(choices)}"


def _submodel(model: Any, part: str) -> Any:
    for name, field in model.model_fields.items():
        if part in (name, to_camel(name)):
            candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
            return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), model)
    return model


def parse_security(block: Mapping[str, Any], *, root: str = "security", camel: bool = True) -> Security:
    """The policy that a block describes.

    Args:
        block: the mapping under `security:`.
        root: the path that errors start with.
        camel: keys are written in camelCase (YAML); otherwise in snake_case (a Pulumi program).

    Raises:
        ConfigError: every problem of the block at once, a line each, with its path.
    """
    try:
        return Security.model_validate(dict(block), by_alias=camel, by_name=not camel)
    except ValidationError as error:
        lines = [f"{path}: {reason}" for path, reason in problems(error, root=root, camel=camel)]
        raise ConfigError("\n".join(lines)) from None
