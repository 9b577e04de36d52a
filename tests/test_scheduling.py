"""Which worker runs what, by pytest with two workers on a small suite of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.command_line import ROOT

SUITE = """
import json, os, pathlib, time
import pytest

RECORD = pathlib.Path(os.environ["RECORD"])

@pytest.fixture({scope})
def made():
    return time.monotonic_ns()

@pytest.mark.parametrize("number", range(8))
def test_it(number, made, worker_id):
    with RECORD.open("a") as record:
        record.write(json.dumps([pathlib.Path(__file__).name, worker_id, made]) + "\\n")
    time.sleep(0.05)
"""


def test_a_file_with_fixtures_of_its_own_stays_on_one_worker(tmp_path: Path) -> None:
    record = tmp_path / "record"
    for name in ("test_one.py", "test_two.py"):
        (tmp_path / name).write_text(SUITE.format(scope='scope="module"'))
    (tmp_path / "test_spread.py").write_text(SUITE.format(scope=""))
    subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-p", "tests.scheduling", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "RECORD": str(record)},
        check=True,
        capture_output=True,
    )
    ran = [json.loads(line) for line in record.read_text().splitlines()]
    workers = {name: {worker for file, worker, _ in ran if file == name} for name, _, _ in ran}
    made = {name: {when for file, _, when in ran if file == name} for name, _, _ in ran}
    assert len(ran) == 24
    assert [len(workers[name]) for name in ("test_one.py", "test_two.py", "test_spread.py")] == [1, 1, 2]
    assert [len(made[name]) for name in ("test_one.py", "test_two.py", "test_spread.py")] == [1, 1, 8]
