"""What the commands that verify share: the flags that say who must have signed, and what they make."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import click

from sc_secure.cli._shared import KEY_HELP, Command, Shared, password_option, run_step, shared_of
from sc_secure.errors import VerificationFailed
from sc_secure.steps.origin import Origin, parse_origin
from sc_secure.steps.result import StepResult
from sc_secure.steps.session import Session
from sc_secure.tools.cosign import Verifier
from sc_secure.tools.identity import ROOT_FLAG, check_root, parse_identity
from sc_secure.tools.key import parse_key
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.services import Services
from sc_secure.tools.text import printable


class Verifying(Shared):
    """The values of the `verifier_options` and the `shared_options`."""

    key: tuple[str, ...]
    password_env: str | None
    certificate_identity_regexp: str | None
    certificate_oidc_issuer: str | None
    trusted_root: str | None
    transparency_log: bool | None
    expected_digest: str | None


class Origins(TypedDict):
    """The values of the `origin_options`."""

    builder_id: str | None
    source_uri: str | None
    source_commit: str | None


class VerifyingOrigin(Origins, Verifying):
    """The values of the `origin_options`, the `verifier_options` and the `shared_options`."""


def origin_options(command: Command) -> Command:
    """The flags that say what provenance has to name: they make `Origins`."""
    options = (
        click.option("--builder-id", metavar="URI", help="The builder that the provenance must name.  [default: any]"),
        click.option(
            "--source-uri",
            metavar="URI",
            help="The repository that the provenance must name, as https://HOST/OWNER/NAME; with @refs/heads/BRANCH "
            "where the ref counts too.  [default: any]",
        ),
        click.option(
            "--source-commit", metavar="SHA", help="The commit that the provenance must name.  [default: any]"
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def origin_of(values: Origins) -> Origin:
    """What the provenance has to name.

    Raises:
        ConfigError: a flag isn't of its form.
    """
    return parse_origin(values["builder_id"], values["source_uri"], values["source_commit"])


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
        click.option(
            "--expected-digest",
            metavar="DIGEST",
            help="The digest that --image must have, where it comes from elsewhere: another job's output, a release.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def run_verification(image: ImageReference, step: Callable[[Session, Verifier], StepResult], values: Verifying) -> None:
    """Run a step that verifies, for the signer of the `verifier_options`, and print its result.

    Raises:
        ConfigError: the key, the identity or the trusted root isn't what it should be.
        VerificationFailed: the image isn't the one that is expected.
    """
    expected = values["expected_digest"]
    if expected is not None and expected != image.digest:
        shown = printable(expected, limit=100)
        raise VerificationFailed(
            f"--expected-digest {shown}: --image is {image.digest}", advice="check where each of the two comes from"
        )
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
