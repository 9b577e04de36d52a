"""`sc-secure scan attach|verify`."""

from __future__ import annotations

from typing import Unpack

import click

from sc_secure.cli._epilog import epilog
from sc_secure.cli._shared import image_option, run_step, shared_of, shared_options, soft_option
from sc_secure.cli._signing import SoftSigning, signer_of, signer_options
from sc_secure.cli._verifying import Verifying, run_verification, verifier_options
from sc_secure.tools.reference import ImageReference


@click.group()
def command() -> None:
    """Attach and verify the result of an image's scan (`image scan` makes it)."""


@command.command(
    epilog=epilog(
        "sc-secure scan attach --image $REF --key cosign.key",
        codes=(0, 2, 4, 5, 6, 7),
    )
)
@image_option
@signer_options
@soft_option
@shared_options
def attach(
    *,
    image: ImageReference,
    **values: Unpack[SoftSigning],
) -> None:
    """Attach what the last scan found to the image as a signed attestation.

    Facts only: the scanner, its database and the findings, whatever the policy was. The image is scanned
    again if this machine has no scan of it.
    """
    from sc_secure.steps import attest  # noqa: PLC0415 - light start

    signer = signer_of(values)
    run_step(
        image,
        "attest",
        lambda session: attest.attach_scan(session, image, signer),
        allow_failure=values["allow_failure"],
        **shared_of(values),
    )


@command.command(
    epilog=epilog(
        "sc-secure scan verify --image $REF --key cosign.pub",
        codes=(0, 2, 4, 5, 6, 7),
    )
)
@image_option
@verifier_options
@shared_options
def verify(
    *,
    image: ImageReference,
    **values: Unpack[Verifying],
) -> None:
    """Verify that a scan's result is attached to the image, by this signer."""
    from sc_secure.steps import verify as step  # noqa: PLC0415 - light start

    run_verification(image, lambda session, signer: step.verify_attestation(session, image, signer, "vuln"), values)
