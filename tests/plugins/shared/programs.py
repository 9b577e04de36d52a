"""Runs the programs that do a plugin's work, and ends them when the user presses Ctrl-C."""

import subprocess
import threading
from collections.abc import Callable, Sequence

from resources import ProviderError

_LAST_LINES = 30

Environment = dict[str, str]
Log = Callable[[str], None]


class Programs:
    """The programs under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()

    def cancel(self) -> None:
        """End what is under way."""
        with self._lock:
            for process in self._running:
                process.terminate()

    def run(self, command: Sequence[str], environment: Environment, log: Log, what: str) -> str:
        """Return what it printed.

        Raises:
            ProviderError: it isn't on PATH, or failed.
        """
        try:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except FileNotFoundError as error:
            raise ProviderError(f"{what}: the {command[0]} program isn't on PATH") from error
        with self._lock:
            self._running.add(process)
        lines = []
        try:
            with process:
                for line in process.stdout or ():
                    lines.append(line.rstrip())
                    if line.strip():
                        log(line.rstrip())
        finally:
            with self._lock:
                self._running.discard(process)
        if process.returncode != 0:
            end = "\n".join(lines[-_LAST_LINES:])
            raise ProviderError(f"{what} failed with exit status {process.returncode}:\n{end}")
        return "\n".join(lines)
