"""The one way a program is run: an argument list, no shell, its own process group, bounded output, a sure end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from sc_secure.errors import InfrastructureError, ToolMissing
from sc_secure.tools.lifeline import StepTimedOut
from sc_secure.tools.progress import Progress
from sc_secure.tools.text import last_lines, printable

GRACE = 1.5
"""Seconds between SIGTERM and SIGKILL to a program's process group."""
MIB = 1024 * 1024
_STDERR_KEPT = 64 * 1024
_CHUNK = 64 * 1024
_PR_SET_PDEATHSIG = 1
_CRASH = re.compile(r"^(?:fatal error|panic): .*", re.MULTILINE)
"""How a Go program says that it crashed, before it prints its stack, whose end says nothing."""


@dataclass(frozen=True)
class Completed:
    """A program that ended by itself."""

    name: str
    """The program's name, without its folder."""
    code: int
    """Its exit code; negative: the signal that ended it."""
    stdout: bytes
    """What it printed, unless it went to a file."""
    stderr: str
    """The last 64 KiB of what it printed to stderr, secrets taken out."""

    def summary(self) -> str:
        """Its exit code and its last words, on one line that is safe to print."""
        how = f"exit code {self.code}" if self.code >= 0 else f"ended by signal {-self.code}"
        crash = _CRASH.search(self.stderr)
        said = printable(crash[0]) if crash else last_lines(self.stderr, 3)
        return f"{self.name}: {how}: {said}" if said else f"{self.name}: {how}"


class Runner:
    """Runs programs. A thread that uses it must outlive them: Linux ends a program with the *thread* that started it.

    Args:
        verbose: print each command line, and what the program says on stderr, to our stderr.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        self.purpose = ""
        """What programs are run for, for those who watch: `scan`."""
        self._verbose = verbose
        self._secrets: set[str] = set()
        self._stopped = threading.Event()
        self._why = ""
        self._running = 0
        self._changed = threading.Condition()

    def hide(self, secrets: Collection[str]) -> None:
        """Take these values out of all that is printed or kept of a program's stderr."""
        self._secrets.update(secret for secret in secrets if secret)

    def sibling(self) -> Runner:
        """Another one that hides the same secrets, and is stopped alone."""
        other = Runner(verbose=self._verbose)
        other.purpose, other._secrets = self.purpose, self._secrets
        return other

    def stop(self, why: str = "the run has ended") -> None:
        """Have what runs in other threads end now: signals and time-outs reach the main thread alone."""
        self._why = self._why or why
        self._stopped.set()

    def pause(self, seconds: float) -> None:
        """Wait, in another thread than the main one.

        Raises:
            InfrastructureError: it was told to stop.
        """
        if self._stopped.wait(seconds):
            raise InfrastructureError(self._why)

    def end(self) -> None:
        """As `stop`, and wait until all of it has ended, which takes `GRACE` seconds at most."""
        self.stop()
        with self._changed:
            self._changed.wait_for(lambda: not self._running, timeout=2 * GRACE)

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        stdin: bytes = b"",
        stdout: Path | None = None,
        stdout_limit: int = 64 * MIB,
        cwd: Path | None = None,
    ) -> Completed:
        """Run a program to its end.

        Args:
            argv: the program's name (found on `env["PATH"]`) and its arguments.
            env: its whole environment.
            stdin: what it reads, at most 64 KiB.
            stdout: the file that its output goes to; without it, the result holds the output.
            stdout_limit: bytes of output, after which it is ended.
            cwd: its working directory; ours without it.

        Raises:
            ToolMissing: there is no such program.
            InfrastructureError: it printed more than `stdout_limit`.
        """
        program = shutil.which(argv[0], path=env.get("PATH", os.defpath))
        if program is None:
            raise ToolMissing(
                f"{argv[0]} is not on PATH", advice=f"install {argv[0]}; `sc-secure doctor` lists all tools"
            )
        if self._verbose:
            print("+ " + printable(shlex.join(argv), limit=8000), file=sys.stderr, flush=True)
        with self._counted(), contextlib.ExitStack() as stack:
            progress = stack.enter_context(Progress(self._shown(argv[0]), quiet=self._verbose))
            sink = stack.enter_context(stdout.open("wb")) if stdout else None
            process = subprocess.Popen(
                [program, *argv[1:]],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 - it takes no lock that a thread may hold
            )
            stack.callback(_close_pipes, process)
            try:
                if process.stdin:
                    with contextlib.suppress(BrokenPipeError):
                        process.stdin.write(stdin)
                        process.stdin.close()
                output, errors = self._drain(process, sink, stdout_limit, progress)
            except BaseException as error:
                _end_group(process)
                if isinstance(error, StepTimedOut):
                    error.while_running(Path(argv[0]).name)
                raise
            return Completed(Path(argv[0]).name, process.wait(), output, self._without_secrets(errors))

    @contextlib.contextmanager
    def _counted(self) -> Generator[None]:
        with self._changed:
            self.pause(0)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _shown(self, program: str) -> str:
        name = Path(program).name
        return f"{self.purpose}: {name}" if self.purpose else name

    def _drain(
        self, process: subprocess.Popen[bytes], sink: BinaryIO | None, limit: int, progress: Progress
    ) -> tuple[bytes, str]:
        """Read both pipes until they are closed, or until a moment after the program's end if another holds them."""
        assert process.stdout and process.stderr  # noqa: S101 - for the type checker: both are pipes  # nosec B101
        output, errors, count = bytearray(), bytearray(), 0
        name = Path(cast("Sequence[str]", process.args)[0]).name
        ended_at: float | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            selector.register(process.stderr, selectors.EVENT_READ)
            while selector.get_map():
                if self._stopped.is_set():
                    raise InfrastructureError(f"{name} was ended: {self._why}")
                progress.tick()
                for key, _ in selector.select(timeout=0.2):
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is process.stderr:
                        errors += chunk
                        del errors[:-_STDERR_KEPT]
                        if self._verbose:
                            self._echo(chunk)
                    else:
                        count += len(chunk)
                        if count > limit:
                            raise InfrastructureError(f"{name} printed more than {limit // MIB} MiB and was ended")
                        output += chunk if sink is None else b""
                        if sink:
                            sink.write(chunk)
                if process.poll() is not None:
                    ended_at = ended_at or time.monotonic()
                    if time.monotonic() - ended_at > 1:
                        _end_group(process)
                        break
        return bytes(output), errors.decode("utf-8", "replace")

    def _echo(self, chunk: bytes) -> None:
        text = self._without_secrets(chunk.decode("utf-8", "replace"))
        for line in text.splitlines():
            print("  " + printable(line), file=sys.stderr, flush=True)

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux: the kernel ends the program when we are gone, SIGKILL included."""
    if not sys.platform.startswith("linux"):
        return None
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the program and all it started: SIGTERM, and after `GRACE` seconds SIGKILL."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            process.poll()
            os.killpg(process.pid, 0)  # raises once the group is empty
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
