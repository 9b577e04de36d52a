"""What ends a step early: a signal, its time-out, the death of its parent. One mechanism for all of them.

A pulumi-command step is ended by SIGKILL to its direct child alone, and the plugin then waits for every process that
still holds stdout. So a step looks four times a second whether its parent is still there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Generator
from types import FrameType, TracebackType

from sc_secure.errors import InfrastructureError, ScSecureError

_PERIOD = 0.25
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StepTimedOut(ScSecureError):
    """The step took longer than it was allowed to.

    An infrastructure failure to whoever reads exit codes, and no `InfrastructureError`: it is raised wherever the main
    thread happens to be, once, and who passes over the failure of a program there mustn't pass over this.
    """

    exit_code = InfrastructureError.exit_code
    whole = True
    """The time of the whole run is over, not only that of a part."""

    def while_running(self, program: str) -> None:
        """Has the error say which program was at work then."""
        self.message += f", while {program} ran"


class Lifeline:
    """A context in which the main thread is interrupted by an exception when it has to end.

    SIGINT, SIGTERM, SIGHUP and a parent that is gone raise `KeyboardInterrupt`; the time-out raises `StepTimedOut`.
    It is raised once: what cleans up afterwards isn't interrupted again.

    Args:
        timeout: seconds for everything in the context.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._advice: str = "raise --timeout, or try again"
        self._deadline = 0.0
        self._in_part = False
        self._timed_out_part = False
        self.over = False
        """The time of the part, or of the whole, is over."""
        self._parent = os.getppid()
        self._previous: dict[int, signal.Handlers | int | None] = {}

    def __enter__(self) -> Lifeline:
        """Start watching."""
        self._deadline = time.monotonic() + self._timeout
        for number in _SIGNALS:
            self._previous[number] = signal.getsignal(number)  # type: ignore[assignment]
        self._previous[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._on_tick)  # type: ignore[assignment]
        self._arm()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop watching; signals do what they did before."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def within(self, timeout: float, advice: str) -> Generator[None]:
        """A part that may take less time than what is left of the whole; the whole goes on being watched after it.

        Args:
            timeout: seconds for the part.
            advice: what to do if it takes longer.
        """
        before = (self._timeout, self._deadline, self._advice)
        if time.monotonic() + timeout < self._deadline:
            self._timeout, self._deadline, self._advice = timeout, time.monotonic() + timeout, advice
            self._in_part = True
        try:
            yield
        finally:
            self._timeout, self._deadline, self._advice = before
            self._in_part = False
            self.over = self.over and not self._timed_out_part
        if self._timed_out_part:  # and the part's own error was dealt with: the rest is to be watched too
            self._timed_out_part = False
            self._arm()

    def _arm(self) -> None:
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        signal.setitimer(signal.ITIMER_REAL, _PERIOD, _PERIOD)

    def _disarm(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._disarm()
        raise KeyboardInterrupt(signal.Signals(number).name)

    def _on_tick(self, number: int, frame: FrameType | None) -> None:
        if os.getppid() != self._parent:
            self._disarm()
            raise KeyboardInterrupt("the parent process is gone")
        if time.monotonic() > self._deadline:
            self._disarm()
            error = StepTimedOut(f"the step took longer than {self._timeout:g} s and was ended", advice=self._advice)
            error.whole, self._timed_out_part, self.over = not self._in_part, self._in_part, True
            raise error
