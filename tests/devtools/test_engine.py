import os
import shutil
import signal
from pathlib import Path

import pytest

from devtools import cache, engine, processes


def test_one_that_answers_is_used(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _only_docker(monkeypatch, tmp_path, 'test "$DOCKER_HOST" = tcp://there:1 && echo 99.1')
    monkeypatch.setenv("DOCKER_HOST", "tcp://there:1")
    assert engine.ensure() == engine.Engine("tcp://there:1", started=False, version="99.1")
    assert not engine.stop(), "it isn't ours to end"


def test_the_one_started_earlier_is_used(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sleeper: processes.Process
) -> None:
    processes.record("engine", sleeper, host="unix:///ours", folder=str(own_cache / "run" / "engine"))
    _only_docker(monkeypatch, tmp_path, 'test "$DOCKER_HOST" = unix:///ours && echo 20.10')
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert engine.ensure() == engine.Engine("unix:///ours", started=True, version="20.10")
    assert engine.stop()
    assert not sleeper.alive()
    assert not engine.stop()


def test_who_may_not_start_one_is_told_what_to_do(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _only_docker(monkeypatch, tmp_path, "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(engine.SetupError, match="set DOCKER_HOST"):
        engine.ensure()


def test_a_private_one_is_started_and_ended_with_all_its_processes(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    if os.geteuid() != 0:
        with pytest.raises(engine.SetupError, match="only root"):
            engine.ensure()
        return
    private = engine.ensure()
    known = processes.recorded("engine")
    assert known
    try:
        assert private.started
        assert engine.ensure() == private
        family = [known[0], *known[0].descendants()]
        assert len(family) > 1, "the engine has a containerd of its own"
    finally:
        assert engine.stop()
    assert not any(member.alive() for member in family)
    assert not Path(private.host.removeprefix("unix://")).parent.exists()
    assert not cache.mounts_below(own_cache)


def test_what_a_killed_one_left_is_cleaned_up(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    if os.geteuid() != 0:
        with pytest.raises(engine.SetupError, match="only root"):
            engine.ensure()
        return
    private = engine.ensure()
    known = processes.recorded("engine")
    assert known
    for member in [known[0], *known[0].descendants()]:
        member.signal(signal.SIGKILL)
    engine.stop()
    assert not Path(private.host.removeprefix("unix://")).parent.exists()
    assert not cache.mounts_below(own_cache)
    cache.remove()


def _only_docker(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """A docker client that answers as the script does."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name in ("sh", "ps"):
        (bin_folder / name).symlink_to(str(shutil.which(name)))
    docker = bin_folder / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_folder))
