"""Releases that are killed: at every step's end, and at any time. The next one converges, and nothing is left.

`SC_SECURE_FAULT_RUNS=200` runs as many random ones; a few are run with all other tests.
"""

import os
import random
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Release
from tests.images import attachments
from tests.steps.conftest import PushImage
from tests.waiting import wait_until

RUNS = int(os.environ.get("SC_SECURE_FAULT_RUNS", "4"))
LONGEST = 5.0
"""Seconds: about what a release takes."""
STEPS = ["sbom", "scan", "provenance", "sign", "attest-sbom", "attest-provenance", "attest-scan"]


def killed(release: Release, after: float) -> None:
    """Starts one, and kills it: none of its programs outlives it."""
    process = release.start()
    time.sleep(after)
    process.kill()
    process.communicate(timeout=20)
    wait_until(lambda: not release.processes())


def test_killed_after_each_step(release: Release) -> None:
    for step in STEPS:
        process = release.start()
        assert process.stderr
        ended = next((line for line in process.stderr if line.startswith(f"{step} ")), "")
        assert ended.split()[1] in {"passed", "reused"}
        process.kill()
        process.communicate(timeout=20)
        wait_until(lambda: not release.processes())
    release.abandon()
    code, said = release.run()
    assert code == 0, said
    assert len(attachments(release.image)) == 4
    assert list(release.temp.iterdir()) == []


@pytest.mark.parametrize("seed", range(RUNS))
def test_killed_at_any_time(release: Release, new_image: PushImage, project: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - to be had again
    release.threshold("high")  # its findings close the gate
    killed(release, chance.uniform(0, LONGEST))
    assert attachments(release.image) == []
    release.threshold("critical")
    killed(release, chance.uniform(0, LONGEST))
    release.abandon()
    code, said = release.run()
    assert code == 0, said
    assert len(attachments(release.image)) == 4
    assert list(release.temp.iterdir()) == []
    assert [path for path in (project / ".sc").rglob(".*") if path.is_file()] == [], "a file half written"
