"""A program of its own that holds files for as long as another one lives.

It outlives whatever ends that one, SIGKILL included, by the moment that it takes to remove the files: its input ends
then. `_held.py` starts it, with the standard library alone. One line of JSON in, `path` and `content`; one line out:
empty once the file is there, else why it isn't.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Holds what it is given until its input ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whose files they are decides alone
    held: dict[Path, int] = {}
    try:
        for line in sys.stdin:
            entry = json.loads(line)
            path = Path(entry["path"])
            try:
                held[path] = _write(path, entry["content"])
            except OSError as error:
                print(error.strerror, flush=True)
            else:
                print(flush=True)
    finally:
        for path, inode in held.items():
            with contextlib.suppress(OSError):
                if path.lstat().st_ino == inode:  # another program's by now, if it isn't
                    path.unlink()
            with contextlib.suppress(OSError):
                path.parent.rmdir()


def _write(path: Path, content: str) -> int:
    """Writes a file that its owner alone can read, in a folder of the same kind; its number in the file system."""
    run = path.parent.parent
    run.parent.mkdir(exist_ok=True)
    for folder in (run, path.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    (run / ".gitignore").write_text("*\n")
    handle, temporary = tempfile.mkstemp(dir=path.parent)  # 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(content)
            inode = os.fstat(file.fileno()).st_ino
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink()
        raise
    return inode


if __name__ == "__main__":
    main()
