"""What is kept until it is attached: only what a run of ours made is read again."""

import os
import time
from pathlib import Path

from sc_secure.tools.draft import Draft


def test_what_a_run_kept_is_read_by_the_next(tmp_path: Path) -> None:
    environ = {"SC_SECURE_CACHE": str(tmp_path / "cache")}
    draft = Draft(environ, tmp_path / "image" / "a.json")
    assert draft.read() is None
    draft.keep(b"signed")
    assert Draft(environ, tmp_path / "image" / "a.json").read() == b"signed"
    draft.keep(b"logged")
    assert draft.read() == b"logged"
    draft.remove()
    assert draft.read() is None
    draft.remove()


def test_what_somebody_else_put_there_is_not(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    draft = Draft({"SC_SECURE_CACHE": str(tmp_path / "cache")}, file)
    file.write_bytes(b"planted")
    assert draft.read() is None
    draft.keep(b"ours")
    file.write_bytes(b"ours, changed")
    assert draft.read() is None
    file.write_bytes(b"ours")
    assert Draft({"SC_SECURE_CACHE": str(tmp_path / "another user's")}, file).read() is None


def test_where_nothing_can_be_kept_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "a.json", None):
        draft = Draft({"SC_SECURE_CACHE": str(tmp_path / "cache")}, path)
        draft.keep(b"signed")
        assert draft.read() is None
        draft.remove()
    draft = Draft({"SC_SECURE_CACHE": str(tmp_path / "file" / "cache")}, tmp_path / "b.json")
    draft.keep(b"signed")
    assert draft.read() is None


def test_what_is_a_day_old_is_left(tmp_path: Path) -> None:
    draft = Draft({"SC_SECURE_CACHE": str(tmp_path / "cache")}, tmp_path / "a.json")
    draft.keep(b"signed")
    for hours, found in ((23, b"signed"), (25, None)):
        then = time.time() - hours * 3600
        os.utime(tmp_path / "a.json", (then, then))
        assert draft.read() == found
