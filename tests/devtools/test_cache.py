import stat
import threading
import time
from pathlib import Path

import pytest

from devtools import cache
from devtools.console import SetupError


def test_is_made_for_its_owner_alone(own_cache: Path) -> None:
    assert cache.root() == own_cache
    assert stat.S_IMODE(own_cache.stat().st_mode) == 0o700
    assert cache.is_ours(own_cache)


def test_a_folder_with_other_content_is_refused_and_left_alone(own_cache: Path) -> None:
    own_cache.mkdir()
    (own_cache / "letters.txt").write_text("dear")
    with pytest.raises(SetupError, match="SC_SECURE_CACHE"):
        cache.root()
    with pytest.raises(SetupError, match="left alone"):
        cache.remove()
    assert (own_cache / "letters.txt").read_text() == "dear"


def test_removes_the_whole_folder_if_it_is_ours(own_cache: Path) -> None:
    (cache.folder("tools") / "something").write_text("x")
    cache.remove()
    assert not own_cache.exists()
    cache.remove()


def test_a_link_to_a_folder_is_not_ours(own_cache: Path, tmp_path: Path) -> None:
    cache.root()
    link = tmp_path / "link"
    link.symlink_to(own_cache)
    assert not cache.is_ours(link)


def test_private_files_are_for_their_owner_alone(own_cache: Path) -> None:
    file = cache.folder("secrets") / "word"
    cache.write_private(file, "first")
    cache.write_private(file, "second")
    assert file.read_text() == "second"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["word"]


def test_one_at_a_time(own_cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order: list[str] = []

    def second() -> None:
        with cache.locked("thing"):
            order.append("second")

    with cache.locked("thing"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    assert "waiting" in capsys.readouterr().err
