"""Waits for what another process does, by looking often."""

import time
from collections.abc import Callable
from pathlib import Path

_PATIENCE = 20.0
"""Seconds."""


def wait_until(happened: Callable[[], bool]) -> None:
    """Returns once it has happened."""
    until = time.monotonic() + _PATIENCE
    while not happened():
        assert time.monotonic() < until, "it didn't happen"
        time.sleep(0.05)


def process_id(file: Path) -> int:
    """The id that a process wrote into a file of its own, once it is there."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if file.exists() and file.read_text().strip():
            return int(file.read_text())
        time.sleep(0.01)
    raise AssertionError(f"{file.name} didn't come")
