"""What many runs of a machine need, and one of them does for all: the others wait for it, and take it as done."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sc_secure.tools.workspace import cache_folder, cache_subfolder, exclusive, write_file


def lately(environ: Mapping[str, str], purpose: str, of: str, seconds: float, do: Callable[[], bool]) -> bool:
    """Do it, unless a run of this user has done it within some seconds; whether it went well, then or now.

    Args:
        environ: our environment.
        purpose: what is done, as a file's name.
        of: what it is done to: once for each.
        seconds: how long it holds. What went wrong holds as long: many runs shouldn't wait for it one by one.
        do: does it; False: it went wrong.

    Raises:
        OSError: the cache can't be written.
    """
    cache = cache_folder(environ)
    name = f"{purpose}-{hashlib.sha256(of.encode()).hexdigest()[:16]}"
    stamp = cache_subfolder(cache, "once") / name
    with exclusive(cache, name):
        known = _read(stamp, seconds)
        if known is None:
            known = do()
            write_file(stamp, b"yes" if known else b"no")
        return known


def _read(stamp: Path, seconds: float) -> bool | None:
    try:
        age = time.time() - stamp.stat().st_mtime
        content = stamp.read_bytes()
    except OSError:
        return None
    # Of the future: the clock was set back, and nobody knows how old it is.
    return content == b"yes" if 0 <= age < seconds and content in (b"yes", b"no") else None
