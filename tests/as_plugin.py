"""The package as an executable plugin: what programs in other languages than Python use.

Stands for what a current Python language host does with `PulumiPlugin.yaml`: it runs the folder with Python. The host
that can be built here (see `devtools/pulumi-language-python`) is older than plugins of that kind.
"""

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def write_plugin(folder: Path) -> Path:
    """Makes the executable in a new folder, for PATH, where Pulumi looks for plugins; the folder."""
    executable = folder / "pulumi-resource-sc-secure"
    folder.mkdir(parents=True)
    executable.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(ROOT))} "$@"\n')
    executable.chmod(0o755)
    return folder
