"""A shell for the `RUN` steps of an image made from nothing: this machine's own, with the libraries it needs."""

import re
import shutil
import subprocess
from pathlib import Path

DOCKERFILE = "FROM --platform=$BUILDPLATFORM scratch AS shell\nCOPY shell /\n"
"""The stage `shell`, which runs on the machine that builds, for whatever platform."""


def put_shell(context: Path) -> None:
    """Put it into a build context."""
    shell = Path("/bin/sh").resolve()
    needs = subprocess.run(["ldd", str(shell)], capture_output=True, text=True, check=True).stdout
    for file in (Path("/bin/sh"), *(Path(found) for found in re.findall(r"(/\S+) \(0x", needs))):
        copy = context / "shell" / file.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.resolve(), copy)
