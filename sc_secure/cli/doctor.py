"""`sc-secure doctor`."""

from __future__ import annotations

import json
import os
import sys

import click

from sc_secure.cli._epilog import epilog
from sc_secure.errors import ToolMissing
from sc_secure.tools.lifeline import Lifeline
from sc_secure.tools.process import Runner
from sc_secure.tools.table import TOOLS, Tool
from sc_secure.tools.versions import UNKNOWN, installed, too_old

_PATIENCE = 60.0
"""Seconds for all tools together to say their versions."""
_NEED = {"step": "", "scanner": " (only if a policy's scan.tools names it)", "development": " (no step needs it)"}


@click.command(
    epilog=epilog(
        "sc-secure doctor",
        codes=(0, 2, 5),
        meanings={5: "a tool that a step runs is missing or too old"},
    )
)
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is printed; json is one line.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the command lines that ask for versions.")
def command(output: str, verbose: bool) -> int:
    """Look at the tools that the steps need, a line each, with what to do.

    Exits with 5 if one that a step runs is missing or too old.
    """
    runner = Runner(verbose=verbose)
    with Lifeline(_PATIENCE):
        looked_at = [
            (tool, *_look(tool, runner)) for tool in TOOLS if tool.purpose in ("step", "scanner", "development")
        ]
    if output == "json":
        rows = [
            {
                "name": tool.name,
                "version": version,
                "minimum": tool.minimum,
                "stepsNeedIt": tool.purpose == "step",
                "ok": not advice,
            }
            for tool, version, advice in looked_at
        ]
        click.echo(json.dumps({"tools": rows}))
    else:
        for tool, version, advice in looked_at:
            mark = "ok" if not advice else "missing" if not version else "too old"
            need = _NEED[tool.purpose]
            click.echo(f"{mark:<8}{tool.name:<24}{version or '-':<10}{advice}{need if advice else ''}")
    bad = [tool.name for tool, _, advice in looked_at if advice and tool.purpose == "step"]
    if bad:
        print(f"sc-secure: the steps can't run without {', '.join(bad)}", file=sys.stderr)
    return ToolMissing.exit_code if bad else 0


def _look(tool: Tool, runner: Runner) -> tuple[str, str]:
    """The tool's version (empty: it isn't there), and what to do (empty: nothing)."""
    found = installed(tool, runner, os.environ)
    wanted = f"install {tool.minimum} or newer (tested: {tool.pinned})"
    if found is None:
        return "", wanted
    if too_old(tool, found):
        return found.version, wanted
    return found.version if found.version != UNKNOWN else "unknown", ""
