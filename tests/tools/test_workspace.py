import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sc_secure.errors import InfrastructureError
from sc_secure.tools.beside import Beside
from sc_secure.tools.process import Runner
from sc_secure.tools.workspace import cache_folder, cache_subfolder, exclusive, keep_file, private_folder, write_file

ROOT = Path(__file__).parents[2]


def test_the_private_folder_is_ours_alone_and_goes(tmp_path: Path) -> None:
    with private_folder({"TMPDIR": str(tmp_path)}) as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "x").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed_and_a_live_one_stays(tmp_path: Path) -> None:
    environ = {"TMPDIR": str(tmp_path)}
    abandoned = tmp_path / "sc-secure-run-abandoned"
    abandoned.mkdir()
    (abandoned / ".in-use").touch()
    foreign = tmp_path / "sc-secure-run-foreign"
    foreign.mkdir()
    with private_folder(environ) as live:
        for folder in (abandoned, foreign, live):
            os.utime(folder, (time.time() - 1000, time.time() - 1000))
        with private_folder(environ):
            assert not abandoned.exists()
            assert foreign.exists()
            assert live.exists()


def test_the_cache(tmp_path: Path) -> None:
    assert cache_folder({"SC_SECURE_CACHE": "/x", "HOME": "/h"}) == Path("/x")
    assert cache_folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/sc-secure")
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/sc-secure")
    made = cache_subfolder(tmp_path / "a" / "cache", "locks")
    assert made.is_dir()
    assert (tmp_path / "a" / "cache" / ".made-by-sc-secure").is_file()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from sc_secure.tools.workspace import exclusive\n"
        f"with exclusive(Path({str(tmp_path)!r}), 'x'): print('in', flush=True); time.sleep(0.5); Path('left').touch()"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, env=env, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"in\n"
        with exclusive(tmp_path, "x"):
            assert (tmp_path / "left").exists()


def test_a_thread_that_waits_can_be_told_to_end(tmp_path: Path) -> None:
    """And it waits for another thread as for another process."""
    runner = Runner()

    def enter() -> None:
        with exclusive(tmp_path, "x"):
            raise AssertionError

    with exclusive(tmp_path, "x"), Beside(enter, runner) as beside:
        time.sleep(0.1)
        runner.stop("the time is over")
        with pytest.raises(InfrastructureError, match="the time is over"):
            beside.result()


def test_files_are_whole_and_readable(tmp_path: Path) -> None:
    write_file(tmp_path / "a" / "b", b"one")
    write_file(tmp_path / "a" / "b", b"two")
    assert (tmp_path / "a" / "b").read_bytes() == b"two"
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o644
    assert [each.name for each in (tmp_path / "a").iterdir()] == ["b"]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["moved", "copied"])
def test_what_a_run_made_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bool) -> None:
    if elsewhere:  # stands for a temporary folder on another file system

        def rename(*_: object) -> None:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

        monkeypatch.setattr(os, "rename", rename)
    made, kept = tmp_path / "made", tmp_path / "a" / "b"
    for content in (b"one", b"two"):
        made.write_bytes(content)
        made.chmod(0o600)
        keep_file(made, kept)
        assert (kept.read_bytes(), kept.stat().st_mode & 0o777, made.exists()) == (content, 0o644, False)
    with pytest.raises(OSError, match="made"):
        keep_file(made, kept)
    assert kept.read_bytes() == b"two"
    assert list(kept.parent.iterdir()) == [kept]
