"""What a person sees while something takes long, and how an error ends a command."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class SetupError(Exception):
    """Something this machine lacks. Its text says what, and what to do next."""


def say(text: str) -> None:
    """One line for people. On stderr: stdout belongs to a command's result."""
    print(text, file=sys.stderr, flush=True)


def capture(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a program without a shell or input, whatever its exit code, and gives what it printed."""
    return subprocess.run(
        [str(word) for word in command],
        env=None if env is None else dict(env),
        cwd=cwd,
        timeout=timeout,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def progress(text: str, every: float = 20.0) -> Generator[None, None, None]:
    """`text … 12 s` while the block runs: counting on a terminal, a line now and then in a log.

    The lines in a log are there because a CI job that is silent for minutes looks hung, and some are killed for it.
    """
    terminal = sys.stderr.isatty()
    done = threading.Event()
    began = time.monotonic()

    def elapsed() -> int:
        return round(time.monotonic() - began)

    start, end = ("\r", "") if terminal else ("", "\n")

    def beat() -> None:
        while not done.wait(1.0 if terminal else every):
            print(f"{start}{text} … {elapsed()} s", end=end, file=sys.stderr, flush=True)

    if not terminal:
        say(f"{text} …")
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        done.set()
        thread.join()
        say(f"{start}{text} … {outcome}, {elapsed()} s")


def run_main(main: Callable[[], int | None]) -> None:
    """Runs a command: a `SetupError` becomes its text and exit code 1, Ctrl-C becomes 130."""
    try:
        code = main()
    except SetupError as error:
        say(f"error: {error}")
        code = 1
    except KeyboardInterrupt:
        say("interrupted")
        code = 130
    sys.exit(code or 0)
