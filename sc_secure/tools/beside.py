"""Work that is done beside the main thread's, and ends with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

from sc_secure.errors import InfrastructureError
from sc_secure.tools.process import GRACE, Runner
from sc_secure.tools.waiting import pausing

_LONGEST = GRACE + 0.5
"""Seconds, in which the programs have ended."""

T = TypeVar("T")


class Beside(Generic[T]):
    """A context in which some work goes on. Whatever ends the context ends the work's programs and pauses too.

    Args:
        work: returns something, or raises; its programs are run by `runner`.
        runner: is stopped if the context ends before the work does.
    """

    def __init__(self, work: Callable[[], T], runner: Runner) -> None:
        self._work = work
        self._runner = runner
        self._done: list[T] = []
        self._error: BaseException | None = None
        # Not the thread's own end: Python 3.11 takes a thread for ended once waiting for it was interrupted
        # (https://github.com/python/cpython/issues/90882).
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beside", daemon=True)

    def __enter__(self) -> Beside[T]:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: by itself if all is well, else now."""
        try:
            if error is None:
                self._ended.wait()
        finally:
            # Also when waiting was interrupted.
            if not self._ended.is_set():
                self._runner.stop()
                # A server that doesn't answer isn't waited for: the thread ends with us at the latest.
                self._ended.wait(_LONGEST)

    def wait(self) -> None:
        """Until it has ended, in whichever way."""
        self._ended.wait()

    def end(self, why: str) -> None:
        """Have it end now. What can't be ended, as a read from a server that hangs, is left, and has failed."""
        self._runner.stop(why)
        if not self._ended.wait(_LONGEST):
            self._error = InfrastructureError(why)
            self._ended.set()

    def result(self) -> T:
        """What the work returned, waited for.

        Raises:
            Exception: what the work raised.
        """
        self._ended.wait()
        if self._error:
            raise self._error
        return self._done[0]

    def _run(self) -> None:
        try:
            with pausing(self._runner.pause):
                self._done.append(self._work())
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()
