"""The arguments of every component: the contract that Pulumi's schema inference reads, one `TypedDict` each.

A constructor gets a plain dict, with no defaults and no checks (see `_validate`). `pulumi.Input` marks what may come
from another resource; what decides the shape of the graph, or is shown as a policy in a preview, is plain. What several
components take stands in each: the inference reads no description from a base class.
"""

from typing import NotRequired, TypedDict

import pulumi

from sc_secure.components.build_args import BuildArgs, RegistryArgs
from sc_secure.components.execution_args import ExecutionArgs
from sc_secure.components.policy_args import (
    OutputArgs,
    ProvenanceArgs,
    RetryArgs,
    SbomArgs,
    SbomAttachArgs,
    ScanArgs,
    ScanIgnoreArgs,
    ScanToolArgs,
    SecurityArgs,
    SignatureVerifyArgs,
    SigningArgs,
    TimeoutsArgs,
)

__all__ = [
    "AttestCommandArgs",
    "BuildArgs",
    "DeploymentVerifyArgs",
    "OutputArgs",
    "ProvenanceArgs",
    "RegistryArgs",
    "RetryArgs",
    "SbomArgs",
    "SbomAttachArgs",
    "SbomCommandArgs",
    "ScanArgs",
    "ScanCommandArgs",
    "ScanIgnoreArgs",
    "ScanToolArgs",
    "SecuredImageArgs",
    "SecurityArgs",
    "SignCommandArgs",
    "SignatureVerifyArgs",
    "SigningArgs",
    "TimeoutsArgs",
    "VerifyCommandArgs",
]


class SecuredImageArgs(TypedDict):
    """The arguments of `SecuredImage`."""

    image_name: NotRequired[pulumi.Input[str]]
    """Where to push the image that is built: `repository:tag`."""
    build: NotRequired[BuildArgs]
    """How the image is built. Excludes `image_ref`."""
    image_ref: NotRequired[pulumi.Input[str]]
    """An image that exists, by digest: `repository@sha256:…`. Excludes `build`."""
    registry: NotRequired[pulumi.Input[RegistryArgs]]
    """The registry to push to, where the ambient docker configuration doesn't know its credentials."""
    image_aliases: NotRequired[list[str]]
    """Name or URN that the image had as a `docker.Image` of this stack: it is taken over, not built again."""
    security: NotRequired[SecurityArgs]
    """The policy. Excludes `security_file` and `stack`."""
    security_file: NotRequired[str]
    """A YAML file with a `security:` block."""
    stack: NotRequired[str]
    """The stack whose `.sc/stacks/<stack>/client.yaml` holds the `security:` block."""
    execution: NotRequired[ExecutionArgs]
    """Runs the steps' commands on a build host, by SSH; the image is built as always. Here when not said."""


class SbomCommandArgs(TypedDict):
    """The arguments of `SbomCommand`."""

    image: pulumi.Input[str]
    """The image, by digest."""
    registry: NotRequired[pulumi.Input[RegistryArgs]]
    """The registry's credentials, where neither docker's configuration nor the cloud's identity has them."""
    format: NotRequired[str]
    """cyclonedx-json (when not said), spdx-json or syft-json."""
    timeout_seconds: NotRequired[int]
    """How long the step may take. 600 when not said."""
    required: NotRequired[bool]
    """`false`: if the step can't be done, it warns and passes as `soft_failed`. What the policy forbids never does."""
    retry: NotRequired[RetryArgs]
    """How often, and how soon, what a time-out, a lost connection or a busy server ended is tried again."""
    save: NotRequired[str]
    """A file of the project in which a copy of the document is kept."""
    execution: NotRequired[ExecutionArgs]
    """Runs the step's command on a build host, by SSH. On this machine when not said."""


class ScanCommandArgs(TypedDict):
    """The arguments of `ScanCommand`."""

    image: pulumi.Input[str]
    """The image, by digest."""
    registry: NotRequired[pulumi.Input[RegistryArgs]]
    """The registry's credentials, where neither docker's configuration nor the cloud's identity has them."""
    fail_on: NotRequired[str]
    """Findings of this severity and worse close the gate. critical when not said."""
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
    timeout_seconds: NotRequired[int]
    """How long the step may take. 600 when not said."""
    required: NotRequired[bool]
    """`false`: if the step can't be done, it warns and passes as `soft_failed`. What the policy forbids never does."""
    retry: NotRequired[RetryArgs]
    """How often, and how soon, what a time-out, a lost connection or a busy server ended is tried again."""
    save: NotRequired[str]
    """A file of the project in which a copy of the document is kept."""
    execution: NotRequired[ExecutionArgs]
    """Runs the step's command on a build host, by SSH. On this machine when not said."""


class SignCommandArgs(TypedDict):
    """The arguments of `SignCommand`."""

    image: pulumi.Input[str]
    """The image, by digest."""
    registry: NotRequired[pulumi.Input[RegistryArgs]]
    """The registry's credentials, where neither docker's configuration nor the cloud's identity has them."""
    key: NotRequired[str]
    """A cosign private key: a file relative to the project, `env://NAME`, or a KMS address. Excludes `keyless`."""
    password_env: NotRequired[str]
    """The name of the environment variable that holds the key's password. COSIGN_PASSWORD when not said."""
    keyless: NotRequired[bool]
    """Sign as the identity of the CI job, with a short-lived certificate. Excludes `key`."""
    transparency_log: NotRequired[bool]
    """Record the signature in a transparency log. When not said: with `keyless`."""
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
    signature_format: NotRequired[str]
    """How it is kept in the registry: `bundle` (when not said), `legacy` (cosign's older tags) or `both`."""
    timeout_seconds: NotRequired[int]
    """How long the step may take. 300 when not said."""
    required: NotRequired[bool]
    """`false`: if the step can't be done, it warns and passes as `soft_failed`. What the policy forbids never does."""
    retry: NotRequired[RetryArgs]
    """How often, and how soon, what a time-out, a lost connection or a busy server ended is tried again."""
    drift: NotRequired[str]
    """When it is gone from the registry: `heal` (when not said: the next update attaches it again), `warn`, `off`."""
    execution: NotRequired[ExecutionArgs]
    """Runs the step's command on a build host, by SSH. On this machine when not said."""


class AttestCommandArgs(TypedDict):
    """The arguments of `AttestCommand`."""

    image: pulumi.Input[str]
    """The image, by digest."""
    registry: NotRequired[pulumi.Input[RegistryArgs]]
    """The registry's credentials, where neither docker's configuration nor the cloud's identity has them."""
    predicate: str
    """What is attached: `sbom`, `provenance` or `scan`."""
    key: NotRequired[str]
    """A cosign private key: a file relative to the project, `env://NAME`, or a KMS address. Excludes `keyless`."""
    password_env: NotRequired[str]
    """The name of the environment variable that holds the key's password. COSIGN_PASSWORD when not said."""
    keyless: NotRequired[bool]
    """Sign as the identity of the CI job, with a short-lived certificate. Excludes `key`."""
    transparency_log: NotRequired[bool]
    """Record the signature in a transparency log. When not said: with `keyless`."""
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
    signature_format: NotRequired[str]
    """How it is kept in the registry: `bundle` (when not said), `legacy` (cosign's older tags) or `both`."""
    format: NotRequired[str]
    """The SBOM's format, for the predicate `sbom`. cyclonedx-json when not said."""
    builder_id: NotRequired[str]
    """For `provenance`: a URI that names who builds. When not said: the CI system's workflow, or a person's machine."""
    include_git: NotRequired[bool]
    """Record the source's repository and commit, for the predicate `provenance`. On when not said."""
    include_dockerfile: NotRequired[bool]
    """Record the Dockerfile's hash, for the predicate `provenance`. On when not said."""
    build: NotRequired[BuildArgs]
    """How the image was built, for the predicate `provenance`."""
    build_args: NotRequired[list[str]]
    """For `provenance`: names of build arguments whose values are recorded too, for all to read: never a secret's."""
    timeout_seconds: NotRequired[int]
    """How long the step may take. 300 when not said."""
    required: NotRequired[bool]
    """`false`: if the step can't be done, it warns and passes as `soft_failed`. What the policy forbids never does."""
    retry: NotRequired[RetryArgs]
    """How often, and how soon, what a time-out, a lost connection or a busy server ended is tried again."""
    save: NotRequired[str]
    """A file of the project in which a copy of the document is kept, for the predicate `provenance`."""
    scan_run: NotRequired[pulumi.Input[str]]
    """What tells one scan from the next, for the predicate `scan`: attested again whenever it changes."""
    drift: NotRequired[str]
    """When it is gone from the registry: `heal` (when not said: the next update attaches it again), `warn`, `off`."""
    execution: NotRequired[ExecutionArgs]
    """Runs the step's command on a build host, by SSH. On this machine when not said."""


class VerifyCommandArgs(TypedDict):
    """The arguments of `VerifyCommand`."""

    image: pulumi.Input[str]
    """The image, by digest."""
    registry: NotRequired[pulumi.Input[RegistryArgs]]
    """The registry's credentials, where neither docker's configuration nor the cloud's identity has them."""
    key: NotRequired[str]
    """The public key, or the private key whose public half is meant. Excludes `identity_regexp`."""
    keys: NotRequired[list[str]]
    """Further keys, any of which is enough: old ones, until everything is signed anew. Goes with `key`."""
    password_env: NotRequired[str]
    """The name of the environment variable that holds a private key's password. COSIGN_PASSWORD when not said."""
    identity_regexp: NotRequired[str]
    """What the certificate's identity must match: who signed without a key. Needs `oidc_issuer`. Excludes `key`."""
    oidc_issuer: NotRequired[str]
    """Who issued that identity, as a URL."""
    trusted_root: NotRequired[str]
    """A private Sigstore's trusted root: a file relative to the project. Goes with an identity, or with a log."""
    transparency_log: NotRequired[bool]
    """Demand an entry in the transparency log. When not said: for an identity; off then demands a timestamp."""
    attestations: NotRequired[list[str]]
    """What must be attached besides the signature: cyclonedx, spdx, syft, slsaprovenance1, vuln."""
    builder_id: NotRequired[str]
    """The builder that the provenance must name."""
    source_uri: NotRequired[str]
    """The repository that the provenance must name, as https://host/owner/name; with @refs/heads/main for a ref."""
    source_commit: NotRequired[str]
    """The commit that the provenance must name."""
    timeout_seconds: NotRequired[int]
    """How long the step may take. 300 when not said."""
    retry: NotRequired[RetryArgs]
    """How often, and how soon, what a time-out, a lost connection or a busy server ended is tried again."""
    deployment: NotRequired[pulumi.Input[str]]
    """What is about to be deployed, as a hash: the image is verified again whenever it changes."""
    drift: NotRequired[str]
    """When it is gone from the registry: `heal` (the next update verifies again), `warn`, `off` (when not said)."""
    execution: NotRequired[ExecutionArgs]
    """Runs the step's command on a build host, by SSH. On this machine when not said."""


class DeploymentVerifyArgs(TypedDict):
    """How a service verifies an image just before it deploys it: by a key, by an identity, or as a policy says."""

    enabled: NotRequired[bool]
    """On when not said. Off deploys whatever has a digest, and is warned of in each preview and update."""
    key: NotRequired[str]
    """The public key, or the private key whose public half is meant. Excludes `identity_regexp` and a policy."""
    keys: NotRequired[list[str]]
    """Further keys, any of which is enough: old ones, until everything is signed anew. Goes with `key`."""
    password_env: NotRequired[str]
    """The name of the environment variable that holds a private key's password. COSIGN_PASSWORD when not said."""
    identity_regexp: NotRequired[str]
    """What the certificate's identity must match: who signed without a key. Needs `oidc_issuer`."""
    oidc_issuer: NotRequired[str]
    """Who issued that identity, as a URL."""
    trusted_root: NotRequired[str]
    """A private Sigstore's trusted root: a file relative to the project. Goes with an identity, or with a log."""
    transparency_log: NotRequired[bool]
    """Demand an entry in the transparency log. When not said: for an identity; off then demands a timestamp."""
    attestations: NotRequired[list[str]]
    """What must be attached besides the signature: cyclonedx, spdx, syft, slsaprovenance1, vuln."""
    builder_id: NotRequired[str]
    """The builder that the provenance must name."""
    source_uri: NotRequired[str]
    """The repository that the provenance must name, as https://host/owner/name; with @refs/heads/main for a ref."""
    source_commit: NotRequired[str]
    """The commit that the provenance must name."""
    registry: NotRequired[pulumi.Input[RegistryArgs]]
    """The registry's credentials, where neither docker's configuration nor the cloud's identity has them."""
    security: NotRequired[SecurityArgs]
    """The policy that the image was secured by: its key or identity, and all that it attests. Excludes `key`."""
    security_file: NotRequired[str]
    """A YAML file with a `security:` block, in place of `security`."""
    stack: NotRequired[str]
    """The stack whose `.sc/stacks/<stack>/client.yaml` holds the `security:` block, in place of `security`."""
    timeout_seconds: NotRequired[int]
    """How long verifying may take. 300 when not said."""
    retry: NotRequired[RetryArgs]
    """How often, and how soon, what a time-out, a lost connection or a busy server ended is tried again."""
