"""Single commands: how fast one starts, what verifying adds to cosign, and what a decision over many findings takes."""

import sys
from pathlib import Path

import pytest

from benchmarks.conftest import RUNS, Record
from benchmarks.images import Copies
from benchmarks.measure import in_turn, middle, once
from benchmarks.results import Row
from devtools.cache import REPOSITORY
from tests.tools.test_grype import LARGE

DECIDE = """
import re, sys, time
from sc_secure.policy.decision import Policy, decide
from sc_secure.policy.finding import Finding, merge
from sc_secure.policy.severity import Severity
count = int(sys.argv[1])
findings = [
    Finding(f"CVE-2026-{n}", list(Severity)[n % 5], f"p{n % 997}", "1", "deb", (), ("2",) if n % 3 else (),
            f"pkg:deb/debian/p{n % 997}@1")
    for n in range(count)
]
began = time.perf_counter()
decide(merge(findings), Policy(Severity.CRITICAL))
seconds = time.perf_counter() - began
# Not getrusage: its maximum counts the process that forked this one.
print(seconds, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)
"""


def test_the_cli_starts(tools_env: dict[str, str], tmp_path: Path, record: Record) -> None:
    where = (tools_env, tmp_path)
    pair = in_turn(lambda: ["sc-secure", "--version"], lambda: [sys.executable, "-c", "pass"], where, 4 * RUNS)
    record(
        Row(
            "`sc-secure --version`", middle(pair.ours).seconds, "s", "Python alone", middle(pair.theirs).seconds,
            target=0.1,
        )
    )  # fmt: skip


def test_verifying(tools_env: dict[str, str], registry: str, tmp_path: Path, record: Record) -> None:
    env = tools_env | {"COSIGN_PASSWORD": "test"}
    once(["cosign", "generate-key-pair", "--output-key-prefix", "cosign"], env, tmp_path)
    once(["cosign", "trusted-root", "create", "--out", "root.json"], env, tmp_path)
    image = Copies(env, registry, "about 100 packages").fresh()
    once(
        ["sc-secure", "image", "sign", "--image", image, "--key", "cosign.key", "--no-transparency-log"], env, tmp_path
    )
    ours = ["sc-secure", "image", "verify", "--image", image, "--key", "cosign.pub", "--no-transparency-log"]
    theirs = ["cosign", "verify", "--key", "cosign.pub", "--insecure-ignore-tlog", "--trusted-root", "root.json", image]
    pair = in_turn(lambda: ours, lambda: theirs, (env, tmp_path), 2 * RUNS)
    record(
        Row(
            "`image verify` takes longer by", pair.difference, "s", "cosign verify", middle(pair.theirs).seconds,
            target=0.15,
        )
    )  # fmt: skip


@pytest.mark.parametrize(("count", "most"), [(1_000, 2), (10_000, 2), (100_000, 2)])
def test_deciding(count: int, most: float, tools_env: dict[str, str], tmp_path: Path, record: Record) -> None:
    once([sys.executable, "-c", DECIDE, str(count)], tools_env, tmp_path)
    seconds, megabytes = map(float, (tmp_path / "output.txt").read_text().split())
    record(Row(f"a decision over {count:,} findings", seconds, "s", target=most))
    record(Row(f"memory of a decision over {count:,} findings", megabytes, "MB", target=300))


def test_scanning(tools_env: dict[str, str], tmp_path: Path, record: Record) -> None:
    """All that we do, from grype's report of 100 MB to our own, in seconds of CPU; grype's own time, and its memory,
    aren't in it."""
    env = tools_env | {"PATH": f"{tmp_path}:{tools_env['PATH']}", "PYTHONPATH": str(REPOSITORY)}
    once([sys.executable, "-c", LARGE, str(tmp_path)], env | {"GRYPE_DB_AUTO_UPDATE": "false"}, tmp_path)
    seconds, megabytes = map(float, (tmp_path / "output.txt").read_text().splitlines()[-1].split())
    record(Row("`image scan` over 100,000 findings, without grype's time", seconds, "s", target=2))
    record(Row("memory of `image scan` over 100,000 findings", megabytes, "MB", target=300))
