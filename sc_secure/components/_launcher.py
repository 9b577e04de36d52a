"""The launcher: the one name by which each command calls this very package, in whatever environment it runs."""

import os
import shlex
import sys
import tempfile
from functools import cache
from pathlib import Path

import pulumi

from sc_secure.components._memory import launched_roots
from sc_secure.components._validate import InvalidArgs

LAUNCHER = ".sc/bin/sc-secure"
"""What each command calls, relative to the project, which is the command plugin's working directory."""
MAX_PARALLEL = "SC_SECURE_MAX_PARALLEL"
"""The variable that says how many steps of a machine work at once."""
MOST_PARALLEL = 1024
_PACKAGE = Path(__file__).resolve().parents[1]


def project_root() -> str:
    """The folder of `Pulumi.yaml`: where the command plugin runs, which a program's own folder (`main:`) needn't be."""
    recorded = pulumi.runtime.get_root_directory()
    if recorded and Path(recorded).is_absolute():  # older language hosts say nothing, and mocks a name
        return recorded
    return _project_above(str(Path.cwd()))


@cache
def _project_above(folder: str) -> str:
    for each in (Path(folder), *Path(folder).parents):
        if any((each / name).is_file() for name in ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")):
            return str(each)
    return folder


def write_launcher(root: str) -> None:
    """Writes, once a program, the script through which the commands find this very package.

    The command plugin has the `pulumi` program's PATH, not that of the virtual environment that Pulumi activates for
    the program. The script's text is this machine's; its path, the only thing in the commands, is every machine's.
    """
    written = launched_roots()
    if root in written:
        return
    folder = Path(root, LAUNCHER).parent
    python, main = shlex.quote(sys.executable), shlex.quote(str(_PACKAGE / "__main__.py"))
    _write(folder / ".gitignore", "*\n", 0o644)
    at_once = _max_parallel()
    bound = f': "${{{MAX_PARALLEL}:={at_once}}}"\nexport {MAX_PARALLEL}\n' if at_once is not None else ""
    _write(
        Path(root, LAUNCHER),
        f'#!/bin/sh\n# Written by sc-secure for this machine.\n{bound}exec {python} -P {main} "$@"\n',
        0o755,
    )
    written.add(root)


def _max_parallel() -> int | None:
    """The stack's setting `sc-secure:maxParallel`. In the launcher, and so in no command: it runs nothing again.

    Raises:
        InvalidArgs: it isn't a number of steps.
    """
    said = pulumi.Config("sc-secure").get("maxParallel")
    if said is None:
        return None
    if not (said.isascii() and said.isdigit() and 1 <= int(said) <= MOST_PARALLEL):
        raise InvalidArgs("the configuration", [("sc-secure:maxParallel", f"between 1 and {MOST_PARALLEL} steps")])
    return int(said)


def _write(file: Path, text: str, mode: int) -> None:
    """Writes a file in one step, so that a command that starts meanwhile never reads half of it."""
    try:
        if file.read_text() == text:
            return
    except OSError:
        pass
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    Path(temporary).chmod(mode)
    Path(temporary).replace(file)
