"""What the commands that verify share: the flags that say who must have signed, and what they make."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import click

from sc_secure.cli._shared import KEY_HELP, Command, Shared, password_option, run_step, shared_of
from sc_secure.steps.result import StepResult
from sc_secure.steps.session import Session
from sc_secure.tools.cosign import Verifier
from sc_secure.tools.identity import ROOT_FLAG, check_root, parse_identity
from sc_secure.tools.key import parse_key
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.services import Services


class Verifying(Shared):
    """The values of the `verifier_options` and the `shared_options`."""

    key: tuple[str, ...]
    password_env: str | None
    certificate_identity_regexp: str | None
    certificate_oidc_issuer: str | None
    trusted_root: str | None
    transparency_log: bool | None


def verifier_options(command: Command) -> Command:
    """The flags that say who must have signed: they make `Verifying`."""
    options = (
        click.option(
            "--key",
            metavar="KEY",
            multiple=True,
            help=f"Who must have signed. {KEY_HELP} A public key file is enough. May be given again: any of them is "
            "enough, as while a key is replaced.",
        ),
        password_option,
        click.option(
            "--certificate-identity-regexp",
            metavar="RE",
            help="Who must have signed, without a key: a regular expression (RE2) that matches the whole identity in "
            "the certificate, an e-mail address or a workflow's URL.",
        ),
        click.option(
            "--certificate-oidc-issuer",
            metavar="URL",
            help="The OIDC issuer that must have vouched for the identity. Goes with --certificate-identity-regexp.",
        ),
        click.option(
            "--trusted-root",
            metavar="FILE",
            help="The authorities and logs of a private Sigstore; nothing is fetched then.  "
            "[default: the public Sigstore's]",
        ),
        click.option(
            "--transparency-log/--no-transparency-log",
            default=None,
            help="Whether the signature must be in a transparency log; without one, an identity's needs a signed "
            "timestamp.  [default: with an identity, not with a key]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def run_verification(
    image: ImageReference, step: Callable[[Session, Verifier], StepResult], **values: Unpack[Verifying]
) -> None:
    """Run a step that verifies, for the signer of the `verifier_options`, and print its result.

    Raises:
        ConfigError: the key, the identity or the trusted root isn't what it should be.
    """
    run_step(
        image,
        "verify",
        # Inside the session, whose time-out also ends an expression that takes for ever.
        lambda session: step(session, _verifier(values)),
        **shared_of(values),
    )


def _verifier(values: Verifying) -> Verifier:
    """Exactly one of a key and a whole identity; neither would be a signature by just anyone."""
    key, log = values["key"], values["transparency_log"]
    regexp, issuer = values["certificate_identity_regexp"], values["certificate_oidc_issuer"]
    identity = "--certificate-identity-regexp and --certificate-oidc-issuer"
    if regexp is None and issuer is None:
        if not key:
            raise click.UsageError(f"--key, or {identity}, is required: nothing is taken as signed by just anyone")
        services = _log_of_a_key(values)
        first, *others = (parse_key(each, values["password_env"], os.environ, services=services) for each in key)
        return replace(first, also=tuple(others))
    if key or values["password_env"] is not None:
        raise click.UsageError(f"give either --key, or {identity}: both can't be asked for at once")
    if regexp is None or issuer is None:
        raise click.UsageError(f"{identity} go together: the same name of another issuer is somebody else")
    return parse_identity(regexp, issuer, values["trusted_root"], transparency_log=log is not False)


def _log_of_a_key(values: Verifying) -> Services | None:
    """What must have witnessed a key's signature; None: nothing.

    Raises:
        ConfigError: the trusted root isn't one, or names no log.
    """
    file = values["trusted_root"]
    if not values["transparency_log"]:
        if file is not None:
            raise click.UsageError(
                "--trusted-root: goes with an identity, or with --transparency-log; a key is trusted by itself"
            )
        return None
    root = None if file is None else Path(file)
    if root:
        check_root(root, ("rekor",), ROOT_FLAG)
    return Services(trusted_root=root)
