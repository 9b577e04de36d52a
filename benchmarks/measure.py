"""Times whole processes in turn, and what a ratio of two of them is."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

Prepare = Callable[[], Sequence[str]]
"""Makes what one run needs, outside of the time, and gives its command."""


class Cost(NamedTuple):
    """What one process and its children took."""

    seconds: float
    megabytes: float
    """The largest resident set of any one of them."""


@dataclass(frozen=True)
class Pair:
    """Both sides of a comparison, run in turn."""

    ours: list[Cost]
    theirs: list[Cost]

    @property
    def ratio(self) -> float:
        """The median of ours over theirs, pair by pair."""
        return statistics.median(a.seconds / b.seconds for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def difference(self) -> float:
        """The median of what ours takes longer, in seconds."""
        return statistics.median(a.seconds - b.seconds for a, b in zip(self.ours, self.theirs, strict=True))


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(statistics.median(c.seconds for c in costs), statistics.median(c.megabytes for c in costs))


Where = tuple[Mapping[str, str], Path]
"""The environment and the folder of a run."""


def in_turn(ours: Prepare, theirs: Prepare, where: Where, runs: int) -> Pair:
    """Runs both after one run of each that isn't counted.

    Raises:
        RuntimeError: a run failed.
    """
    pair = Pair([], [])
    for number in range(runs + 1):
        for prepare, costs in ((ours, pair.ours), (theirs, pair.theirs)):
            cost = once(prepare(), *where)
            if number:
                costs.append(cost)
    return pair


def once(command: Sequence[str], env: Mapping[str, str], folder: Path) -> Cost:
    """Runs a command to its end.

    Raises:
        RuntimeError: it failed; its output is in the error.
    """
    output = folder / "output.txt"
    with output.open("w") as file:
        began = time.perf_counter()
        # Pulumi waits five seconds for an open pipe that nobody writes to.
        process = subprocess.Popen(
            command, env=dict(env), cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        said = output.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{said}")
    return Cost(seconds, usage.ru_maxrss / 1024)
