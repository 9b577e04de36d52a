"""How a release ends when it is told to: nothing of it is left."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.command_line import start, wrap
from tests.waiting import process_id

POLICY = "security:\n  sbom: {format: cyclonedx-json}\n  signing: {key: k}\n  provenance: {}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_both_sides_end_at_once(tools_env: dict[str, str], image: str, tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "k").write_text("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
    (tmp_path / "tmp").mkdir()
    sleep = '[ "$1" = version ] && exec "$real" "$@"\necho $$ > {}\nexec sleep 60'
    env = wrap(tmp_path / "bin", tools_env, "syft", sleep.format(tmp_path / "syft.pid"))
    env = wrap(tmp_path / "bin", env, "git", sleep.format(tmp_path / "git.pid")) | {"TMPDIR": str(tmp_path / "tmp")}
    process = start(env, tmp_path, "release", "create", "--image", image, "--policy", "policy.yaml")
    running = [process_id(tmp_path / "syft.pid"), process_id(tmp_path / "git.pid")]
    began = time.monotonic()
    os.kill(process.pid, number)
    stdout, stderr = process.communicate(timeout=30)
    assert time.monotonic() - began < 2.5
    assert (process.returncode, stdout) == (130, "")
    assert "interrupted" in stderr
    assert [pid for pid in running if Path(f"/proc/{pid}").exists()] == []
    assert list((tmp_path / "tmp").iterdir()) == []
