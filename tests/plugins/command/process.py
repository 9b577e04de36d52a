"""Running a command as the official plugin does, with what is awkward about it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from resources import ProviderError

_LONGEST_LOGGED_LINE = 64 * 1024
_CHUNK = 32 * 1024


class Processes:
    """The commands under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._cancelled = False
        self._environment = _environment_of_engine()

    def cancel(self) -> None:
        """Kill the direct child of each command, and no other; a later command doesn't start."""
        with self._lock:
            self._cancelled = True
            for process in self._running:
                process.kill()

    def run(
        self,
        command: str,
        *,
        interpreter: list[str],
        folder: str,
        environment: dict[str, str],
        stdin: str,
        logging: str,
        log: Callable[[str], None],
        timeout: float,
    ) -> tuple[str, str]:
        """Return stdout and stderr, each without one trailing newline, or raise with the command and its output."""
        process = self._start([*interpreter, command], folder, self._environment | environment, stdin)
        lines = Lines(log)
        both = Collected()
        streams = {
            "stdout": Stream(process.stdout, both, lines if logging in ("stdout", "stdoutAndStderr") else None),
            "stderr": Stream(process.stderr, both, lines if logging in ("stderr", "stdoutAndStderr") else None),
        }
        if process.stdin is not None:
            threading.Thread(target=feed, args=(process.stdin, stdin), daemon=True).start()
        killer = threading.Timer(timeout, process.kill) if timeout > 0 else None
        if killer is not None:
            killer.daemon = True
            killer.start()
        try:
            process.wait()
            # As Go's exec.Cmd: also until the last grandchild has closed its end, killed or not.
            for stream in streams.values():
                stream.join()
        finally:
            if killer is not None:
                killer.cancel()
            with self._lock:
                self._running.discard(process)
        lines.end()
        if process.returncode != 0:
            raise _failed(_status(process.returncode), command, both.text())
        return streams["stdout"].text().removesuffix("\n"), streams["stderr"].text().removesuffix("\n")

    def _start(self, argv: list[str], folder: str, environment: dict[str, str], stdin: str) -> subprocess.Popen[bytes]:
        # The program is looked for on the plugin's own PATH, not on the one given to the command.
        program = argv[0] if "/" in argv[0] else shutil.which(argv[0], path=self._environment.get("PATH"))
        if program is None:
            raise _failed(f'exec: "{argv[0]}": executable file not found in $PATH', argv[-1], "")
        with self._lock:
            if self._cancelled:
                raise _failed("context canceled", argv[-1], "")
            try:
                process = subprocess.Popen(
                    argv,
                    executable=program,
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
            except OSError as error:
                where = f"chdir {folder}" if error.filename == folder else f"fork/exec {program}"
                raise _failed(f"{where}: {(error.strerror or '').lower()}", argv[-1], "") from error
            self._running.add(process)
            return process


def _failed(status: str, command: str, output: str) -> ProviderError:
    return ProviderError(f"{status}: running {json.dumps(command, ensure_ascii=False)}:\n{output}")


def _status(returncode: int) -> str:
    if returncode > 0:
        return f"exit status {returncode}"
    return f"signal: {(signal.strsignal(-returncode) or str(-returncode)).lower()}"


def feed(pipe: BinaryIO, text: str) -> None:
    """Write the whole of a command's stdin."""
    with contextlib.suppress(BrokenPipeError), pipe:
        pipe.write(text.encode())


def _environment_of_engine() -> dict[str, str]:
    # Python adds LC_CTYPE to its own environment in a C locale; commands must see what the engine gave.
    given = Path("/proc/self/environ")
    if not given.exists():
        return dict(os.environ)
    entries = (os.fsdecode(entry) for entry in given.read_bytes().split(b"\0") if entry)
    return {name: value for name, _, value in (entry.partition("=") for entry in entries)}


class Collected:
    """What a command has said, from one or both streams."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def text(self) -> str:
        return b"".join(self._chunks).decode(errors="replace")


class Lines:
    """Logs line by line. After a line over 64 KiB it takes nothing more, so that whoever writes waits for ever.

    That is the official plugin's fault (a scanner with a limit reads the other end of a pipe without a buffer), and one
    that a program must be able to rely on being bitten by here, too.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._rest = b""

    def write(self, chunk: bytes) -> None:
        with self._lock:
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._check(line)
                self._log(line.removesuffix(b"\r").decode(errors="replace"))
            self._check(self._rest)

    def _check(self, line: bytes) -> None:
        if len(line) >= _LONGEST_LOGGED_LINE:
            threading.Event().wait()  # holding the lock: neither stream gets any further

    def end(self) -> None:
        if self._rest:
            self._log(self._rest.decode(errors="replace"))


class Stream(threading.Thread):
    """Reads one stream of a command to its end."""

    def __init__(self, pipe: BinaryIO | None, both: Collected, lines: Lines | None) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._own = Collected()
        self._both = both
        self._lines = lines
        self.start()

    def run(self) -> None:
        if self._pipe is None:
            return
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), _CHUNK):
                self._own.add(chunk)
                self._both.add(chunk)
                if self._lines is not None:
                    self._lines.write(chunk)

    def text(self) -> str:
        return self._own.text()
