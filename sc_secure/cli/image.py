"""`sc-secure image scan|sign|verify`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Unpack

import click

from sc_secure.cli._epilog import epilog
from sc_secure.cli._shared import (
    Shared,
    image_option,
    image_type,
    look_for,
    require_one_registry,
    run_step,
    shared_of,
    shared_options,
    soft_option,
)
from sc_secure.cli._signing import SoftSigning, signer_of, signer_options
from sc_secure.cli._verifying import VerifyingOrigin, origin_of, origin_options, run_verification, verifier_options
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.text import printable

if TYPE_CHECKING:
    from sc_secure.cli._documents import ImageStatus, StatusDocument
    from sc_secure.steps.status import Status


class _Lazy(click.Group):
    """Imports `scan` on first use: it alone reads policies, which takes as long to load as all else."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "scan"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "scan":
            return super().get_command(ctx, cmd_name)
        from sc_secure.cli import _image_scan  # noqa: PLC0415 - light start

        return _image_scan.scan


@click.group(cls=_Lazy)
def command() -> None:
    """Scan, sign and verify an image."""


@command.command(
    epilog=epilog(
        "sc-secure image sign --image $REF --key cosign.key",
        "sc-secure image sign --image $REF --keyless",
        codes=(0, 2, 4, 5, 6, 7),
    )
)
@image_option
@signer_options
@soft_option
@shared_options
def sign(
    *,
    image: ImageReference,
    **values: Unpack[SoftSigning],
) -> None:
    """Sign the image's digest; the signature goes into the image's registry.

    An image that this key or identity has signed already is left as it is.
    """
    from sc_secure.steps import sign as step  # noqa: PLC0415 - light start

    signer = signer_of(values)
    run_step(
        image,
        "sign",
        lambda session: step.sign(session, image, signer),
        allow_failure=values["allow_failure"],
        **shared_of(values),
    )


@command.command(
    epilog=epilog(
        "sc-secure image verify --image $REF --key cosign.pub --attestation cyclonedx",
        "sc-secure image verify --image $REF --certificate-identity-regexp 'dev@acme\\.test' \\",
        "  --certificate-oidc-issuer https://accounts.google.com",
        codes=(0, 2, 4, 5, 6, 7),
    )
)
@image_option
@verifier_options
@origin_options
@click.option(
    "--attestation",
    "attestations",
    multiple=True,
    metavar="TYPE",
    help="Must be attached too: cyclonedx, spdx, syft, slsaprovenance1 or vuln; may be given again.",
)
@shared_options
def verify(
    *,
    image: ImageReference,
    attestations: tuple[str, ...],
    **values: Unpack[VerifyingOrigin],
) -> None:
    """Verify the image's signature, and the attestations that are named.

    With --builder-id, --source-uri or --source-commit the provenance must be attached, and name them.

    Exits with 4 if one is missing, by another signer, or about another digest.
    """
    from sc_secure.steps import verify as step  # noqa: PLC0415 - light start

    for name in attestations:
        step.predicate_type(name)
    origin = origin_of(values)
    run_verification(
        image, lambda session, signer: step.verify_image(session, image, signer, attestations, origin=origin), values
    )


@command.command(
    epilog=epilog(
        "sc-secure image status --image $REF",
        "sc-secure image status --image $REF --image $OTHER --best-effort --output json",
        codes=(0, 2, 4, 6, 7),
        meanings={4: "the registry answers with other content than was asked for"},
    )
)
@click.option(
    "--image",
    "images",
    type=image_type,
    multiple=True,
    required=True,
    metavar="REF",
    help="An image, as REPOSITORY@sha256:…; may be given again.",
)
@click.option(
    "--best-effort",
    is_flag=True,
    help="Succeed where a registry can't be asked: what is attached there is told as unknown.",
)
@shared_options
def status(*, images: tuple[ImageReference, ...], best_effort: bool, **shared: Unpack[Shared]) -> None:
    """List what is attached to images in their registries, without verifying it.

    `image verify` says whether it is by whom you trust.
    """
    from sc_secure.steps.status import look, unknown  # noqa: PLC0415 - light start

    if shared["registry_username_env"]:
        require_one_registry(images, "ask each in a run of its own, or name them all in --registry-config")
    # The run as a whole ends a little later, so that what is known is told.
    with look_for(**{**shared, "timeout": shared["timeout"] + 5}) as session:
        found = look(session, images, shared["timeout"])
    error = unknown(found)
    if error and not best_effort:
        error.advice = f"{error.advice or 'check the registry'}, or add --best-effort"
        raise error
    if shared["output"] == "json":
        document: StatusDocument = {"images": [_status_row(each) for each in found]}
        click.echo(json.dumps(document))
    else:
        click.echo("\n".join(line for each in found for line in _status_lines(each)))


def _status_row(status: Status) -> ImageStatus:
    subject = status.image.subject
    if status.attached is None:
        return {"subject": subject, "attached": None, "reason": printable(status.reason, limit=300)}
    return {"subject": subject, "attached": [{"digest": each.digest, "kind": each.kind} for each in status.attached]}


def _status_lines(status: Status) -> list[str]:
    if status.attached is None:
        return [status.image.subject, f"  unknown: {printable(status.reason, limit=300)}"]
    lines = [f"  {each.digest}  {printable(each.kind, limit=200)}" for each in status.attached]
    return [status.image.subject, *(lines or ["  nothing is attached"])]
