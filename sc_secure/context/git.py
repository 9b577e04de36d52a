"""The source's place in git, through the git program."""

from __future__ import annotations

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
    """
    # No optional locks: a read must not get in the way of the person's own git. No file of the repository may name a
    # program for us to run (fsmonitor), since the work tree may be a stranger's.
    env = environment_for("git", environ, temp, GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0")

    def git(*arguments: str) -> str | None:
        argv = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments]
        try:
            done = runner.run(argv, env=env, stdout_limit=16 * MIB)
        except (ToolMissing, InfrastructureError):
            return None
        return done.stdout.decode("utf-8", "replace").strip() if done.code == 0 else None

    root, commit = git("rev-parse", "--show-toplevel"), git("rev-parse", "--verify", "HEAD")
    if not root or not commit or not _COMMIT.fullmatch(commit):
        return None
    pathspecs = [str(path.resolve()) for path in paths] or [root]
    changes = git("status", "--porcelain", "--", *pathspecs, ":(exclude,glob)**/.sc/**", ":(exclude,glob).sc/**")
    return GitState(
        root=Path(root),
        commit=commit,
        ref=git("symbolic-ref", "--quiet", "HEAD") or "",
        remote=public_remote(git("remote", "get-url", "origin") or ""),
        dirty=changes is None or bool(changes),
    )


def public_remote(url: str) -> str:
    """A remote's URL without user, password, query and fragment; empty for a path on this machine.

    `git@host:path` becomes `ssh://host/path`.
    """
    scp = _SCP_LIKE.fullmatch(url)
    if scp and "://" not in url:
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
