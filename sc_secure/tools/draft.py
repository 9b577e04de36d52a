"""What is signed and not attached yet: kept for the next run, should this one end before it is attached.

A log may have its entry already, and of another signature it would make a second one. Nothing in it is secret.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path

from sc_secure.tools import made
from sc_secure.tools.workspace import write_file

_OLDEST = 24 * 60 * 60.0
_LONGEST = 256 * 1024 * 1024


class Draft:
    """A signed bundle in a file, with its log entries or without.

    It is only believed to come from a run of this user on this machine: whoever takes it up has to verify it.

    Args:
        environ: our environment.
        path: the file; None: it is kept nowhere.
    """

    def __init__(self, environ: Mapping[str, str], path: Path | None) -> None:
        self._environ = environ
        self._path = path

    def read(self) -> bytes | None:
        """The bundle; None: there is none, or none that a run of ours made within a day."""
        if self._path is None:
            return None
        try:
            with self._path.open("rb") as file:
                # A log that fails for so long may have lost it; what it can't prove mustn't hold up signing for ever.
                if time.time() - os.fstat(file.fileno()).st_mtime > _OLDEST:
                    return None
                content = file.read(_LONGEST)
            return content if made.is_ours(self._environ, content) else None
        except OSError:
            return None

    def keep(self, content: bytes) -> None:
        """Keep the bundle, where that can be done: without it, all that is lost is that the next run begins anew."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                made.remember(self._environ, content)
                write_file(self._path, content)

    def remove(self) -> None:
        """It is attached, or no good."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
