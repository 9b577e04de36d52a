"""The flags that say how the image was built, for its provenance."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import click

from sc_secure.cli._shared import Command
from sc_secure.steps.provenance import Source


class Built(TypedDict):
    """The values of the `build_options`."""

    context: Path | None
    dockerfile: Path | None
    target: str
    platform: str
    build_arg_names: tuple[str, ...]


def built_from(values: Built) -> Source:
    """What the image was built from, as the flags say it; the rest as when nothing is said."""
    return Source(
        context=values["context"],
        dockerfile=values["dockerfile"],
        target=values["target"],
        platform=values["platform"],
        build_arg_names=values["build_arg_names"],
    )


def build_options(command: Command) -> Command:
    """The flags that say how the image was built: they make `Built`."""
    options = (
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
    )
    for option in reversed(options):
        command = option(command)
    return command
