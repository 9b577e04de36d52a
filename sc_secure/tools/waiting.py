"""Pauses. Signals and time-outs reach the main thread alone: what another thread waits for is ended by who began it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator
from typing import cast

_of_this_thread = threading.local()


def pause(seconds: float) -> None:
    """Wait.

    Raises:
        Exception: what the thread's own pause raises once its work is to end.
    """
    cast("Callable[[float], None]", getattr(_of_this_thread, "pause", time.sleep))(seconds)


@contextlib.contextmanager
def pausing(how: Callable[[float], None]) -> Generator[None]:
    """What is in it, in this thread, pauses so."""
    _of_this_thread.pause = how
    try:
        yield
    finally:
        del _of_this_thread.pause
