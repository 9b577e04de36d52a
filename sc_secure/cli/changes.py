"""`sc-secure changes`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sc_secure.cli._epilog import epilog
from sc_secure.cli._shared import Output
from sc_secure.errors import ConfigError
from sc_secure.tools.text import printable

_MAX_BYTES = 512 * 1024 * 1024


@click.command(
    epilog=epilog(
        "pulumi preview --json | sc-secure changes",
        "sc-secure changes --preview preview.json --policy client.yaml --policy-before old.yaml",
        codes=(0, 2),
    )
)
@click.option(
    "--preview",
    type=click.File("rb"),
    default="-",
    show_default=True,
    metavar="FILE",
    help="What `pulumi preview --json` prints; `-` is standard input.",
)
@click.option("--policy", metavar="FILE", help="The policy as it would be.")
@click.option(
    "--policy-before",
    metavar="FILE",
    help="The policy as it is, to compare with. A file that isn't there says nothing.",
)
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is printed: as Markdown, or as one line of JSON.",
)
@click.option("-v", "--verbose", is_flag=True, expose_value=False, help="Show where an unexpected error came from.")
def command(*, preview: Any, policy: str | None, policy_before: str | None, output: Output) -> None:
    """Print what a preview would change of the policy and of the steps, as Markdown for a pull request.

    To be run as `pulumi preview --json | sc-secure changes`. The policy's files are compared for themselves, because a
    preview knows nothing of a step whose image is still to be built. The first line marks the comment, so that a bot
    can find its own one again.
    """
    from sc_secure.report import changes  # noqa: PLC0415 - light start

    if (policy is None) != (policy_before is None):
        raise click.UsageError("to compare the policy, give both --policy and --policy-before")
    try:
        plan = json.loads(preview.read(_MAX_BYTES))
        before, after = _leaves(policy_before, missing=True), _leaves(policy)
        if output == "json":
            click.echo(json.dumps(changes.document(plan, before, after)))
            return
        comment = changes.write(plan, before, after)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--preview: {printable(str(error), limit=200)}") from None
    click.echo(comment, nl=False)


def _leaves(file: str | None, *, missing: bool = False) -> dict[str, str]:
    """A policy's values, by their paths.

    Args:
        file: the policy; None: there is none.
        missing: whether the file may be missing.

    Raises:
        ConfigError: it can't be read, or isn't valid.
    """
    from sc_secure.policy.loading import load_policy  # noqa: PLC0415 - light start

    if file is None or (missing and not Path(file).exists()):
        return {}
    block = load_policy(file).block
    return {".".join(path): json.dumps(leaf.plain, ensure_ascii=False) for path, leaf in block.leaves()}
