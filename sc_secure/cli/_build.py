"""The flags that say how the image was built, for its provenance."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

import click

from sc_secure.cli._shared import Command
from sc_secure.steps.provenance import Source

_NAME = re.compile(r"[A-Za-z_]\w{0,255}", re.ASCII)


class Built(TypedDict):
    """The values of the `build_options`."""

    context: Path | None
    dockerfile: Path | None
    target: str
    platforms: tuple[str, ...]
    builder: str
    build_arg_names: tuple[str, ...]
    build_args: tuple[tuple[str, str], ...]
    started_on: datetime | None
    finished_on: datetime | None


class _NameValue(click.ParamType[tuple[str, str]]):
    """`NAME=VALUE`."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, equals, content = str(value).partition("=")
        if not equals or not _NAME.fullmatch(name):
            self.fail("NAME=VALUE is expected", param, ctx)
        return name, content


class _Moment(click.ParamType[datetime]):
    """RFC 3339, with its time zone."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
            moment.astimezone(UTC)
        except (ValueError, OverflowError):  # one of the year 1 or 9999 may lie outside of it in UTC
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail(
                "a time with its zone is expected, as 2026-11-25T09:30:00Z (`date -u +%FT%TZ` prints it)", param, ctx
            )
        return moment


def built_from(values: Built) -> Source:
    """What the image was built from, as the flags say it; the rest as when nothing is said."""
    return Source(
        context=values["context"],
        dockerfile=values["dockerfile"],
        target=values["target"],
        platforms=values["platforms"],
        builder=values["builder"],
        build_arg_names=values["build_arg_names"],
        build_args=values["build_args"],
        started_on=values["started_on"],
        finished_on=values["finished_on"],
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
        click.option(
            "--platform",
            "platforms",
            multiple=True,
            metavar="OS/ARCH",
            help="The build's platform; may be given again.",
        ),
        click.option(
            "--builder",
            type=click.Choice(["docker", "docker-build"]),
            default="docker",
            help="What built it: docker-build is BuildKit, by Pulumi's docker-build provider.  [default: docker]",
        ),
        click.option(
            "--build-arg-name",
            "build_arg_names",
            multiple=True,
            metavar="NAME",
            help="A build argument's name; may be given again. Its value isn't recorded.",
        ),
        click.option(
            "--build-arg",
            "build_args",
            type=_NameValue(),
            multiple=True,
            help="A build argument whose value is recorded too, for all to read: never a secret. May be given again.",
        ),
        click.option("--started-on", type=_Moment(), help="When the build began.  [default: not recorded]"),
        click.option("--finished-on", type=_Moment(), help="When the build ended.  [default: not recorded]"),
    )
    for option in reversed(options):
        command = option(command)
    return command
