"""What this repository's Makefile runs: tools, a docker engine, a registry, a local Sigstore, plugins, the quickstart.

Plain system Python, standard library only: it runs before any virtual environment exists.
"""

import sys

# An older one is what this is for, whatever the linter says of the project's minimum.
if sys.version_info < (3, 11):  # noqa: UP036
    raise SystemExit(
        f"This project needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}.\n"
        "Name another one: make PYTHON=python3.12 …"
    )
