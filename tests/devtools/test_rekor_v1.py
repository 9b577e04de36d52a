"""A local Rekor 1 starts beside a Sigstore, and ends whole."""

import subprocess
import tempfile
from pathlib import Path

import pytest

from devtools.console import SetupError
from devtools.sigstore import rekor_v1 as local
from devtools.sigstore.rekor_v1 import RekorV1
from devtools.sigstore.services import Sigstore


def running() -> str:
    return subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout


def test_it_starts_and_ends_whole(sigstore: Sigstore) -> None:
    with tempfile.TemporaryDirectory(prefix="rekor-") as name:
        folder = Path(name) / "here"
        own = local.start(folder, sigstore)
        try:
            assert RekorV1.load(folder) == own
            assert all(part.alive() for part in own.parts)
            assert own.size() == 0
            with pytest.raises(KeyError):
                own.entry("0" * 80)
            assert own.urls == {**sigstore.urls, "rekor": own.urls["rekor"]}
            assert own.urls["rekor"] != sigstore.urls["rekor"]
        finally:
            own.stop()
        assert str(folder) not in running()
    assert all(part.alive() for part in sigstore.parts)


def test_a_part_that_does_not_start_takes_the_others_with_it(
    sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise SetupError("no tree")

    monkeypatch.setattr(local, "_tree", refuse)
    with tempfile.TemporaryDirectory(prefix="rekor-") as name:
        with pytest.raises(SetupError, match="no tree"):
            local.start(Path(name) / "here", sigstore)
        assert name not in running()
