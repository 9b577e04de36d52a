import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from sc_secure.errors import InfrastructureError, ToolMissing
from sc_secure.tools.lifeline import Lifeline, StepTimedOut
from sc_secure.tools.process import GRACE, MIB, Runner

ENV = {"PATH": os.defpath}
ROOT = Path(__file__).parents[2]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition, seconds: float = 3) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_output_code_and_words() -> None:
    done = Runner().run(["sh", "-c", "echo out; echo err >&2; exit 3"], env=ENV)
    assert (done.code, done.stdout, done.stderr) == (3, b"out\n", "err\n")
    assert done.summary() == "sh: exit code 3: err"


def test_a_crash_is_told_by_its_first_words() -> None:
    stack = "printf 'one\nfatal error: out of memory\n\ngoroutine 1:\nmain.f()\n\t/x.go:1 +0x1\n' >&2; exit 2"
    assert Runner().run(["sh", "-c", stack], env=ENV).summary() == "sh: exit code 2: fatal error: out of memory"


def test_no_shell_and_nothing_of_ours_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSIGN_PASSWORD", "hunter2")
    done = Runner().run(["env"], env={**ENV, "X": "$(id)"})
    assert b"hunter2" not in done.stdout
    assert b"X=$(id)\n" in done.stdout


def test_input(tmp_path: Path) -> None:
    assert Runner().run(["cat"], env=ENV, stdin=b"hello").stdout == b"hello"
    assert Runner().run(["cat"], env=ENV).stdout == b""


def test_a_file_gets_the_output(tmp_path: Path) -> None:
    done = Runner().run(["echo", "x"], env=ENV, stdout=tmp_path / "out")
    assert done.stdout == b""
    assert (tmp_path / "out").read_bytes() == b"x\n"


def test_a_flood_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(InfrastructureError, match="more than 1 MiB"):
        Runner().run(["yes"], env=ENV, stdout_limit=MIB)
    assert time.monotonic() - began < 3


def test_a_giant_line_on_stderr_is_cut() -> None:
    done = Runner().run(["sh", "-c", "head -c 100000000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1"], env=ENV)
    assert len(done.stderr) <= 64 * 1024
    assert done.stderr.endswith("end\n")
    assert len(done.summary()) < 1000


def test_secrets_are_taken_out(capsys: pytest.CaptureFixture[str]) -> None:
    runner = Runner(verbose=True)
    runner.hide(["hunter2", ""])
    done = runner.run(["sh", "-c", "printf 'pw \\033[31mhunter2\\n' >&2"], env=ENV)
    assert done.stderr == "pw \x1b[31m***\n"
    printed = capsys.readouterr().err
    assert "  pw \\x1b[31m***" in printed


def test_a_grandchild_that_keeps_the_pipe_does_not_hold_us() -> None:
    began = time.monotonic()
    done = Runner().run(["sh", "-c", "sleep 60 & echo $!; exit 0"], env=ENV)
    assert time.monotonic() - began < 5
    assert eventually(lambda: not alive(int(done.stdout)))


def test_a_missing_program() -> None:
    with pytest.raises(ToolMissing, match="no-such-tool"):
        Runner().run(["no-such-tool"], env=ENV)


def test_the_time_out_ends_the_whole_group(tmp_path: Path) -> None:
    # neither the program nor its child listens to SIGTERM
    child = f"(trap '' TERM; sleep 60) & echo $! > {tmp_path}/child"
    script = f"trap '' TERM; {child}; echo $$ > {tmp_path}/self; wait; sleep 60"
    began = time.monotonic()
    with pytest.raises(StepTimedOut), Lifeline(1):
        Runner().run(["sh", "-c", script], env=ENV)
    assert time.monotonic() - began < 1 + 0.25 + GRACE + 1
    for name in ("child", "self"):
        assert eventually(lambda name=name: not alive(int((tmp_path / name).read_text())))


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with Lifeline(10):
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


STEP = """
    import sys
    from pathlib import Path
    from sc_secure.steps.session import open_session
    try:
        with open_session(timeout=60) as session:
            Path("temp").write_text(str(session.temp))
            tool = "echo $$ > tool.new; mv tool.new tool; sleep 60"
            session.runner.run(["sh", "-c", tool], env={"PATH": "/usr/bin:/bin"})
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.fixture
def step(tmp_path: Path):
    """A step with a tool that runs, as a process of its own; and under a shell, as the command plugin runs it."""
    (tmp_path / "step.py").write_text(textwrap.dedent(STEP))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    started = []

    def start(*words: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(words, cwd=tmp_path, env=env, stdout=subprocess.PIPE)
        started.append(process)
        assert eventually((tmp_path / "tool").exists, 10)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_all_within_two_seconds(step, tmp_path: Path, number: int) -> None:
    process = step(sys.executable, "step.py")
    tool = int((tmp_path / "tool").read_text())
    began = time.monotonic()
    process.send_signal(number)
    assert process.wait(timeout=5) == 130
    assert time.monotonic() - began < 2
    assert not alive(tool)
    assert not Path((tmp_path / "temp").read_text()).exists()


def test_when_we_are_killed_the_tool_ends(step, tmp_path: Path) -> None:
    process = step(sys.executable, "step.py")
    tool = int((tmp_path / "tool").read_text())
    process.kill()
    assert eventually(lambda: not alive(tool), 2)


def test_when_the_parent_is_killed_all_ends(step, tmp_path: Path) -> None:
    process = step("/bin/sh", "-c", f"{sys.executable} step.py; true")
    tool = int((tmp_path / "tool").read_text())
    process.kill()
    assert process.stdout
    began = time.monotonic()
    process.stdout.read()  # as the plugin does: until every process has closed it
    assert time.monotonic() - began < 2
    assert eventually(lambda: not alive(tool), 1)
    assert not Path((tmp_path / "temp").read_text()).exists()
