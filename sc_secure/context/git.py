"""The source's place in git, through the git program."""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sc_secure.errors import InfrastructureError, ToolMissing
from sc_secure.tools.environment import environment_for
from sc_secure.tools.process import MIB, Runner

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?", re.ASCII)
_SCP_LIKE = re.compile(r"(?:[^@/\s]+@)?([\w.-]+):(?!//)([^\s]+)", re.ASCII)
_MAX_OUTPUT = 256 * MIB
_SUBMODULE = "160000"
"""The mode of a submodule's entry in the index."""
_NONE_FOUND = 1
"""`git config` has nothing of that name."""


@dataclass(frozen=True)
class GitState:
    """What a folder's work tree is at."""

    root: Path
    """The work tree's top folder."""
    commit: str
    """The commit's hash."""
    ref: str
    """`refs/heads/…`; empty on a detached head."""
    remote: str
    """The URL of `origin` without credentials, query and fragment; empty without one, or for a path on this machine."""
    dirty: bool
    """Whether what was looked at has changes that aren't in the commit."""


class Distrusted(InfrastructureError):
    """git won't look at a work tree that another user owns."""


def git_state(
    folder: Path, paths: Sequence[Path], runner: Runner, environ: Mapping[str, str], temp: Path
) -> GitState | None:
    """The state of the work tree that holds `folder`; None: there is no git, work tree or commit.

    Args:
        folder: a folder in the work tree.
        paths: where to look for changes; what we write ourselves (`.sc`) is never looked at.
        runner: runs git.
        environ: our environment.
        temp: the run's private folder.

    Raises:
        Distrusted: git refuses to, since another user owns it.
    """
    git = _Git(runner, environ, temp)
    root, commit = git(folder, "rev-parse", "--show-toplevel"), git(folder, "rev-parse", "--verify", "HEAD")
    if not root or not commit or not _COMMIT.fullmatch(commit):
        return None
    pathspecs = [str(path.resolve()) for path in paths] or [root]
    return GitState(
        root=Path(root),
        commit=commit,
        ref=git(folder, "symbolic-ref", "--quiet", "HEAD") or "",
        remote=public_remote(git(folder, "remote", "get-url", "origin") or ""),
        dirty=_is_dirty(git, folder, [*pathspecs, ":(exclude,glob)**/.sc/**", ":(exclude,glob).sc/**"]),
    )


class _Git:
    """Runs git so that nothing of the repository's own configuration runs a program: it may be a stranger's."""

    def __init__(self, runner: Runner, environ: Mapping[str, str], temp: Path) -> None:
        self._runner = runner
        # No optional locks: a read must not get in the way of the person's own git. No protocol: what a partial clone
        # lacks isn't fetched, for which a repository may name a program. LC_ALL: its messages are looked at.
        plain = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "none", "LC_ALL": "C"}
        self._env = environment_for("git", environ, temp, **plain)

    def __call__(self, folder: Path, *words: str) -> str | None:
        """What it prints; None: it failed, or isn't there.

        Raises:
            Distrusted: another user owns the work tree.
        """
        code, said = self.run(folder, *words)
        return said.strip() if code == 0 else None

    def run(self, folder: Path, *words: str) -> tuple[int | None, str]:
        """Its exit code (None: it isn't there, or printed too much), and what it prints."""
        argv = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *words]
        try:
            done = self._runner.run(argv, env=self._env, stdout_limit=_MAX_OUTPUT)
        except (ToolMissing, InfrastructureError):
            return None, ""
        if done.code != 0 and "dubious ownership" in done.stderr:
            raise Distrusted(
                "git refuses to look at the source: another user owns its folder",
                advice="`git config --global --add safe.directory FOLDER` as the user that this runs as",
            )
        return done.code, done.stdout.decode("utf-8", "replace")


def _is_dirty(git: _Git, folder: Path, pathspecs: Sequence[str]) -> bool:
    """Whether there are changes that aren't in the commit, in submodules too. What can't be told is taken for one.

    No setting (`status.showUntrackedFiles`, `submodule.*.ignore`) and no mark in the index hides them.
    """
    filters = _filters_off(git, folder)
    if filters is None:
        return True
    # Submodules are looked at one by one, below: their own configurations are strangers' too.
    flags = ["--porcelain", "--untracked-files=normal", "--ignore-submodules=dirty", "--no-renames"]
    changes = git(folder, *filters, "status", *flags, "--", *pathspecs)
    root = git(folder, "rev-parse", "--show-toplevel")
    listed = git(folder, "ls-files", "--full-name", "--stage", "-v", "-z", "--", *pathspecs)
    if changes is None or changes or root is None or listed is None:
        return True
    return any(_hides_changes(git, Path(root), entry) for entry in listed.split("\0") if entry)


def _hides_changes(git: _Git, root: Path, entry: str) -> bool:
    """Whether an entry of the index (`H 100644 <hash> 0<tab>path`) may have changes that `git status` doesn't tell."""
    words, _, path = entry.partition("\t")
    mark, mode, *_ = words.split(" ")
    if mode == _SUBMODULE and (root / path / ".git").exists():
        return _is_dirty(git, root / path, ["."])
    # Lower case: marked as never changed. S: to be skipped, as a sparse checkout does with what isn't there.
    return mark.islower() or (mark == "S" and os.path.lexists(root / path))


def _filters_off(git: _Git, folder: Path) -> list[str] | None:
    """Flags that switch filters off where the repository's own configuration says anything of them; None: it can't
    be told.

    `git status` runs them on files that it reads. The user's own ones run, as Git LFS's: without them, its files may
    look changed.
    """
    wanted = ["config", "--null", "--show-scope", "--name-only", "--get-regexp", r"^(filter|lfs\.extension)\."]
    code, said = git.run(folder, *wanted)
    if code not in (0, _NONE_FOUND):
        return None
    parts = said.split("\0")
    scopes, names = set(parts[0:-1:2]), set(parts[1::2])
    if scopes <= {"system", "global", "command"}:
        return []
    if any("=" in name for name in names):
        return None  # which `-c` can't say
    drivers = {name.rpartition(".")[0] for name in names if name.startswith("filter.")}
    return [
        word
        for driver in sorted(drivers)
        for key in ("clean", "process", "smudge", "required")
        for word in ("-c", f"{driver}.{key}=" + ("false" if key == "required" else ""))
    ]


def public_remote(url: str) -> str:
    """A remote's URL without user, password, query and fragment; empty for a path on this machine.

    `git@host:path` becomes `ssh://host/path`.
    """
    scp = _SCP_LIKE.fullmatch(url)
    if scp and "://" not in url:
        # `user:password@host/…` is a URL whose scheme was forgotten, `ext::…` a program's, `C:\…` a path.
        if "@" in scp[2].partition("/")[0] or scp[2].startswith(":") or "\\" in scp[2]:
            return ""
        path = re.split(r"[?#]", scp[2], maxsplit=1)[0]
        return f"ssh://{scp[1]}/{path.lstrip('/')}"
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https", "ssh", "git") or not host:
        return ""
    name = f"[{host}]" if ":" in host else host
    return urllib.parse.urlunsplit((parts.scheme, f"{name}:{port}" if port else name, parts.path, "", ""))
