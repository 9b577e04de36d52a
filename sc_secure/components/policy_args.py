"""The `security:` block as arguments, in snake_case: what `policy/security.py` checks. See `args`."""

from typing import NotRequired, TypedDict


class RetryArgs(TypedDict):
    """Trying again what a time-out, a lost connection or a busy server ended. Nothing else is tried again."""

    attempts: NotRequired[int]
    """How often in all. 4 when not said."""
    base_delay: NotRequired[float]
    """The pause before the second try, in seconds, at most; doubled each time. 0.5 when not said."""


class OutputArgs(TypedDict):
    """Where a copy of a document is kept."""

    local: NotRequired[str]
    """A file of the project. Each image of a program needs its own."""


class ScanToolArgs(TypedDict):
    """One scanner."""

    name: str
    """The scanner's name: `grype` or `trivy`."""
    required: NotRequired[bool]
    """On when not said: one that can't run fails the scan. `false`: it is left out with a warning, if another runs."""
    enabled: NotRequired[bool]
    """Run it. On when not said."""
    fail_on: NotRequired[str]
    """Findings of this severity and worse close the gate."""
    warn_on: NotRequired[str]
    """Findings of this severity and worse are warned of."""


class ScanIgnoreArgs(TypedDict):
    """A finding that doesn't count until a day."""

    id: str
    """The vulnerability, by any of its names: `CVE-…` or `GHSA-…`."""
    package: NotRequired[str]
    """Only in this package: its name, or `name@version`. In every package when not said."""
    reason: str
    """Why the risk is taken, on one line."""
    expires: str
    """The day from which it no longer counts, in UTC, as `2026-12-01`."""


class ScanArgs(TypedDict):
    """Looking for known vulnerabilities, and what to do about them."""

    enabled: NotRequired[bool]
    """On when not said."""
    required: NotRequired[bool]
    """On when not said. `false`: what can't be done is warned of, and tried again by the next update."""
    fail_on: NotRequired[str]
    """Findings of this severity and worse close the gate: critical, high, medium, low, negligible or unknown."""
    warn_on: NotRequired[str]
    """Findings of this severity and worse are warned of."""
    tools: NotRequired[list[ScanToolArgs]]
    """The scanners. Only grype when not said."""
    only_fixed: NotRequired[bool]
    """Findings without a fixed version don't close the gate by their severity."""
    ignore: NotRequired[list[ScanIgnoreArgs]]
    """Findings that somebody has looked at, and that don't count until a day: one small diff a rule."""
    vex: NotRequired[list[str]]
    """OpenVEX 0.2.0 documents, as paths relative to the project: what they clear for this image doesn't count."""
    kev: NotRequired[bool]
    """Findings that are known to be exploited (CISA's KEV catalogue) close the gate, whatever their severity."""
    epss_above: NotRequired[float]
    """Findings whose EPSS probability (0 to 1) is above this close the gate, whatever their severity."""
    rescan_after: NotRequired[str]
    """Scan again once the last scan is older than this, as `24h` or `7d`: the next update does."""
    max_database_age: NotRequired[str]
    """How old the vulnerability database may be, as 120h or 5d. What the scanner allows when not said."""
    output: NotRequired[OutputArgs]
    """Where a copy of the report is kept."""
    attest: NotRequired[bool]
    """Attach the result to the image as a signed attestation."""


class SignatureVerifyArgs(TypedDict):
    """Verifying what was signed, before anything uses it."""

    enabled: NotRequired[bool]
    """On when not said."""
    key: NotRequired[str]
    """The public key. Without it, the public half of the signing key."""
    keys: NotRequired[list[str]]
    """Further public keys that are accepted: old ones, until everything is signed anew."""
    oidc_issuer: NotRequired[str]
    """Keyless only: who issued the identity."""
    identity_regexp: NotRequired[str]
    """Keyless only: what the identity must match."""
    builder_id: NotRequired[str]
    """The builder that the provenance must name."""
    source_uri: NotRequired[str]
    """The repository that the provenance must name, as https://host/owner/name; with @refs/heads/main for a ref."""


class SigningArgs(TypedDict):
    """Signing the image and everything attached to it."""

    enabled: NotRequired[bool]
    """On when not said."""
    required: NotRequired[bool]
    """On when not said. `false`: what can't be done is warned of, and tried again by the next update."""
    keyless: NotRequired[bool]
    """Sign with a short-lived certificate for a workload identity."""
    key: NotRequired[str]
    """A cosign private key: a file's path relative to the project, `env://NAME`, or a KMS address."""
    password_env: NotRequired[str]
    """The name of the environment variable that holds the key's password. COSIGN_PASSWORD when not said."""
    transparency_log: NotRequired[bool]
    """Record signatures in a transparency log. When not said: with `keyless`."""
    fulcio_url: NotRequired[str]
    """A private Sigstore's certificate authority. The public one when neither it nor `signing_config` is said."""
    rekor_url: NotRequired[str]
    """A private Sigstore's transparency log."""
    tsa_url: NotRequired[str]
    """A private timestamp authority (RFC 3161)."""
    oidc_issuer: NotRequired[str]
    """Keyless only: who must have issued the identity token."""
    trusted_root: NotRequired[str]
    """A private Sigstore's authorities and logs: a file's path relative to the project."""
    signing_config: NotRequired[str]
    """A private Sigstore's services, in place of their URLs: a file's path relative to the project."""
    format: NotRequired[str]
    """How signatures are kept in the registry: `bundle` (when not said), `legacy` (cosign's older tags) or `both`."""
    verify: NotRequired[SignatureVerifyArgs]
    """Verifying what was signed, before anything uses it."""


class SbomAttachArgs(TypedDict):
    """Attaching the SBOM to the image in the registry."""

    enabled: NotRequired[bool]
    """On when not said, where signing is on."""
    sign: NotRequired[bool]
    """As a signed attestation."""


class SbomArgs(TypedDict):
    """The image's software bill of materials."""

    enabled: NotRequired[bool]
    """On when not said."""
    required: NotRequired[bool]
    """On when not said. `false`: what can't be done is warned of, and tried again by the next update."""
    format: NotRequired[str]
    """cyclonedx-json, spdx-json or syft-json."""
    output: NotRequired[OutputArgs]
    """Where a copy of the SBOM is kept."""
    attach: NotRequired[SbomAttachArgs]
    """Attaching the SBOM to the image in the registry."""


class ProvenanceArgs(TypedDict):
    """How the image was built, as SLSA v1.0 provenance."""

    enabled: NotRequired[bool]
    """On when not said."""
    required: NotRequired[bool]
    """On when not said. `false`: what can't be done is warned of, and tried again by the next update."""
    builder_id: NotRequired[str]
    """A URI that names who builds. When not said: the CI system's workflow, or a person's own machine."""
    include_git: NotRequired[bool]
    """Record the source's repository and commit."""
    include_dockerfile: NotRequired[bool]
    """Record the Dockerfile's hash."""
    build_args: NotRequired[list[str]]
    """Names of build arguments whose values are recorded too, for all to read: never a secret's."""
    output: NotRequired[OutputArgs]
    """Where a copy of the provenance is kept."""


class TimeoutsArgs(TypedDict):
    """How long each step may take, in seconds."""

    scan: NotRequired[int]
    """600 when not said."""
    sign: NotRequired[int]
    """300 when not said."""
    sbom: NotRequired[int]
    """600 when not said."""
    attest: NotRequired[int]
    """300 when not said."""
    verify: NotRequired[int]
    """300 when not said."""


class SecurityArgs(TypedDict):
    """The security policy. A section that is absent is off; one that is there is on unless it says otherwise."""

    enabled: NotRequired[bool]
    """Off means a plain build and push, with no step at all."""
    scan: NotRequired[ScanArgs]
    """Looking for known vulnerabilities."""
    signing: NotRequired[SigningArgs]
    """Signing the image and everything attached to it."""
    sbom: NotRequired[SbomArgs]
    """The image's software bill of materials."""
    provenance: NotRequired[ProvenanceArgs]
    """How the image was built."""
    retry: NotRequired[RetryArgs]
    """Trying again what a time-out, a lost connection or a busy server ended."""
    timeouts: NotRequired[TimeoutsArgs]
    """How long each step may take."""
    drift: NotRequired[str]
    """When something is gone from the registry: `heal` (when not said: the next update attaches it), `warn`, `off`."""
