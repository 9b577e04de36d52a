"""`sc-secure provenance generate|attach|verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from sc_secure.cli._shared import Command, Shared, chosen_key, image_option, key_options, run_step, shared_options
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
        click.option("--context", type=click.Path(path_type=Path), metavar="DIR", help="The build context."),
        click.option(
            "--dockerfile",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The Dockerfile.  [default: Dockerfile in the context]",
        ),
        click.option("--target", default="", metavar="NAME", help="The build's target stage."),
        click.option("--platform", default="", metavar="OS/ARCH", help="The build's platform."),
        click.option(
            "--build-arg-name",
            "build_arg_names",
            multiple=True,
            metavar="NAME",
            help="A build argument's name; may be given again. Values aren't recorded.",
        ),
        click.option("--include-git/--no-include-git", default=True, help="Record the source's commit."),
        click.option(
            "--include-dockerfile/--no-include-dockerfile", default=True, help="Record the Dockerfile's hash."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


class _SourceValues(Shared):
    """The values of the `_source_options`, beside the shared ones."""

    builder_id: str | None
    context: Path | None
    dockerfile: Path | None
    target: str
    platform: str
    build_arg_names: tuple[str, ...]
    include_git: bool
    include_dockerfile: bool


def _split(values: _SourceValues) -> tuple[Source, Shared]:
    source = Source(
        builder_id=values["builder_id"],
        context=values["context"],
        dockerfile=values["dockerfile"],
        target=values["target"],
        platform=values["platform"],
        build_arg_names=values["build_arg_names"],
        include_git=values["include_git"],
        include_dockerfile=values["include_dockerfile"],
    )
    shared = Shared(
        output=values["output"],
        verbose=values["verbose"],
        artifacts=values["artifacts"],
        timeout=values["timeout"],
    )
    return source, shared


@click.group()
def command() -> None:
    """Gather, attach and verify how an image was built (SLSA provenance v1.0)."""


@command.command()
@image_option
@_source_options
@shared_options
def generate(*, image: ImageReference, **values: Unpack[_SourceValues]) -> None:
    """Gather how the image was built, and write it under --artifacts."""
    from sc_secure.steps import provenance  # noqa: PLC0415 - light start

    source, shared = _split(values)
    run_step(lambda session: provenance.generate(session, image, source), **shared)


@command.command()
@image_option
@_source_options
@key_options
@shared_options
def attach(
    *,
    image: ImageReference,
    key: str | None,
    password_env: str | None,
    keyless: bool,
    transparency_log: bool,
    **values: Unpack[_SourceValues],
) -> None:
    """Gather how the image was built, and attach it to the image as a signed attestation.

    What is attached already, by this key and but for run times the same, is left as it is.
    """
    from sc_secure.steps import attest  # noqa: PLC0415 - light start

    source, shared = _split(values)
    chosen = chosen_key(key, password_env, keyless=keyless, transparency_log=transparency_log)
    run_step(lambda session: attest.attach_provenance(session, image, source, chosen), **shared)


@command.command()
@image_option
@click.option("--builder-id", metavar="URI", help="The builder that the provenance must name.  [default: any]")
@key_options
@shared_options
def verify(
    *,
    image: ImageReference,
    builder_id: str | None,
    key: str | None,
    password_env: str | None,
    keyless: bool,
    transparency_log: bool,
    **shared: Unpack[Shared],
) -> None:
    """Verify that provenance is attached to the image, by this key, and names the builder."""
    from sc_secure.steps import verify as step  # noqa: PLC0415 - light start

    chosen = chosen_key(key, password_env, keyless=keyless, transparency_log=transparency_log)
    run_step(
        lambda session: step.verify_attestation(session, image, chosen, "slsaprovenance1", builder_id=builder_id),
        **shared,
    )
