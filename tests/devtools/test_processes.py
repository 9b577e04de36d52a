import dataclasses
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools import cache, processes


def test_ends_a_process_and_its_descendants(tmp_path: Path) -> None:
    parent = processes.start(["sh", "-c", "sleep 300 & sleep 300 & wait"], tmp_path / "log")
    _wait_until(lambda: len(parent.descendants()) == 2)
    children = parent.descendants()
    assert parent.end()
    assert not parent.alive()
    assert not any(child.alive() for child in children)
    assert not parent.end(), "a second end finds nothing"


def test_one_that_ignores_the_polite_way_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    stubborn = processes.start(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], log)
    _wait_until(lambda: "ready" in log.read_text())
    stubborn.end(patience=0.3)
    assert not stubborn.alive()


def test_the_same_id_with_another_beginning_is_not_touched(sleeper: processes.Process) -> None:
    earlier = dataclasses.replace(sleeper, began="another time")
    assert not earlier.alive()
    assert not earlier.end()
    earlier.signal(signal.SIGKILL)
    assert sleeper.alive()


def test_a_record_leads_back_to_the_process(own_cache: Path, sleeper: processes.Process) -> None:
    processes.record("thing", sleeper, address="127.0.0.1:1")
    assert processes.recorded("thing") == (sleeper, {"address": "127.0.0.1:1"})
    assert stat.S_IMODE((own_cache / "run" / "thing.json").stat().st_mode) == 0o600
    sleeper.end()
    assert processes.recorded("thing") is None
    processes.forget("thing")
    processes.forget("thing")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x", "began": ""}', '{"pid": 1, "began": "never"}'])
def test_a_record_that_says_nothing_leads_to_nothing(own_cache: Path, text: str) -> None:
    (cache.folder("run") / "thing.json").write_text(text)
    assert processes.recorded("thing") is None


def test_a_zombie_does_not_run() -> None:
    with subprocess.Popen(["true"]) as child:
        _wait_until(lambda: processes.Process.of(child.pid) is None)


def test_the_log_is_for_its_owner_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = processes.start(["sh", "-c", "seq 20"], log)
    _wait_until(lambda: not process.alive())
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert processes.tail(log, 2) == "19\n20"


def _wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't come to that"
        time.sleep(0.02)
