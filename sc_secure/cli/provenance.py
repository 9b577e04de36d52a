"""`sc-secure provenance generate|attach|verify`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

import click

from sc_secure.cli._build import Built, build_options, built_from
from sc_secure.cli._epilog import epilog
from sc_secure.cli._shared import (
    Command,
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
from sc_secure.cli._verifying import VerifyingOrigin, origin_of, origin_options, run_verification, verifier_options
from sc_secure.steps.provenance import Source
from sc_secure.tools.reference import ImageReference


def _source_options(command: Command) -> Command:
    """The flags that say what the image was built from: they make a `Source`."""
    options = (
        click.option(
            "--builder-id",
            metavar="URI",
            help="Who vouches for the build.  [default: the CI system's workflow, or a person's own machine]",
        ),
        build_options,
        click.option("--include-git/--no-include-git", default=True, help="Record the source's commit."),
        click.option(
            "--include-dockerfile/--no-include-dockerfile", default=True, help="Record the Dockerfile's hash."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


class _SourceValues(Built, Shared):
    """The values of the `_source_options`, beside the shared ones."""

    builder_id: str | None
    include_git: bool
    include_dockerfile: bool


class _GenerateValues(_SourceValues, Soft):
    """The values of the `_source_options` and the `soft_option`, beside the shared ones."""


class _AttachValues(_SourceValues, SoftSigning):
    """The values of the `_source_options`, the `signer_options` and the `soft_option`, beside the shared ones."""


def _source(values: _SourceValues) -> Source:
    return replace(
        built_from(values),
        builder_id=values["builder_id"],
        include_git=values["include_git"],
        include_dockerfile=values["include_dockerfile"],
    )


@click.group()
def command() -> None:
    """Gather, attach and verify how an image was built (SLSA provenance v1.0)."""


@command.command(
    epilog=epilog(
        "sc-secure provenance generate --image $REF --context .",
        "sc-secure provenance generate --image $REF --context . --build-arg VERSION=1.2 --save provenance.json",
        codes=(0, 2, 6),
    )
)
@image_option
@_source_options
@save_option
@soft_option
@shared_options
def generate(*, image: ImageReference, save: Path | None, **values: Unpack[_GenerateValues]) -> None:
    """Gather how the image was built, and write it under --artifacts."""
    from sc_secure.steps import provenance  # noqa: PLC0415 - light start

    source = _source(values)
    run_step(
        image,
        "provenance",
        lambda session: provenance.generate(session, image, source, save=save),
        allow_failure=values["allow_failure"],
        **shared_of(values),
    )


@command.command(
    epilog=epilog(
        "sc-secure provenance attach --image $REF --context . --key cosign.key",
        codes=(0, 2, 4, 5, 6, 7),
    )
)
@image_option
@_source_options
@signer_options
@save_option
@soft_option
@shared_options
def attach(
    *,
    image: ImageReference,
    save: Path | None,
    **values: Unpack[_AttachValues],
) -> None:
    """Gather how the image was built, and attach it to the image as a signed attestation.

    What is attached already, by this key or identity and but for run times the same, is left as it is.
    """
    from sc_secure.steps import attest  # noqa: PLC0415 - light start

    source = _source(values)
    signer = signer_of(values)
    run_step(
        image,
        "attest",
        lambda session: attest.attach_provenance(session, image, source, signer, save=save),
        allow_failure=values["allow_failure"],
        **shared_of(values),
    )


@command.command(
    epilog=epilog(
        "sc-secure provenance verify --image $REF --key cosign.pub --source-uri https://github.com/acme/shop",
        codes=(0, 2, 4, 5, 6, 7),
    )
)
@image_option
@origin_options
@verifier_options
@shared_options
def verify(
    *,
    image: ImageReference,
    **values: Unpack[VerifyingOrigin],
) -> None:
    """Verify that provenance is attached to the image, by this signer, and names the builder and the source."""
    from sc_secure.steps import verify as step  # noqa: PLC0415 - light start

    origin = origin_of(values)
    run_verification(
        image,
        lambda session, signer: step.verify_attestation(session, image, signer, "slsaprovenance1", origin=origin),
        values,
    )
