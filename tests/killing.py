"""Kills a step between its log's entry and the attachment."""

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from tests.command_line import start, wrap
from tests.faulty_proxy import FaultyProxy

Moment = Literal["asking", "attaching"]
MOMENTS: tuple[Moment, ...] = ("asking", "attaching")
"""`asking`: the log has made the entry, and its answer was lost. `attaching`: the registry isn't written to yet."""
_PATIENCE = 60.0


def kill(words: str, behind: FaultyProxy, env: Mapping[str, str], project: Path, at: Moment) -> None:
    """Start a step, and kill it at that moment.

    Args:
        words: the step's, without a shell's quotes.
        behind: in front of the log.
        env: the step's whole environment.
        project: where it runs.
        at: the moment.
    """
    reached = project / "attaching"
    # It ends by itself: nobody waits for it any more.
    held = wrap(
        project / "bin", env, "cosign", f'[ "$1" = attach ] && {{ touch {reached}; exec sleep 3; }}\nexec "$real" "$@"'
    )
    if at == "asking":
        behind.fail("lost", then="hang")
    before = behind.asked
    there: Callable[[], bool] = reached.exists if at == "attaching" else lambda: behind.asked > before + 1
    step = start(held, project, *words.split())
    try:
        deadline = time.monotonic() + _PATIENCE
        while not there():
            assert step.poll() is None, step.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        step.kill()
        step.communicate()
    reached.unlink(missing_ok=True)


def generate_key(env: Mapping[str, str], folder: Path) -> None:
    """Another key pair in place of `cosign.key` and `cosign.pub`, of the same password."""
    for name in ("cosign.key", "cosign.pub"):
        (folder / name).unlink()
    words = ["cosign", "generate-key-pair", "--output-key-prefix", "cosign"]
    subprocess.run(words, cwd=folder, env={**env, "COSIGN_PASSWORD": "test"}, check=True, capture_output=True)
