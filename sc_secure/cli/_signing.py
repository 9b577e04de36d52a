"""What the commands that sign share: the flags that say who signs and who witnesses it, and what they make."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TypedDict, get_args

import click

from sc_secure.cli._shared import KEY_HELP, Command, Shared, Soft, password_option
from sc_secure.policy.sigstore import SignatureFormat
from sc_secure.tools.cosign import Signer
from sc_secure.tools.key import parse_key
from sc_secure.tools.services import Keyless, Services, check_form, parse_services


class Witnessed(TypedDict):
    """The values of the flags that say who signs and who witnesses it."""

    key: str | None
    password_env: str | None
    keyless: bool
    transparency_log: bool | None
    signing_config: str | None
    trusted_root: str | None
    fulcio_url: str | None
    rekor_url: str | None
    tsa_url: str | None
    oidc_issuer: str | None
    signature_format: SignatureFormat


class Signing(Witnessed, Shared):
    """The values of the `signer_options` and the `shared_options`."""


class SoftSigning(Soft, Signing):
    """The values of the `soft_option`, the `signer_options` and the `shared_options`."""


def signer_options(command: Command) -> Command:
    """The flags that say who signs, and who witnesses it: they make `Witnessed`."""
    options = (
        click.option("--key", metavar="KEY", help=KEY_HELP),
        password_option,
        click.option(
            "--keyless",
            is_flag=True,
            help="Sign without a key, as the identity of the CI job: by SIGSTORE_ID_TOKEN, or GitHub's token endpoint.",
        ),
        click.option(
            "--transparency-log/--no-transparency-log",
            default=None,
            help="Record the signature in a transparency log.  [default: with --keyless]",
        ),
        click.option(
            "--signing-config",
            metavar="FILE",
            help="A private Sigstore's services (`cosign signing-config create`).  [default: the public Sigstore's]",
        ),
        click.option("--trusted-root", metavar="FILE", help="A private Sigstore's authorities and logs."),
        click.option("--fulcio-url", metavar="URL", help="A private certificate authority, without --signing-config."),
        click.option("--rekor-url", metavar="URL", help="A private transparency log, without --signing-config."),
        click.option("--tsa-url", metavar="URL", help="A private timestamp authority, without --signing-config."),
        click.option("--oidc-issuer", metavar="URL", help="Who must have issued the identity token."),
        click.option(
            "--signature-format",
            type=click.Choice(get_args(SignatureFormat)),
            default="bundle",
            show_default=True,
            help="How it is kept in the registry: as a Sigstore bundle, or in cosign's older way (.sig and .att tags), "
            "which holds log entries of a Rekor 1 alone.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def signer_of(values: Witnessed) -> Signer:
    """Who signs, by the `signer_options`.

    Raises:
        ConfigError: a key or a file isn't there or isn't what it should be, or the flags don't fit together.
        UsageError: neither or both of a key and `--keyless`.
    """
    key, password, keyless = values["key"], values["password_env"], values["keyless"]
    if keyless and (key is not None or password is not None):
        raise click.UsageError("give either --key or --keyless: an image is signed by a key or by an identity")
    if not keyless and not key:
        raise click.UsageError("--key, or --keyless, is required: nothing is signed by just anyone")
    said = {
        "signing_config": values["signing_config"],
        "trusted_root": values["trusted_root"],
        "fulcio_url": values["fulcio_url"],
        "rekor_url": values["rekor_url"],
        "tsa_url": values["tsa_url"],
        "oidc_issuer": values["oidc_issuer"],
    }
    services = parse_services(said, keyless=keyless, transparency_log=values["transparency_log"])
    form = values["signature_format"]
    check_form(form, services, "--signature-format")
    if keyless:
        return Keyless(services or Services(), form)
    return replace(parse_key(key or "", password, os.environ, services=services), form=form)
