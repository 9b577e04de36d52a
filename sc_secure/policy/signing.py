"""The `security.signing` section, as models: who signs, what witnesses it, and how it is verified."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sc_secure.policy.block import Block
from sc_secure.policy.sigstore import SETTINGS, SignatureFormat, SigstoreProblem, check
from sc_secure.policy.source import check_builder, check_source

MAX_KEYS = 8
"""How many further keys are accepted at most: each is a part of the command, and each is tried."""
SigstoreUrl = Annotated[str, Field(min_length=1, max_length=1000)]
SigstorePath = Annotated[str, Field(min_length=1, max_length=1024)]


class SignatureVerify(Block):
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


class Signing(Block):
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
    """How signatures and attestations are kept in the registry: as Sigstore bundles, in cosign's older way, which holds
    log entries of a Rekor 1 alone, or both."""
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
