"""The `security:` block, as models: the one definition of what a policy may say.

YAML writes the keys in camelCase and a Pulumi program in snake_case; both are read by these models, and both are
strict: an unknown key is an error with its path, and so is a value that this version can't carry out, since a policy
that is silently not followed is worse than none.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from sc_secure.errors import ConfigError
from sc_secure.policy.age import Age
from sc_secure.policy.block import Block as _Block
from sc_secure.policy.ignore import MAX_RULES, IgnoreRule
from sc_secure.policy.limits import MAX_ATTEMPTS
from sc_secure.policy.retry import Delay
from sc_secure.policy.sigstore import LEGACY_NEEDS, SETTINGS, SignatureFormat, SigstoreProblem, check
from sc_secure.policy.source import check_builder, check_source

Threshold = Literal["critical", "high", "medium", "low", "negligible", "unknown"]
"""What a policy names: findings of that severity and worse."""
SbomFormat = Literal["cyclonedx-json", "spdx-json", "syft-json"]

MAX_BUILD_ARGS = 50
"""How many build arguments' values are recorded at most: each is a part of the command."""
BuildArgName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,255}$")]
MAX_KEYS = 8
"""How many further keys are accepted at most: each is a part of the command, and each is tried."""
MAX_VEX = 20
"""How many VEX documents a policy names at most: each is a part of the command."""
SigstoreUrl = Annotated[str, Field(min_length=1, max_length=1000)]
SigstorePath = Annotated[str, Field(min_length=1, max_length=1024)]
VexPath = Annotated[str, Field(min_length=1, max_length=1024)]


def _only_bundle(value: bool) -> bool:
    if not value:
        raise ValueError("an unsigned attachment isn't available in this version; remove it")
    return value


DEFAULT_TOOLS = ("grype",)
"""What an image is scanned with when nothing is said."""


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or path == PurePosixPath():
        raise ValueError("a file's path relative to the project, and inside it, is expected")
    return value


class Output(_Block):
    """Where a copy of a document is kept."""

    local: Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_inside)] | None = None
    """A file of the project, besides the one under `.sc/artifacts`. Each image of a program needs its own."""


class ScanTool(_Block):
    """One scanner."""

    name: Literal["grype", "trivy"]
    """The scanner's name."""
    required: bool = True
    """A scanner that can't run fails the scan. `false`: it is left out with a warning, as long as another one runs."""
    enabled: bool = True
    """Run this scanner."""
    fail_on: Threshold | None = None
    """Findings of this severity and worse close the gate; with `scan.failOn`, the stricter of the two counts."""
    warn_on: Threshold | None = None
    """Findings of this severity and worse are warned of."""


class Scan(_Block):
    """Looking for known vulnerabilities, and what to do about them."""

    enabled: bool = True
    """Scan the image."""
    required: bool = True
    """A scan that can't be done stops all that comes after it. `false`: a warning, and the next update tries again."""
    fail_on: Threshold | None = None
    """Findings of this severity and worse close the gate. `critical` when nothing is said here or at the tool."""
    warn_on: Threshold | None = None
    """Findings of this severity and worse are warned of."""
    tools: list[ScanTool] = Field(default_factory=lambda: [ScanTool(name=name) for name in DEFAULT_TOOLS])
    """The scanners."""
    only_fixed: bool = False
    """Findings without a fixed version don't close the gate by their severity."""
    ignore: list[IgnoreRule] = Field(default_factory=list[IgnoreRule])
    """Findings that somebody has looked at, and that don't count until a day."""
    vex: list[VexPath] = Field(default_factory=list[str])
    """OpenVEX 0.2.0 documents, as paths relative to the project: what they clear doesn't count."""
    kev: bool = False
    """Findings that are known to be exploited (CISA's KEV catalogue) close the gate, whatever their severity."""
    epss_above: float | None = Field(default=None, ge=0, lt=1)
    """Findings whose EPSS probability is above this close the gate, whatever their severity."""
    rescan_after: Age | None = None
    """Scan again once the last scan is older than this, as `24h` or `7d`: the next update does."""
    max_database_age: Age | None = None
    """How old the vulnerability database may be, as `120h` or `5d`. What the scanner allows when not said."""
    output: Output = Field(default_factory=Output)
    """Where a copy of the report is kept."""
    attest: bool = True
    """Attach the scan's result to the image as a signed attestation, where signing is on."""

    @model_validator(mode="after")
    def _one_tool_runs(self) -> Scan:
        if self.enabled and not any(tool.enabled for tool in self.tools):
            raise ValueError(
                "tools: no scanner is enabled: nothing would be scanned; set scan.enabled to false instead"
            )
        if len({tool.name for tool in self.tools}) < len(self.tools):
            raise ValueError("tools: a scanner stands there twice; keep one of them")
        return self

    @model_validator(mode="after")
    def _exceptions_are_few(self) -> Scan:
        if len(self.ignore) > MAX_RULES:
            raise ValueError(f"ignore: more than {MAX_RULES} rules; write OpenVEX statements instead (vex)")
        rules = [rule.what for rule in self.ignore]
        twice = [what for what in rules if rules.count(what) > 1]
        if twice:
            raise ValueError(f"ignore: {twice[0]} stands there twice; keep one of them")
        if len(self.vex) > MAX_VEX or len(set(self.vex)) < len(self.vex):
            raise ValueError(f"vex: at most {MAX_VEX} documents, each once")
        return self

    @property
    def running(self) -> list[ScanTool]:
        """The scanners that are switched on."""
        return [tool for tool in self.tools if tool.enabled]

    @property
    def effective_fail_on(self) -> Threshold:
        """The threshold for all scanners. A scanner that runs alone has no other: the stricter of both."""
        return _strictest([self.fail_on, *(tool.fail_on for tool in self._alone)]) or "critical"

    @property
    def effective_warn_on(self) -> Threshold | None:
        """The threshold of warnings for all scanners, if one is named."""
        return _strictest([self.warn_on, *(tool.warn_on for tool in self._alone)])

    @property
    def _alone(self) -> list[ScanTool]:
        return self.running if len(self.running) == 1 else []


def _strictest(thresholds: list[Threshold | None]) -> Threshold | None:
    """The threshold that takes in the most severities."""
    order: tuple[Threshold, ...] = ("unknown", "negligible", "low", "medium", "high", "critical")
    return next((threshold for threshold in order if threshold in thresholds), None)


class SignatureVerify(_Block):
    """Verifying what was signed, before anything uses it."""

    enabled: bool = True
    """Verify the image, with all that is attached, before anything uses it."""
    key: str | None = None
    """The public key. Without it, the public half of `signing.key`."""
    keys: list[str] = Field(default_factory=list[str], max_length=MAX_KEYS)
    """Further public keys that are accepted: old ones, until everything is signed anew."""
    oidc_issuer: str | None = None
    """Keyless only: who issued the identity."""
    identity_regexp: str | None = None
    """Keyless only: what the identity must match."""
    builder_id: Annotated[str, AfterValidator(check_builder)] | None = Field(default=None, max_length=1000)
    """The builder that the provenance must name: its very `builder.id`."""
    source_uri: Annotated[str, AfterValidator(check_source)] | None = Field(default=None, max_length=1000)
    """The repository that the provenance must name, as `https://host/owner/name`; with `@refs/heads/main` where the ref
    counts too."""


class Signing(_Block):
    """Signing the image and everything attached to it."""

    enabled: bool = True
    """Sign the image."""
    required: bool = True
    """A signature that can't be made stops all that comes after it. `false`: a warning; and nothing is verified."""
    keyless: bool = False
    """Sign with a short-lived certificate for a workload identity (Sigstore)."""
    key: str | None = None
    """A cosign private key: a file's path relative to the project, `env://NAME`, or a KMS address."""
    password_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The name of the environment variable that holds the key's password. `COSIGN_PASSWORD` when not said."""
    transparency_log: bool | None = None
    """Record signatures in a log (Rekor), and demand its entry when verifying. When not said: with `keyless`."""
    fulcio_url: SigstoreUrl | None = None
    """A private Sigstore's certificate authority. The public one when neither it nor `signingConfig` is said."""
    rekor_url: SigstoreUrl | None = None
    """A private Sigstore's transparency log."""
    tsa_url: SigstoreUrl | None = None
    """A private timestamp authority (RFC 3161)."""
    oidc_issuer: SigstoreUrl | None = None
    """Keyless only: who must have issued the identity token. Anyone that the certificate authority takes, when not
    said."""
    trusted_root: SigstorePath | None = None
    """A private Sigstore's authorities and logs: a file's path relative to the project."""
    signing_config: SigstorePath | None = None
    """A private Sigstore's services, in place of their URLs: a file's path relative to the project."""
    format: SignatureFormat = "bundle"
    """How signatures and attestations are kept in the registry: as Sigstore bundles, in cosign's older way, which needs
    a key and no log, or both."""
    verify: SignatureVerify = Field(default_factory=SignatureVerify)
    """How what was signed is verified."""

    @model_validator(mode="after")
    def _one_way_to_sign(self) -> Signing:
        if not self.enabled:
            return self
        if not self.required and "enabled" in self.verify.model_fields_set and self.verify.enabled:
            raise ValueError(
                "required: false lets an image pass that couldn't be signed, so it can't be verified; set required to "
                "true, or verify.enabled to false"
            )
        if self.keyless and self.key:
            raise ValueError("keyless and key exclude each other; keep one of them")
        if not self.keyless and not self.key:
            raise ValueError("say how to sign: key (a cosign private key), or keyless: true")
        if self.keyless and (self.verify.key or self.verify.keys):
            raise SigstoreProblem(
                "verify.key", "has no meaning with {keyless}: say who must have signed by an identity"
            )
        if self.key and (self.verify.identity_regexp or self.verify.oidc_issuer):
            raise SigstoreProblem("verify.identity_regexp", "has no meaning with a key: it goes with {keyless}")
        if self.keyless and self.password_env is not None:
            raise SigstoreProblem("password_env", "has no meaning with {keyless}")
        check(self.sigstore, keyless=self.keyless, transparency_log=self.transparency_log)
        if self.format != "bundle" and (self.logged or self.sigstore):
            raise SigstoreProblem("format", f"{self.format} {LEGACY_NEEDS}; use bundle")
        return self

    @property
    def sigstore(self) -> dict[str, str]:
        """What is said of the Sigstore: setting → value, of `sigstore.SETTINGS`."""
        said: dict[str, str | None] = {name: getattr(self, name) for name in SETTINGS}
        return {name: value for name, value in said.items() if value}

    @property
    def verifies(self) -> bool:
        """What was signed is verified. Where signing isn't required, there may be nothing to verify."""
        return self.enabled and self.required and self.verify.enabled

    @property
    def logged(self) -> bool:
        """Signatures get an entry in a transparency log."""
        return self.keyless if self.transparency_log is None else self.transparency_log


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
