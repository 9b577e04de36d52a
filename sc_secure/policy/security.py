"""The `security:` block, as models: the one definition of what a policy may say.

YAML writes the keys in camelCase and a Pulumi program in snake_case; both are read by these models, and both are
strict: an unknown key is an error with its path, and so is a value that this version can't carry out, since a policy
that is silently not followed is worse than none.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from sc_secure.errors import ConfigError
from sc_secure.policy.block import Block as _Block
from sc_secure.policy.limits import MAX_ATTEMPTS
from sc_secure.policy.output import Output
from sc_secure.policy.retry import Delay
from sc_secure.policy.scanning import DEFAULT_TOOLS, MAX_VEX, Scan, ScanTool, Threshold
from sc_secure.policy.signing import MAX_KEYS, SignatureVerify, Signing
from sc_secure.policy.sigstore import SigstoreProblem

__all__ = [
    "DEFAULT_TOOLS",
    "MAX_BUILD_ARGS",
    "MAX_KEYS",
    "MAX_VEX",
    "Output",
    "Provenance",
    "Retry",
    "Sbom",
    "SbomAttach",
    "SbomFormat",
    "Scan",
    "ScanTool",
    "Security",
    "SignatureVerify",
    "Signing",
    "Threshold",
    "Timeouts",
    "model_in",
    "near_miss",
    "parse_security",
    "problems",
]

SbomFormat = Literal["cyclonedx-json", "spdx-json", "syft-json"]

MAX_BUILD_ARGS = 50
"""How many build arguments' values are recorded at most: each is a part of the command."""
BuildArgName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,255}$")]


def _only_bundle(value: bool) -> bool:
    if not value:
        raise ValueError("an unsigned attachment isn't available in this version; remove it")
    return value


class SbomAttach(_Block):
    """Attaching the SBOM to the image in the registry."""

    enabled: bool = True
    """Attach it."""
    sign: Annotated[bool, AfterValidator(_only_bundle)] = True
    """As a signed attestation."""


class Sbom(_Block):
    """The image's software bill of materials."""

    enabled: bool = True
    """Make the SBOM."""
    required: bool = True
    """An SBOM that can't be made or attached stops all that comes after it. `false`: a warning, and another try."""
    format: SbomFormat = "cyclonedx-json"
    """The document's format."""
    output: Output = Field(default_factory=Output)
    """Where a copy of the SBOM is kept."""
    attach: SbomAttach = Field(default_factory=SbomAttach)
    """Attaching it to the image in the registry."""


class Provenance(_Block):
    """How the image was built, as SLSA v1.0 provenance."""

    enabled: bool = True
    """Gather and attach provenance."""
    required: bool = True
    """Provenance that can't be attached stops all that comes after it. `false`: a warning, and another try."""
    builder_id: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9+.-]*:[^\s]+$")
    """A URI that names who builds. When not said: the CI system's workflow, or a person's own machine."""
    include_git: bool = True
    """Record the source's repository and commit."""
    include_dockerfile: bool = True
    """Record the Dockerfile's hash."""
    build_args: list[BuildArgName] = Field(default_factory=list[str], max_length=MAX_BUILD_ARGS)
    """Names of build arguments whose values are recorded too, for all to read: never a secret's."""
    output: Output = Field(default_factory=Output)
    """Where a copy of the provenance is kept."""


def _whole(value: Any) -> Any:
    """Other languages have one kind of number: 3.0 of theirs is 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Seconds = Annotated[int, Field(ge=1, le=86400), BeforeValidator(_whole)]
"""Not strict: a whole number that comes from another language through Pulumi's wire is a float."""


class Timeouts(_Block):
    """How long each step may take, in seconds."""

    scan: Seconds = 600
    """The scan, with all scanners."""
    sign: Seconds = 300
    """The signature."""
    sbom: Seconds = 600
    """The SBOM."""
    attest: Seconds = 300
    """Each attestation."""
    verify: Seconds = 300
    """The verification."""


class Retry(_Block):
    """Trying again what a time-out, a lost connection or a busy server ended. Nothing else is tried again."""

    attempts: Annotated[int, Field(ge=1, le=MAX_ATTEMPTS), BeforeValidator(_whole)] = 4
    """How often in all."""
    base_delay: Delay = 0.5
    """The pause before the second try, in seconds or as `500ms`, at most; doubled each time."""


class Security(_Block):
    """The whole block. A section that is absent is off; one that is there is on unless it says `enabled: false`."""

    enabled: bool = True
    """Off means a plain build and push, with no step at all."""
    scan: Scan = Field(default_factory=lambda: Scan(enabled=False))
    """Looking for known vulnerabilities."""
    signing: Signing = Field(default_factory=lambda: Signing(enabled=False))
    """Signing the image and everything attached to it."""
    sbom: Sbom = Field(default_factory=lambda: Sbom(enabled=False))
    """The image's software bill of materials."""
    provenance: Provenance = Field(default_factory=lambda: Provenance(enabled=False))
    """How the image was built."""
    retry: Retry = Field(default_factory=Retry)
    """Trying again what a time-out, a lost connection or a busy server ended."""
    timeouts: Timeouts = Field(default_factory=Timeouts)
    """How long each step may take, in seconds."""
    drift: Literal["heal", "warn", "off"] = "heal"
    """When a signature or an attestation is gone from the registry: `heal` attaches it again with the next update."""

    @model_validator(mode="after")
    def _attestations_need_a_signature(self) -> Security:
        if self.enabled and not self.signing.enabled:
            if self.provenance.enabled:
                raise ValueError("provenance is attached signed: add a signing section, or remove provenance")
            if self.sbom.enabled and "attach" in self.sbom.model_fields_set and self.sbom.attach.enabled:
                raise ValueError("sbom.attach needs a signing section: add one, or set sbom.attach.enabled to false")
            if self.scan.enabled and "attest" in self.scan.model_fields_set and self.scan.attest:
                raise ValueError("scan.attest needs a signing section: add one, or set scan.attest to false")
        origin = self.signing.verify.builder_id or self.signing.verify.source_uri
        if (
            self.enabled
            and self.signing.verifies
            and origin
            and not (self.provenance.enabled and self.demands("provenance"))
        ):
            raise ValueError(
                "signing.verify demands a builder or a source, which provenance names: add a provenance section, and "
                "have it required"
            )
        return self

    def demands(self, attested: Literal["sbom", "provenance", "scan"]) -> bool:
        """Whether the gate waits for that attestation: its section and signing are required."""
        section: Sbom | Provenance | Scan = getattr(self, attested)
        return self.signing.required and section.required

    @property
    def attaches_sbom(self) -> bool:
        """The SBOM becomes an attestation."""
        return self.signing.enabled and self.sbom.enabled and self.sbom.attach.enabled

    @property
    def attests_scan(self) -> bool:
        """The scan's result becomes an attestation."""
        return self.signing.enabled and self.scan.enabled and self.scan.attest


def problems(error: ValidationError, *, camel: bool) -> list[tuple[list[str], str]]:
    """A validation's errors as (keys down to there, what is wrong and what is allowed); values never appear in them."""
    found: list[tuple[list[str], str]] = []
    for item in error.errors(include_input=False, include_url=False):
        parts = [str(part) for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
        reason = _REASONS.get(item["type"]) or item["msg"].removeprefix("Value error, ")
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, SigstoreProblem):
            parts += [to_camel(part) if camel else part for part in cause.key.split(".")]
            reason = cause.reason(to_camel if camel else str)
        if item["type"] == "extra_forbidden":
            reason = _unknown_key(parts, camel=camel)
        found.append((parts, reason))
    return found


_REASONS = {
    "missing": "missing; it must be said here",
    "model_type": "a mapping is expected",
    "list_type": "a list is expected",
    "int_type": "a whole number is expected",
    "int_from_float": "a whole number is expected",
}
"""A kind of error -> what is allowed there, where pydantic says it in Python's words."""


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
            return model_in(field.annotation) or model
    return model


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field's value is, or that the items of its list are."""
    candidates = (annotation, *getattr(annotation, "__args__", ()))
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)


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
        lines = [f"{'.'.join([root, *parts])}: {reason}" for parts, reason in problems(error, camel=camel)]
        raise ConfigError("\n".join(lines)) from None
