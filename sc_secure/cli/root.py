"""The root command: finds each group's module when it is asked for, and turns every failure into an exit code."""

from __future__ import annotations

import importlib
import signal
import sys
import traceback
from collections.abc import Sequence

import click

from sc_secure._version import __version__
from sc_secure.cli._epilog import EXIT_CODES, epilog
from sc_secure.errors import ConfigError, ScSecureError

INTERRUPTED = 130
_GROUPS = {
    "changes": "Say what a Pulumi preview would change of the security.",
    "config": "Show and check a security policy.",
    "doctor": "Say whether a deployment would work here, and what to do where not.",
    "drift": "Compare what a stack's last update attached with what the registry has.",
    "image": "Scan, sign and verify an image.",
    "provenance": "Gather, attach and verify how an image was built.",
    "release": "Take an image through the whole chain, and report on it.",
    "report": "Write the reports of an image from a stack's state.",
    "sbom": "Make, attach and verify an image's catalogue.",
    "scan": "Attach and verify the result of an image's scan.",
}


class _Lazy(click.Group):
    """Imports a command's module on first use: `--help` and each command stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _GROUPS:
            return None
        module = importlib.import_module(f"sc_secure.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_GROUPS.items()))


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=epilog("sc-secure release create --image $REF --policy policy.yaml", codes=tuple(EXIT_CODES)),
)
@click.version_option(__version__, message="sc-secure %(version)s")
def root() -> None:
    """Catalogue, scan, sign, attest and verify a container image that is in a registry.

    Every step takes the image as REPOSITORY@sha256:…, prints its result on stdout (one line of JSON with
    --output json), and talks to people on stderr. Documents go to .sc/artifacts.
    """


def run(arguments: Sequence[str]) -> int:
    """The exit code of the command line; messages are on stderr."""
    verbose = "-v" in arguments or "--verbose" in arguments
    try:
        # Outside a step a plain signal ends us at once; inside, the step's lifeline raises KeyboardInterrupt.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        code: object = root.main(args=list(arguments), prog_name="sc-secure", standalone_mode=False)
    except click.ClickException as error:
        error.show(sys.stderr)
        return ConfigError.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("sc-secure: interrupted", file=sys.stderr)
        return INTERRUPTED
    except ScSecureError as error:
        print(f"sc-secure: {error.diagnostics()}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        if verbose:
            traceback.print_exc()
        else:
            from sc_secure.tools.text import printable  # noqa: PLC0415 - light start

            said = printable(f"{type(error).__name__}: {error}", limit=300)
            print(f"sc-secure: unexpected: {said} (-v shows where)", file=sys.stderr)
        return 1
    return code if isinstance(code, int) else 0
