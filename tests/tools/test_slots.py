"""Real processes: so many work at once, whoever is killed frees its slot, and the time-out begins with the slot."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sc_secure.components import _launcher, _step
from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.tools import slots
from tests.waiting import process_id, wait_until

WORK = """
import os, sys, time
from pathlib import Path
from sc_secure.steps.session import open_session

name, seconds, timeout = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
Path(f"{name}.came").write_text(str(os.getpid()))
with open_session(timeout=timeout, bounded=True):
    with open("log", "a") as log:
        log.write("in\\n")
    Path(f"{name}.in").write_text(str(os.getpid()))
    time.sleep(seconds)
    with open("log", "a") as log:
        log.write("out\\n")
"""


class Workers:
    def __init__(self, folder: Path, at_once: int) -> None:
        self.folder = folder
        self._env = os.environ | {"SC_SECURE_CACHE": str(folder / "cache"), "SC_SECURE_MAX_PARALLEL": str(at_once)}
        self._started: list[subprocess.Popen[str]] = []

    def start(self, name: str, seconds: float, timeout: float = 60) -> "subprocess.Popen[str]":
        argv = [sys.executable, "-c", WORK, name, str(seconds), str(timeout)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(argv, cwd=self.folder, env=self._env, stdout=pipe, stderr=pipe, text=True)
        self._started.append(process)
        return process

    def most_at_once(self) -> int:
        inside = most = 0
        for line in (self.folder / "log").read_text().split():
            inside += 1 if line == "in" else -1
            most = max(most, inside)
        return most

    def end(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(tmp_path, 2)
    yield workers
    workers.end()


def test_so_many_work_at_once_and_all_have_their_turn(two: Workers) -> None:
    started = [two.start(str(number), 0.3) for number in range(7)]
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert two.most_at_once() == 2
    assert (two.folder / "log").read_text().count("out") == 7


def test_who_is_killed_frees_its_slot_and_its_place_in_the_queue(two: Workers) -> None:
    holders = [two.start(name, 100) for name in ("a", "b")]
    for name in ("a", "b"):
        process_id(two.folder / f"{name}.in")
    first, second = two.start("c", 0), two.start("d", 0)
    for name in ("c", "d"):
        process_id(two.folder / f"{name}.came")
    time.sleep(0.5)
    assert not (two.folder / "c.in").exists()
    assert not (two.folder / "d.in").exists()
    first.send_signal(signal.SIGKILL)
    holders[0].send_signal(signal.SIGKILL)
    assert second.wait(timeout=60) == 0, "a killed holder frees its slot, a killed waiter its place"


def test_the_time_out_begins_with_the_slot(two: Workers) -> None:
    for name in ("a", "b"):
        two.start(name, 3)
        process_id(two.folder / f"{name}.in")
    waits, works_too_long = two.start("c", 0, timeout=1), two.start("d", 100, timeout=1)
    _, errors = waits.communicate(timeout=60)
    assert waits.returncode == 0, errors
    _, errors = works_too_long.communicate(timeout=60)
    assert "longer than 1 s" in errors


def test_a_signal_ends_the_waiting(two: Workers) -> None:
    for name in ("a", "b"):
        two.start(name, 100)
        process_id(two.folder / f"{name}.in")
    waits = two.start("c", 0)
    process_id(two.folder / "c.came")
    time.sleep(0.5)
    waits.terminate()
    _, errors = waits.communicate(timeout=20)
    assert waits.returncode != 0
    assert "KeyboardInterrupt: SIGTERM" in errors


def test_waiting_ends_with_what_to_do(two: Workers, tmp_path: Path) -> None:
    for name in ("a", "b"):
        two.start(name, 100)
        process_id(two.folder / f"{name}.in")
    environ = {"SC_SECURE_CACHE": str(tmp_path / "cache"), "SC_SECURE_MAX_PARALLEL": "2"}
    with pytest.raises(InfrastructureError, match=r"within 0.5 s") as failed, slots.slot(environ, max_wait=0.5):
        pass
    assert "raise SC_SECURE_MAX_PARALLEL (2 here)" in failed.value.advice
    wider = environ | {"SC_SECURE_MAX_PARALLEL": "3"}
    with slots.slot(wider, max_wait=5):
        pass


@pytest.mark.parametrize("said", ["0", "-1", "many", "1.5", "1025", "²"])
def test_a_number_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(ConfigError, match="SC_SECURE_MAX_PARALLEL"):
        slots.max_parallel({"SC_SECURE_MAX_PARALLEL": said})


def test_without_one_it_follows_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    assert slots.max_parallel({}) == max(4, 2 * len(os.sched_getaffinity(0)))
    with monkeypatch.context() as elsewhere:
        elsewhere.delattr(os, "sched_getaffinity")  # as on macOS
        assert slots.max_parallel({}) == max(4, 2 * (os.cpu_count() or 1))


def test_both_planes_mean_the_same() -> None:
    assert slots.MAX_WAIT == _step.QUEUE_SECONDS
    assert slots.VARIABLE == _launcher.MAX_PARALLEL


def test_an_ended_one_leaves_nothing_waiting(two: Workers) -> None:
    holders = [two.start(name, 100) for name in ("a", "b")]
    for name in ("a", "b"):
        process_id(two.folder / f"{name}.in")
    waits = two.start("c", 0)
    process_id(two.folder / "c.came")
    holders[0].terminate()
    assert waits.wait(timeout=60) == 0
    wait_until(lambda: holders[0].poll() is not None)
