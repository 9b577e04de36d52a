"""`sc-secure config show|validate|schema`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sc_secure.cli._epilog import epilog
from sc_secure.tools.text import printable

if TYPE_CHECKING:
    from sc_secure.cli._documents import PolicyDocument, ProblemDocument, ValidationDocument
    from sc_secure.cli._shared import Command
    from sc_secure.policy.loading import LoadedPolicy
    from sc_secure.policy.problems import Problem

_verbose_option = click.option(
    "-v", "--verbose", is_flag=True, expose_value=False, help="Show where an unexpected error came from."
)


def _source_options(command: Command) -> Command:
    """The flags that say which file is meant."""
    options = (
        click.option("--stack", metavar="NAME", help="The stack whose .sc/stacks/NAME/client.yaml is meant."),
        click.option("--file", metavar="FILE", help="The YAML file that is meant."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _load(stack: str | None, file: str | None) -> LoadedPolicy:
    """The policy that the `_source_options` mean.

    Raises:
        ConfigError: it can't be read, or isn't valid.
        UsageError: they mean none or two.
    """
    from sc_secure.policy.loading import load_policy  # noqa: PLC0415 - light start

    if (stack is None) == (file is None):
        there = sorted(folder.parent.name for folder in Path(".sc/stacks").glob("*/client.yaml"))
        known = f" (stacks here: {', '.join(map(printable, there))})" if there else ""
        raise click.UsageError(f"say which policy is meant: either --stack NAME{known} or --file FILE")
    return load_policy(file, stack=stack)


@click.group()
def command() -> None:
    """Show and check a security policy, as its file and the files it inherits from say it."""


@command.command(
    epilog=epilog(
        "sc-secure config show --stack web",
        "sc-secure config show --file client.yaml --output json",
        codes=(0, 2),
    )
)
@_source_options
@click.option(
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="yaml has each value's file and line as a comment, json as an object beside it.",
)
@_verbose_option
def show(*, stack: str | None, file: str | None, output: str) -> None:
    """Print the policy as it counts: merged, and each value with the file and line that it comes from.

    What no file says is not there; docs/configuration.md has the defaults.
    """
    policy = _load(stack, file)
    if output == "yaml":
        from sc_secure.cli._annotated import annotated  # noqa: PLC0415 - light start

        click.echo(annotated("security", policy.block))
        return
    leaves = policy.block.leaves(("security",))
    document: PolicyDocument = {
        "files": list(policy.files),
        "security": policy.block.plain,
        "origins": {".".join(path): {"file": leaf.file, "line": leaf.line} for path, leaf in leaves},
    }
    click.echo(json.dumps(document))


@command.command(
    epilog=epilog(
        "sc-secure config validate --stack web",
        codes=(0, 2),
        meanings={2: "the policy isn't valid, or bad usage"},
    )
)
@_source_options
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is printed; json is one line.",
)
@_verbose_option
def validate(*, stack: str | None, file: str | None, output: str) -> int:
    """Check the policy, with all it inherits: every problem, a line each, with its file, line and path.

    Exits with 2 if there is one.
    """
    from sc_secure.policy.problems import InvalidPolicy  # noqa: PLC0415 - light start

    try:
        policy = _load(stack, file)
    except InvalidPolicy as error:
        if output == "text":
            raise
        click.echo(_as_json([], error.problems))
        return error.exit_code
    warnings = _refused_later(policy)
    if output == "json":
        click.echo(_as_json(policy.files, [], warnings))
        return 0
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    first, *parents = policy.files
    inherits = f" (inherits from {', then '.join(map(printable, parents))})" if parents else ""
    click.echo(f"valid: {printable(first)}{inherits}")
    return 0


@command.command(
    epilog=epilog(
        "sc-secure config schema",
        codes=(0, 2),
    )
)
@_verbose_option
def schema() -> None:
    """Print the JSON Schema of a policy's file, for editors.

    With it in a file, `# yaml-language-server: $schema=PATH` in a policy's first line completes its keys.
    """
    from sc_secure.policy.schema import file_schema  # noqa: PLC0415 - light start

    click.echo(json.dumps(file_schema(), indent=2, ensure_ascii=False))


def _as_json(files: Sequence[str], problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> str:
    document: ValidationDocument = {
        "valid": not problems,
        "files": list(files),
        "problems": list(map(_problem, problems)),
        "warnings": list(map(_problem, warnings)),
    }
    return json.dumps(document)


def _problem(problem: Problem) -> ProblemDocument:
    return {"file": problem.file, "line": problem.line, "path": problem.path, "reason": problem.reason}


def _refused_later(policy: LoadedPolicy) -> list[Problem]:
    """What a policy may leave out, since an image can be signed by it, but not verified."""
    from sc_secure.policy.problems import Problem  # noqa: PLC0415 - light start

    signing = policy.security.signing
    named = signing.verify.identity_regexp and signing.verify.oidc_issuer
    if not (policy.security.enabled and signing.enabled and signing.keyless and signing.verify.enabled) or named:
        return []
    place = policy.block.at(("signing", "keyless"))
    reason = "SecuredImage refuses it: signing.verify must name identityRegexp and oidcIssuer, who must have signed"
    return [Problem(place.file, place.line, "security.signing.verify", reason)]
