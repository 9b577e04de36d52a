import os
import threading
import time
from pathlib import Path

import pytest

from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.tools.beside import Beside
from sc_secure.tools.lifeline import Lifeline, StepTimedOut
from sc_secure.tools.process import Runner
from sc_secure.tools.transient import Kind, failure, with_retries
from tests.waiting import process_id

ENV = {"PATH": os.defpath}


def test_it_goes_on_meanwhile() -> None:
    runner = Runner()
    began = time.monotonic()
    with Beside(lambda: runner.run(["sh", "-c", "sleep 0.6; echo done"], env=ENV).stdout, runner) as beside:
        runner.run(["sleep", "0.6"], env=ENV)
        assert beside.result() == b"done\n"
    assert time.monotonic() - began < 1.1


def test_its_error_is_told_where_its_result_is_asked_for() -> None:
    def fail() -> None:
        raise ConfigError("no")

    with Beside(fail, Runner()) as beside, pytest.raises(ConfigError, match="no"):
        beside.result()
    with Beside(fail, Runner()):
        pass


def test_a_context_that_ends_well_waits_for_it(tmp_path: Path) -> None:
    runner = Runner()
    with Beside(lambda: runner.run(["sh", "-c", f"sleep 0.3; echo > {tmp_path}/done"], env=ENV), runner):
        pass
    assert (tmp_path / "done").exists()


def _sleeper(runner: Runner, file: Path) -> Beside[object]:
    """A program that would run for long; `file` gets its process id."""
    return Beside(lambda: runner.run(["sh", "-c", f"echo $$ > {file}; exec sleep 60"], env=ENV), runner)


def test_what_ends_the_context_ends_its_program(tmp_path: Path) -> None:
    runner = Runner()
    with pytest.raises(KeyError), _sleeper(runner, tmp_path / "pid"):
        pid = process_id(tmp_path / "pid")
        began = time.monotonic()
        raise KeyError
    assert time.monotonic() - began < 2
    assert not Path(f"/proc/{pid}").exists()


def test_what_ends_the_context_ends_its_pauses() -> None:
    """A registry that says when to ask again may say a minute."""
    begun, ended = threading.Event(), threading.Event()

    def ask() -> None:
        begun.set()
        raise failure(Kind.TRANSIENT, "429", after=60)

    def work() -> None:
        try:
            with_retries(ask)
        finally:
            ended.set()

    with pytest.raises(KeyError), Beside(work, Runner()):
        assert begun.wait(10)
        began = time.monotonic()
        raise KeyError
    assert ended.is_set()
    assert time.monotonic() - began < 1


def test_what_cannot_be_ended_is_left() -> None:
    """A read from a server that doesn't answer: it ends with the process."""
    answer = threading.Event()
    with pytest.raises(KeyError), Beside(lambda: answer.wait(60), Runner()):
        began = time.monotonic()
        raise KeyError
    assert time.monotonic() - began < 2.5
    answer.set()


def test_what_cannot_be_ended_has_failed() -> None:
    answer = threading.Event()
    began = time.monotonic()
    with Beside(lambda: answer.wait(60), Runner()) as beside:
        beside.end("the time is over")
        with pytest.raises(InfrastructureError, match="the time is over"):
            beside.result()
    assert time.monotonic() - began < 2.5
    answer.set()


def test_a_time_out_reaches_who_waits_for_it(tmp_path: Path) -> None:
    runner = Runner()
    with Lifeline(60) as lifeline, pytest.raises(StepTimedOut) as caught, _sleeper(runner, tmp_path / "pid") as beside:
        pid = process_id(tmp_path / "pid")
        began = time.monotonic()
        with lifeline.within(1, "wait longer"):
            beside.result()
    assert time.monotonic() - began < 3.5
    assert not Path(f"/proc/{pid}").exists()
    assert "longer than 1 s" in caught.value.message
    assert caught.value.advice == "wait longer"


def test_a_part_never_has_longer_than_the_whole() -> None:
    with Lifeline(1) as lifeline, pytest.raises(StepTimedOut, match="longer than 1 s") as caught:
        with lifeline.within(0.3, "x"):
            pass
        with lifeline.within(60, "x"):
            Runner().run(["sleep", "30"], env=ENV)
    assert "--timeout" in caught.value.advice
