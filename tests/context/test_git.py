import subprocess
from pathlib import Path

import pytest

from sc_secure.context.git import git_state, public_remote
from sc_secure.tools.process import Runner

ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://github.com/o/r.git", "https://github.com/o/r.git"),
        ("https://bob:pw@github.com/o/r.git?x=pw#pw", "https://github.com/o/r.git"),
        ("https://x-access-token:pw@git.example:8443/o/r", "https://git.example:8443/o/r"),
        ("ssh://git:pw@git.example:22/o/r", "ssh://git.example:22/o/r"),
        ("git@github.com:o/r.git", "ssh://github.com/o/r.git"),
        ("https://[::1]:1/x", "https://[::1]:1/x"),
        ("/home/bob/r", ""),
        ("../r", ""),
        ("file:///home/bob/r", ""),
        ("https://host:port/x", ""),
        ("ext::sh -c id", ""),
        ("", ""),
    ],
)
def test_a_remote_without_credentials_or_paths(url: str, public: str) -> None:
    assert public_remote(url) == public


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def test_a_work_tree(tmp_path: Path) -> None:
    def state(*paths: Path):
        return git_state(tmp_path, paths, Runner(), ENV, tmp_path)

    git(tmp_path, "init", "-q", "-b", "main")
    assert state() is None  # no commit yet
    (tmp_path / "a").write_text("a")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "x")
    found = state()
    assert found
    assert (found.root, found.ref, found.remote, found.dirty) == (tmp_path.resolve(), "refs/heads/main", "", False)
    (tmp_path / ".sc").mkdir()
    (tmp_path / ".sc" / "x").write_text("ours")
    assert state().dirty is False
    (tmp_path / "b").write_text("b")
    assert state().dirty is True
    assert state(tmp_path / "a").dirty is False
    git(tmp_path, "checkout", "-q", "--detach")
    assert state().ref == ""


def test_a_hostile_repository_runs_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a").write_text("a")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "x")
    git(tmp_path, "config", "core.fsmonitor", f"touch {tmp_path}/pwned; false")
    assert git_state(tmp_path, [], Runner(), ENV, tmp_path)
    assert not (tmp_path / "pwned").exists()


def test_no_work_tree_and_no_git(tmp_path: Path) -> None:
    assert git_state(tmp_path, [], Runner(), ENV, tmp_path) is None
    assert git_state(tmp_path, [], Runner(), {"PATH": "/nowhere"}, tmp_path) is None
