"""How many steps work at once on a machine, whatever number of programs and images they belong to.

A slot is a lock on a file, which the kernel frees however its holder ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import IO

from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.tools.lifeline import Lifeline, StepTimedOut
from sc_secure.tools.text import printable
from sc_secure.tools.workspace import cache_folder, cache_subfolder

VARIABLE = "SC_SECURE_MAX_PARALLEL"
MAX_WAIT = 3600.0
"""Seconds that a step waits for its turn. Its own time-out begins after that."""
_MOST = 1024
_PERIOD = 0.05
_QUEUE = "queue"


def max_parallel(environ: Mapping[str, str]) -> int:
    """How many steps may work at once: `$SC_SECURE_MAX_PARALLEL`, or else two a processor, and at least four.

    Raises:
        ConfigError: the variable isn't such a number.
    """
    said = environ.get(VARIABLE)
    if not said:
        # Where the kernel can't tell which processors are ours (macOS), all are.
        ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(4, 2 * ours)
    if not (said.isascii() and said.isdigit() and 1 <= int(said) <= _MOST):
        advice = f"set it to a whole number between 1 and {_MOST}, or leave it unset"
        raise ConfigError(
            f"{VARIABLE}: {printable(said, limit=40)}: not how many steps may work at once", advice=advice
        )
    return int(said)


@contextlib.contextmanager
def slot(environ: Mapping[str, str], *, max_wait: float = MAX_WAIT) -> Generator[None]:
    """Held by so many processes of this user at a time; waits for one, in the order in which they came.

    Args:
        environ: our environment.
        max_wait: seconds.

    Raises:
        ConfigError: see `max_parallel`.
        InfrastructureError: none became free in time, or the cache can't be written.
        KeyboardInterrupt: a signal, or our parent is gone.
    """
    count = max_parallel(environ)
    folder = cache_subfolder(cache_folder(environ), "slots")
    try:
        with Lifeline(max_wait):
            held = _wait(folder, count)
    except StepTimedOut:
        advice = f"raise {VARIABLE} ({count} here), or have fewer steps at once (pulumi up --parallel N)"
        raise InfrastructureError(f"no step ended within {max_wait:g} s to let this one begin", advice=advice) from None
    with held:
        yield


def _wait(folder: Path, count: int) -> IO[bytes]:
    """The open file of a slot that is ours. Only the first in the queue looks for one."""
    # The files stay: removing one would let two processes hold locks on two files of one name.
    with (folder / _QUEUE).open("wb") as queue:
        fcntl.flock(queue, fcntl.LOCK_EX)
        while True:
            for number in range(count):
                file = (folder / str(number)).open("wb")
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BaseException as error:
                    file.close()
                    if not isinstance(error, BlockingIOError):
                        raise
                else:
                    return file
            time.sleep(_PERIOD)
