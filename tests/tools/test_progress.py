import os
import pty
import sys
from pathlib import Path

import pytest

from sc_secure.tools.process import Runner

SLOW = ["sh", "-c", "sleep 1.3"]


def test_a_terminal_shows_what_runs_and_then_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        Runner().run(SLOW, env={"PATH": "/usr/bin:/bin"})
        shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert "sh … 1 s" in shown
    assert shown.endswith("\r\x1b[K")


def test_elsewhere_it_is_quiet(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Runner().run(SLOW, env={"PATH": "/usr/bin:/bin"}, cwd=tmp_path)
    assert capsys.readouterr() == ("", "")
