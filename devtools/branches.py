"""The branches of each room of the code that its tests take; less than `LEAST` of one, or a failed test, fails.

`make coverage` takes some minutes: the tests work on real tools. What runs as a process of its own is measured too,
the command line that a test or an engine starts: coverage hands itself on in the environment (`patch = subprocess` in
pyproject.toml), which `tests/conftest.py` passes on.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devtools.cache import REPOSITORY
from devtools.console import SetupError, run_main, say

LEAST = 95.0
"""Per cent."""
ROOMS = {
    "policy": ("tests/policy", "tests/fuzz/test_untrusted.py"),
    "components": ("tests/components",),
    "steps": ("tests/steps",),
}
"""A folder of `sc_secure/` -> the tests that reach it."""


def main() -> int:
    """Runs the tests of the rooms that are named, or of all, and prints what isn't reached.

    Raises:
        SetupError: there is no such room.
    """
    wanted = sys.argv[1:] or list(ROOMS)
    if unknown := [name for name in wanted if name not in ROOMS]:
        raise SetupError(f"{', '.join(unknown)}: unknown; known: {', '.join(ROOMS)}")
    tests = [path for name in wanted for path in ROOMS[name]]
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"COVERAGE_FILE": str(Path(folder, "data"))}

        def coverage(*words: str) -> int:
            command = [sys.executable, "-m", "coverage", *words]
            return subprocess.run(command, cwd=REPOSITORY, env=env, check=False).returncode

        # By coverage itself: pytest-cov would measure the workers once more.
        failed = coverage("run", "-m", "pytest", "-q", "-n2", "-p", "no:cacheprovider", "-p", "no:cov", *tests)
        report = Path(folder, "report.json")
        coverage("combine", "-q")
        coverage("json", "-q", "-o", str(report))
        files: dict[str, Any] = json.loads(report.read_text())["files"]
    return max([failed, *(_told(name, files) for name in wanted)])


def _told(room: str, files: dict[str, Any]) -> int:
    """Prints what is known of a room; 1: too little of it is reached."""
    ours = {name: found for name, found in files.items() if Path(name).is_relative_to(f"sc_secure/{room}")}
    for name, found in ours.items():
        if missing := ", ".join(_missing(found)):
            say(f"{name}: {missing}")
    there, taken = (sum(each["summary"][key] for each in ours.values()) for key in ("num_branches", "covered_branches"))
    share = 100 * taken / there
    say(f"sc_secure/{room}: {taken} of {there} branches, {share:.1f} %; at least {LEAST:g} % are needed")
    return int(share < LEAST)


def _missing(found: dict[str, Any]) -> Iterator[str]:
    """Each branch that no test takes, as `LINE->LINE`; below 0 is the way out of the function."""
    for start, end in found["missing_branches"]:
        yield f"{start}->{end if end > 0 else 'exit'}"


if __name__ == "__main__":
    run_main(main)
