"""Where we are: the folders that are written to, the source's git, and the CI system."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from sc_secure.context.ci import ci_run
from sc_secure.context.git import Distrusted, git_state
from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.steps.doctor.finding import Finding, Findings, ok, wrong
from sc_secure.steps.doctor.situation import Situation
from sc_secure.tools.process import MIB
from sc_secure.tools.text import printable
from sc_secure.tools.workspace import cache_folder

_LITTLE = 1024 * MIB
"""Bytes: below this a vulnerability database or a big image's documents may not fit."""
_NOTHING = 64 * MIB
"""Bytes: below this a step's documents may not."""
_NEEDS = "documents, temporary files and the cache are written"


def look(situation: Situation) -> Findings:
    """The disk, git and the CI run."""
    yield _disk("disk.project", Path(".sc"), "artifacts", "bin", "run")
    yield _disk("disk.temporary", situation.temp.parent)
    yield _disk("disk.cache", cache_folder(situation.environ), "locks", "versions")
    yield _source(situation)
    run = ci_run(situation.environ)
    yield ok("ci", f"{run.system}: {run.url}" if run else "no CI system that is known")


def _disk(check: str, folder: Path, *parts: str) -> Finding:
    """Whether it can be written, and the room there. What isn't there yet isn't made: its parent is looked at.

    Args:
        check: what it is called.
        folder: the folder.
        parts: folders in it, which may belong to somebody else, as after a run as root.
    """
    shown = printable(str(folder), limit=200)
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        for each in [there, *(folder / part for part in parts if (folder / part).exists())]:
            with tempfile.TemporaryFile(dir=each):
                pass
        free = shutil.disk_usage(there).free
    except OSError as error:
        where = printable(os.fsdecode(error.filename), limit=200) if isinstance(error.filename, str) else shown
        advice = f"make it writable: {_NEEDS}"
        return wrong(check, InfrastructureError(f"{where}: {error.strerror or 'cannot be written'}", advice=advice))
    room = f"{free // MIB} MiB" if free < _LITTLE else f"{free // (1024 * MIB)} GiB"
    if free < _LITTLE:
        little = InfrastructureError(f"{shown}: {room} left", advice=f"make room there: {_NEEDS}")
        return wrong(check, little, needed=free < _NOTHING)
    return ok(check, f"{shown} can be written, {room} left")


def _source(situation: Situation) -> Finding:
    """What the provenance would name as the source."""
    security = situation.security
    wanted = bool(security and security.enabled and security.provenance.enabled and security.provenance.include_git)
    demanded = bool(wanted and security and security.signing.verifies and security.signing.verify.source_uri)
    git, reason, advice = None, "no git commit here", "run in the source's work tree, with git on PATH"
    try:
        git = git_state(Path(), [], situation.runner, situation.environ, situation.temp)
    except Distrusted as error:
        reason, advice = error.message, error.advice
    ci = ci_run(situation.environ)
    if git is None and not (ci and ci.commit):
        if not wanted:
            return ok("git", f"{reason}, and no policy asks for one")
        none = ConfigError(f"{reason}: the provenance would name no source", advice=advice)
        return wrong("git", none, needed=demanded)
    commit = git.commit if git else ci.commit if ci else ""
    remote = (git.remote if git else "") or (ci.repository if ci and ci.commit == commit else "")
    shown = f"{commit[:12]} of {printable(remote, limit=200) or 'no remote'}"
    if demanded and not remote:
        lost = ConfigError(
            f"{shown}: security.signing.verify.sourceUri demands a source that others can reach",
            advice="`git remote add origin URL`, or run in the CI",
        )
        return wrong("git", lost)
    if git and git.dirty:
        changed = ConfigError(f"{shown}, with changes that aren't in the commit", advice="commit them")
        return wrong("git", changed, needed=demanded)
    return ok("git", shown)
