"""Who signs: the key and its password, or the Sigstore and the job's identity token."""

from __future__ import annotations

import re

from sc_secure.context.oidc import IdentityToken, identity_token, offers_identity
from sc_secure.errors import ConfigError, ScSecureError
from sc_secure.policy.security import Security
from sc_secure.steps.doctor.finding import Finding, Findings, ok, wrong
from sc_secure.steps.doctor.situation import Situation
from sc_secure.steps.provenance import Source
from sc_secure.steps.release import Plan, plan
from sc_secure.tools.cosign import Cosign
from sc_secure.tools.identity import Identity
from sc_secure.tools.key import Key
from sc_secure.tools.text import printable

_FLAGS = {
    "--key": "signing.key",
    "--password-env": "signing.passwordEnv",
    "--keyless": "signing.keyless",
    "--trusted-root": "signing.trustedRoot",
}
"""What errors call by its flag, as a policy writes it."""


def look(situation: Situation) -> Findings:
    """The signer of the policy, and the token where there is one or has to be one."""
    security, signing = situation.security, situation.signing
    keyless = signing is not None and signing.keyless
    planned: Plan | None = None
    if security and signing:
        try:
            planned = plan(security, Source(), [], situation.environ)
            yield _signer(planned, situation)
        except ScSecureError as error:
            check = "sigstore" if keyless else "key"
            yield _wrong(check, error, needed=signing.required)
    if not keyless and not offers_identity(situation.environ):
        unasked = ", and the policy asks for none" if security else ""
        yield ok("token", f"no keyless signing here: no CI job's identity is offered{unasked}")
        return
    needed = signing is not None and keyless and signing.required
    try:
        token = identity_token(situation.environ, situation.runner)
        _check(token, security, planned)
        whom = f"{printable(token.name, limit=200)} of" if token.name else "whom the certificate authority names, by"
        yield ok("token", f"signs without a key as {whom} the issuer {printable(token.issuer, limit=200)}")
    except ScSecureError as error:
        yield _wrong("token", error, needed=needed)


def _signer(planned: Plan, situation: Situation) -> Finding:
    """What signs is what it should be; a key is opened."""
    signer = planned.signer
    if not isinstance(signer, Key):
        whose = "the public Sigstore" if signer and signer.services.public else "a private Sigstore"
        return ok("sigstore", f"{whose} gives out the certificate")
    shown = printable(signer.reference, limit=200)
    if signer.public:
        raise ConfigError(f"--key {shown}: a public key can't sign", advice="name the private key")
    if signer.reference.startswith("pkcs11:") or ("://" in shown and not shown.startswith("env://")):
        return ok("key", f"{shown} is an address of the right form; whether its service lets us sign isn't tried")
    Cosign(situation.runner, situation.environ, situation.temp).derive(signer)
    if signer.warnings:
        return wrong("key", ConfigError(signer.warnings[0], advice=f"chmod 600 {shown}"), needed=False)
    return ok("key", f"{shown} opens with its password")


def _check(token: IdentityToken, security: Security | None, planned: Plan | None) -> None:
    """Refuse a token with which the deployment would fail later.

    Raises:
        ConfigError: it is of another issuer, or of nobody that the policy accepts.
    """
    if security is None or planned is None:
        return
    wanted, who = security.signing.oidc_issuer, planned.verifier
    if wanted and token.issued_by.rstrip("/") != wanted.rstrip("/"):
        raise ConfigError(
            f"security.signing.oidcIssuer: the identity token is one of {printable(token.issued_by, limit=200)}",
            advice="sign where that issuer gives out tokens, or name the one that does",
        )
    if not isinstance(who, Identity) or not token.name:
        return
    # As cosign is asked: the expression matches the whole identity.
    if not re.fullmatch(who.regexp, token.name, re.ASCII) or token.issuer != who.issuer:
        raise ConfigError(
            f"security.signing.verify: accepts {who}; this job is {printable(token.name, limit=200)} of the issuer "
            f"{printable(token.issuer, limit=200)}",
            advice="sign in the job that is meant, or name this one in identityRegexp and oidcIssuer",
        )


def _wrong(check: str, error: ScSecureError, *, needed: bool) -> Finding:
    """It is wrong, told with a policy's paths in place of a command line's flags."""

    def named(text: str) -> str:
        return re.sub(r"(?<!\S)(--[a-z-]+)", lambda found: _path(found[1]), text)

    return wrong(check, error, needed=needed, detail=named(error.message), remedy=named(error.advice))


def _path(flag: str) -> str:
    return f"security.{_FLAGS[flag]}" if flag in _FLAGS else flag
