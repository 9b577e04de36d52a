import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sc_secure.context.git import Distrusted, git_state, public_remote
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
        ("ext::id", ""),
        ("bob:pw@github.com/o/r.git", ""),
        ("C:\\Users\\bob\\r", ""),
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


def committed(folder: Path) -> Path:
    """A repository with one commit of one file."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a").write_text("a")
    git(folder, "add", "a")
    git(folder, "commit", "-q", "-m", "x")
    return folder


def with_submodule(tmp_path: Path) -> Path:
    """A repository whose folder `sub` is another one."""
    source, top = committed(tmp_path / "source"), committed(tmp_path / "top")
    git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(source), "sub")
    git(top, "commit", "-q", "-m", "y")
    return top


def is_dirty(folder: Path, *paths: Path) -> bool:
    found = git_state(folder, paths, Runner(), ENV, folder.parent)
    assert found
    return found.dirty


def attributes(folder: Path, line: str) -> None:
    """Say it of a file in the repository's own attributes."""
    done = subprocess.run(["git", "rev-parse", "--git-dir"], cwd=folder, check=True, capture_output=True, text=True)
    (folder / done.stdout.strip() / "info").mkdir(exist_ok=True)
    (folder / done.stdout.strip() / "info/attributes").write_text(f"{line}\n")


def _monitor(folder: Path, command: str) -> None:
    git(folder, "config", "core.fsmonitor", command)


def _filter(folder: Path, command: str) -> None:
    """Of a file that git has to read, to see whether it has changed."""
    attributes(folder, "a filter=x.y")
    for key in ("clean", "process"):
        git(folder, "config", f"filter.x.y.{key}", command)
    (folder / "a").write_text("b")


def _filter_of_an_odd_name(folder: Path, command: str) -> None:
    attributes(folder, "a filter=x=y")
    git(folder, "config", "filter.x=y.clean", command)
    (folder / "a").write_text("b")


def _fetching(folder: Path, command: str) -> None:
    """A partial clone that lacks what a renamed file's old content is compared by."""
    text = "\n".join(map(str, range(100)))
    (folder / "b").write_text(text)
    git(folder, "add", "b")
    git(folder, "commit", "-q", "-m", "b")
    (folder / "b").rename(folder / "c")
    (folder / "c").write_text(text + "\nmore")
    git(folder, "add", "-A")
    done = subprocess.run(["git", "rev-parse", "HEAD:b"], cwd=folder, check=True, capture_output=True, text=True)
    blob = done.stdout.strip()
    (folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": "ssh://git.example/o/r",
        "remote.origin.promisor": "true",
        "core.sshCommand": command,
    }.items():
        git(folder, "config", key, value)


@pytest.mark.parametrize("hostile", [_monitor, _filter, _filter_of_an_odd_name, _fetching])
def test_a_hostile_repository_runs_nothing(tmp_path: Path, hostile: Callable[[Path, str], None]) -> None:
    folder = committed(tmp_path / "r")
    hostile(folder, f"touch {tmp_path}/pwned; false")
    is_dirty(folder)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("hostile", [_monitor, _filter])
def test_nor_does_a_submodule_of_it(tmp_path: Path, hostile: Callable[[Path, str], None]) -> None:
    top = with_submodule(tmp_path)
    hostile(top / "sub", f"touch {tmp_path}/pwned; false")
    assert is_dirty(top) is (hostile is _filter)
    assert not (tmp_path / "pwned").exists()


def test_the_users_own_filters_run(tmp_path: Path) -> None:
    folder, home = committed(tmp_path / "r"), tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text('[filter "x"]\n clean = tr a-z A-Z\n')
    attributes(folder, "a filter=x")
    (folder / "a").write_text("A")
    git(folder, "commit", "-q", "-a", "-m", "large")
    (folder / "a").write_text("a")  # what the filter makes large again
    found = git_state(folder, [], Runner(), {**ENV, "HOME": str(home)}, tmp_path)
    assert found
    assert not found.dirty


@pytest.mark.parametrize("setting", ["status.showUntrackedFiles=no", "diff.ignoreSubmodules=all"])
def test_no_setting_hides_changes(tmp_path: Path, setting: str) -> None:
    top = with_submodule(tmp_path)
    git(top, "config", *setting.split("="))
    git(top, "config", "-f", ".gitmodules", "submodule.sub.ignore", "all")
    git(top, "commit", "-q", "-a", "-m", "z")
    assert not is_dirty(top)
    (top / "sub/a").write_text("changed")
    assert is_dirty(top)
    assert is_dirty(top, top / "sub")
    assert is_dirty(top / "sub")
    (top / "sub/a").write_text("a")
    assert not is_dirty(top)
    (top / "new").write_text("new")
    assert is_dirty(top)


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_no_mark_hides_changes(tmp_path: Path, mark: str) -> None:
    folder = committed(tmp_path / "r")
    git(folder, "update-index", mark, "a")
    (folder / "a").write_text("changed")
    assert is_dirty(folder)


def test_a_sparse_checkout_is_clean(tmp_path: Path) -> None:
    folder = committed(tmp_path / "r")
    (folder / "far").mkdir()
    (folder / "far/b").write_text("b")
    git(folder, "add", "far")
    git(folder, "commit", "-q", "-m", "b")
    git(folder, "sparse-checkout", "set", "near")
    assert not (folder / "far").exists()
    assert not is_dirty(folder)


def test_a_shallow_clone_and_a_work_tree_beside(tmp_path: Path) -> None:
    folder = committed(tmp_path / "r")
    git(tmp_path, "clone", "-q", "--depth=1", folder.as_uri(), "shallow")
    git(folder, "worktree", "add", "-q", "-b", "other", str(tmp_path / "beside"))
    shallow, beside = (git_state(tmp_path / each, [], Runner(), ENV, tmp_path) for each in ("shallow", "beside"))
    assert shallow
    assert beside
    assert shallow.commit == beside.commit
    assert (shallow.remote, shallow.dirty, beside.ref, beside.dirty) == ("", False, "refs/heads/other", False)


def test_a_work_tree_of_somebody_else_says_so(tmp_path: Path) -> None:
    folder, home = committed(tmp_path / "r"), tmp_path / "home"
    home.mkdir()
    # As if another user owned it: git's own way to test this.
    git_program = tmp_path / "git"
    git_program.write_text('#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec /usr/bin/git "$@"\n')
    git_program.chmod(0o755)
    environ = {"HOME": str(home), "PATH": f"{tmp_path}:{ENV['PATH']}"}
    with pytest.raises(Distrusted) as refused:
        git_state(folder, [], Runner(), environ, tmp_path)
    assert "safe.directory" in refused.value.advice
    (home / ".gitconfig").write_text("[safe]\n directory = *\n")
    assert git_state(folder, [], Runner(), environ, tmp_path)


def test_no_work_tree_and_no_git(tmp_path: Path) -> None:
    assert git_state(tmp_path, [], Runner(), ENV, tmp_path) is None
    assert git_state(tmp_path, [], Runner(), {"PATH": "/nowhere"}, tmp_path) is None
