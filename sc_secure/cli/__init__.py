"""The command line: the run plane's door, for Pulumi's `local.Command`, CI jobs and people alike.

This module stays light: `sc-secure --version` imports nothing else, and each command only what it needs.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line, and exit with the code that `sc_secure.errors` gives each outcome."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        from sc_secure._version import __version__  # noqa: PLC0415 - light start

        print(f"sc-secure {__version__}")
        return
    # Python's search for garbage, again and again while a large document grows, would take most of the time.
    gc.set_threshold(1_000_000)
    from sc_secure.cli.root import run  # noqa: PLC0415 - light start

    sys.exit(run(arguments))
