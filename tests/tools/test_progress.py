import os
import pty
import sys
from pathlib import Path

import pytest

from sc_secure.tools.beside import Beside
from sc_secure.tools.process import Runner

SLOW = ["sh", "-c", "sleep 1.3"]


def test_a_terminal_shows_what_runs_and_then_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        Runner().run(SLOW, env={"PATH": "/usr/bin:/bin"})
        terminal.write("the end")
    shown = _all_of(ours)
    assert "sh … 1 s" in shown
    assert shown.endswith("\r\x1b[Kthe end")


def test_a_terminal_shows_what_it_is_run_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        runner = Runner()
        runner.purpose = "scan"
        with Beside(lambda: runner.run(["sleep", "0.9"], env={"PATH": "/usr/bin:/bin"}), runner) as beside:
            beside.result()
            terminal.write("nothing")
            runner.run(SLOW, env={"PATH": "/usr/bin:/bin"})
        terminal.write("the end")
    shown = _all_of(ours)
    assert shown.startswith("nothing"), "one line is one program's"
    assert "scan: sh … 1 s" in shown


def _all_of(terminal: int) -> str:
    """What was written to the other end, up to `the end`: a terminal hands it over in pieces."""
    shown = b""
    with os.fdopen(terminal, "rb", buffering=0) as ours:
        while not shown.endswith(b"the end"):
            shown += ours.read(4096)
    return shown.decode()


def test_elsewhere_it_is_quiet(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Runner().run(SLOW, env={"PATH": "/usr/bin:/bin"}, cwd=tmp_path)
    assert capsys.readouterr() == ("", "")
