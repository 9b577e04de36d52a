"""What a person sees while a program runs: on a terminal one line, which goes when it ends; elsewhere nothing."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

_CLEAR = "\r\x1b[K"
_AFTER = 0.5
"""Seconds after which a program is worth a line: most end before."""


class Progress:
    """A context in which `tick`, called often, keeps the line up to date.

    Args:
        name: the program.
        quiet: show nothing, since something else is shown.
    """

    def __init__(self, name: str, *, quiet: bool) -> None:
        self._name = name
        # One line is one program's: that of the main thread.
        self._on = not quiet and sys.stderr.isatty() and threading.current_thread() is threading.main_thread()
        self._began = time.monotonic()
        self._shown = ""

    def __enter__(self) -> Progress:
        """Nothing is shown yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        if self._shown:
            print(_CLEAR, end="", file=sys.stderr, flush=True)

    def tick(self) -> None:
        """Show how long it runs."""
        seconds = time.monotonic() - self._began
        text = f"{self._name} … {seconds:.0f} s"
        if self._on and seconds > _AFTER and text != self._shown:
            print(_CLEAR + text, end="", file=sys.stderr, flush=True)
            self._shown = text
