"""`sc-secure sbom generate|attach|verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from sc_secure.cli._epilog import epilog
from sc_secure.cli._shared import (
    Shared,
    Soft,
    image_option,
    run_step,
    save_option,
    shared_of,
    shared_options,
    soft_option,
)
from sc_secure.cli._signing import SoftSigning, signer_of, signer_options
from sc_secure.cli._verifying import Verifying, run_verification, verifier_options
from sc_secure.steps.formats import SBOM_FORMATS, sbom_format
from sc_secure.tools.reference import ImageReference

_format_option = click.option(
    "--format",
    "name",
    type=click.Choice(list(SBOM_FORMATS)),
    default="cyclonedx-json",
    show_default=True,
    help="The catalogue's format.",
)


class _GenerateValues(Soft, Shared):
    """The values of the `soft_option` and the shared ones."""


@click.group()
def command() -> None:
    """Make, attach and verify an image's catalogue (SBOM)."""


@command.command(
    epilog=epilog(
        "sc-secure sbom generate --image $REF",
        "sc-secure sbom generate --image $REF --format spdx-json --save sbom.spdx.json",
        codes=(0, 2, 4, 5, 6, 7),
    )
)
@image_option
@_format_option
@save_option
@soft_option
@shared_options
def generate(*, image: ImageReference, name: str, save: Path | None, **values: Unpack[_GenerateValues]) -> None:
    """Read the image once, and write its catalogue under --artifacts."""
    from sc_secure.steps import sbom  # noqa: PLC0415 - light start

    run_step(
        image,
        "sbom",
        lambda session: sbom.generate(session, image, sbom_format(name), save=save),
        allow_failure=values["allow_failure"],
        **shared_of(values),
    )


@command.command(
    epilog=epilog(
        "sc-secure sbom attach --image $REF --key cosign.key",
        codes=(0, 2, 4, 5, 6, 7),
    )
)
@image_option
@_format_option
@signer_options
@soft_option
@shared_options
def attach(
    *,
    image: ImageReference,
    name: str,
    **values: Unpack[SoftSigning],
) -> None:
    """Attach the catalogue to the image as a signed attestation; made first if this machine hasn't it."""
    from sc_secure.steps import attest  # noqa: PLC0415 - light start

    signer = signer_of(values)
    run_step(
        image,
        "attest",
        lambda session: attest.attach_sbom(session, image, sbom_format(name), signer),
        allow_failure=values["allow_failure"],
        **shared_of(values),
    )


@command.command(
    epilog=epilog(
        "sc-secure sbom verify --image $REF --key cosign.pub",
        codes=(0, 2, 4, 5, 6, 7),
    )
)
@image_option
@_format_option
@verifier_options
@shared_options
def verify(
    *,
    image: ImageReference,
    name: str,
    **values: Unpack[Verifying],
) -> None:
    """Verify that a catalogue in this format is attached to the image, by this signer."""
    from sc_secure.steps import verify as step  # noqa: PLC0415 - light start

    kind = sbom_format(name).attestation
    run_verification(image, lambda session, signer: step.verify_attestation(session, image, signer, kind), values)
