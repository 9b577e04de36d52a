"""`sc-secure doctor`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sc_secure.cli._epilog import epilog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sc_secure.context.credentials import NamedVariables
    from sc_secure.steps.doctor.finding import Finding
    from sc_secure.tools.reference import Place


@click.command(
    epilog=epilog(
        "sc-secure doctor --stack staging",
        codes=(0, 2, 5, 6, 7),
        meanings={2: "the policy or an argument won't do", 5: "a tool that the policy needs is missing or too old"},
    )
)
@click.option("--stack", metavar="NAME", help="Look at what the policy .sc/stacks/NAME/client.yaml needs.")
@click.option("--policy", metavar="FILE", help="In its place, the YAML file whose `security:` block is the policy.")
@click.option(
    "--image",
    metavar="REF",
    help="Ask the registry what it lets us do with this repository: REPOSITORY, with a tag or a digest or without.",
)
@click.option("--registry", metavar="HOST", help="Ask only whether this registry answers and knows us.")
@click.option("--registry-username-env", metavar="NAME", help="The variable that holds the user's name there.")
@click.option("--registry-password-env", metavar="NAME", help="The variable that holds the password or token.")
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is printed; json is one line: a list of check, status, detail and remedy.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the tools' command lines and messages on stderr.")
def command(
    *,
    stack: str | None,
    policy: str | None,
    image: str | None,
    registry: str | None,
    registry_username_env: str | None,
    registry_password_env: str | None,
    output: str,
    verbose: bool,
) -> int:
    """Look at all that a deployment needs here, and say what to do where something is wrong.

    Nothing is changed, in the registry neither. Without --stack and --policy, what any policy may need is looked at.
    Exits with 0 if a deployment would work; else with the code of the first failure: 2 configuration, 5 a tool, 6
    infrastructure, 7 not authorised.
    """
    from sc_secure.steps.doctor.examine import examine, exit_code  # noqa: PLC0415 - light start
    from sc_secure.steps.doctor.finding import Checks  # noqa: PLC0415 - light start

    if stack is not None and policy is not None:
        raise click.UsageError("say which policy counts: either --stack NAME, or --policy FILE")
    place, named = _place(image, registry), _named(registry_username_env, registry_password_env)
    if named and not place:
        raise click.UsageError("--registry-username-env goes with --image or --registry")
    found = examine(stack=stack, policy=policy, place=place, named=named, verbose=verbose)
    if output == "json":
        click.echo(Checks([each.check for each in found]).model_dump_json())
    else:
        _print(found)
    failed = [each.check.check for each in found if each.check.status == "failed"]
    if failed:
        print(f"sc-secure: a deployment wouldn't work here: {', '.join(failed)}", file=sys.stderr)
    return exit_code(found)


def _place(image: str | None, registry: str | None) -> Place | None:
    from sc_secure.tools.reference import parse_place, parse_registry  # noqa: PLC0415 - light start

    if image is not None and registry is not None:
        raise click.UsageError("give either --image or --registry: the image's registry is asked anyway")
    if image is not None:
        return parse_place(image)
    return parse_registry(registry) if registry is not None else None


def _named(username: str | None, password: str | None) -> NamedVariables | None:
    from sc_secure.context.credentials import NamedVariables  # noqa: PLC0415 - light start

    if (username is None) != (password is None):
        raise click.UsageError("--registry-username-env and --registry-password-env go together")
    return NamedVariables(username, password) if username is not None and password is not None else None


def _print(found: Sequence[Finding]) -> None:
    """A line each; under one that isn't well, what to do."""
    width = max(len(each.check.check) for each in found)
    for each in found:
        click.echo(f"{each.check.status:<8}{each.check.check:<{width}}  {each.check.detail}")
        for line in each.check.remedy.splitlines():
            click.echo(f"{'':<8}{line}")
