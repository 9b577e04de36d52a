"""The per-user folder where everything lives that the Makefile makes outside of the repository.

- tools/      built programs, one folder a program and version
- bin-<key>/  links to the chosen programs: the one folder to put on PATH
- run/        records of processes that were started, and their logs
- engine/     the docker engine's data
- registry/   the local registry's blobs
- pulumi/     PULUMI_HOME, unless set
- state/      Pulumi's file backend, unless PULUMI_BACKEND_URL is set
- policy-pack/  the Python environment of the policy pack
- secrets/    generated passphrases, owner-only files
"""

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from devtools.console import SetupError, say

REPOSITORY = Path(__file__).resolve().parent.parent
"""The repository's root."""

_MARKER = ".made-by-sc-secure"


def location() -> Path:
    """Where the cache is or would be; nothing is made."""
    named = os.environ.get("SC_SECURE_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "sc-secure"


def root() -> Path:
    """The cache folder, made if needed, readable by its owner alone.

    Raises:
        SetupError: the folder holds something else, so `make clean` couldn't tell what is ours.
    """
    folder = location()
    marker = folder / _MARKER
    if not marker.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise SetupError(
                f"{folder} isn't empty and wasn't made by this project.\n"
                "Set SC_SECURE_CACHE to a folder that is empty or doesn't exist."
            )
        folder.chmod(0o700)
        marker.write_text("Everything here is made by sc-secure's Makefile; `make clean` removes it.\n")
    return folder


def folder(name: str) -> Path:
    """The cache's subfolder of that name, made if needed."""
    path = root() / name
    path.mkdir(exist_ok=True, mode=0o700)
    return path


def is_ours(path: Path) -> bool:
    """Whether the folder is a cache that this project made."""
    return path.is_dir() and not path.is_symlink() and (path / _MARKER).is_file()


def remove() -> None:
    """Removes the whole cache.

    Raises:
        SetupError: it isn't ours, or something is mounted in it.
    """
    path = location()
    if not path.exists():
        return
    if not is_ours(path):
        raise SetupError(f"{path} has no {_MARKER} file, so it isn't this project's, and is left alone.")
    if mounted := mounts_below(path):
        raise SetupError(f"{mounted[0]} is still mounted: end what uses it, `umount` it, and try again.")
    shutil.rmtree(path)


def mounts_below(path: Path) -> list[str]:
    """Mount points inside the folder, innermost first: removing would reach through them."""
    table = Path("/proc/self/mounts")
    if not table.exists():
        return []
    prefix = f"{path.resolve()}/"
    points = (line.split()[1] for line in table.read_text().splitlines())
    return sorted((point for point in points if point.startswith(prefix)), key=len, reverse=True)


@contextmanager
def locked(name: str) -> Generator[None, None, None]:
    """Only one process of this user is inside at a time; the others wait, and say so."""
    path = root() / f"{name}.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is busy with {name}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)
