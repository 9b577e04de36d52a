"""Folders of a run: a private one for temporary files, the per-user cache, and files written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Generator, Mapping
from pathlib import Path

from sc_secure.errors import InfrastructureError
from sc_secure.tools.text import printable
from sc_secure.tools.waiting import pause

_PREFIX = "sc-secure-run-"
_LOCK = ".in-use"
_ABANDONED_AFTER = 60.0
_POLL = 0.01
"""Seconds between two looks at a lock that another holds."""
_MARKER = ".made-by-sc-secure"

_OF_THE_DISK = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR}
    | {errno.EEXIST, errno.ENOENT, errno.EMFILE, errno.ENFILE, errno.ELOOP, errno.ENAMETOOLONG}
)


@contextlib.contextmanager
def disk_failures() -> Generator[None]:
    """What a file or folder fails with inside is an infrastructure failure, which names it.

    Raises (inside):
        InfrastructureError: the disk is full or read-only, something stands where a folder should be, …
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        name = (
            printable(os.fsdecode(error.filename), limit=200) if isinstance(error.filename, str | bytes) else "a file"
        )
        advice = "make room there, or make it writable: artifacts, temporary files ($TMPDIR) and the cache are written"
        raise InfrastructureError(f"{printable(name, limit=200)}: {error.strerror}", advice=advice) from error


@contextlib.contextmanager
def private_folder(environ: Mapping[str, str]) -> Generator[Path]:
    """A folder that only we can read (0700), removed at the end.

    A run that was ended by SIGKILL can't remove its own; the next run does.
    """
    parent = Path(environ.get("TMPDIR") or tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    try:
        with (folder / _LOCK).open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Remove folders of ours whose run is gone: nothing holds their lock any more."""
    for folder in parent.glob(_PREFIX + "*"):
        with contextlib.suppress(OSError):
            status = folder.lstat()
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < _ABANDONED_AFTER or folder.is_symlink():
                continue
            with (folder / _LOCK).open() as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The per-user cache: `$SC_SECURE_CACHE`, or else `sc-secure` in the XDG cache folder. It may not exist yet."""
    chosen = environ.get("SC_SECURE_CACHE")
    if chosen:
        return Path(chosen)
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path(environ.get("HOME") or Path.home()) / ".cache") / "sc-secure"


def cache_subfolder(cache: Path, name: str) -> Path:
    """A folder in the per-user cache, made if needed.

    A cache that is made here gets the mark by which `make tools` and `make clean` know it as this project's.
    """
    with contextlib.suppress(FileExistsError):
        cache.mkdir(parents=True, mode=0o700)
        (cache / _MARKER).write_text("Everything here is made by sc-secure; `make clean` removes it.\n")
    folder = cache / name
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


@contextlib.contextmanager
def exclusive(cache: Path, name: str) -> Generator[None]:
    """Held by one process or thread of this machine at a time; waits for it. Freed by the kernel however it ends.

    Args:
        cache: the per-user cache folder.
        name: the lock's file name, of safe characters.
    """
    folder = cache_subfolder(cache, "locks")
    # The file stays: removing it would let two processes hold locks on two files of one name.
    with (folder / name).open("w") as held:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                pause(_POLL)
        yield


def write_file(path: Path, content: bytes) -> None:
    """Write a file (0644) so that nobody ever sees a part of it; its folders are made."""
    with _to_be(path) as part:
        part.write_bytes(content)


def keep_file(made: Path, path: Path) -> None:
    """Move a file of the run to where it stays, as `write_file` would write it; at best nothing is copied."""
    with _to_be(path) as part:
        shutil.move(made, part)


@contextlib.contextmanager
def _to_be(path: Path) -> Generator[Path]:
    """A file beside `path`, which takes its place at the end if nothing fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a write knows its handle only
        part.unlink(missing_ok=True)
        raise
