"""Which documents this user's runs made on this machine: known by their hash, in the per-user cache.

What lies in a project's folder may have come with its source: a catalogue that lists nothing would be scanned, and
signed, in place of the image's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from sc_secure.tools.workspace import cache_folder, cache_subfolder

_FOLDER = "made"


def remember(environ: Mapping[str, str], content: bytes) -> None:
    """Note that a run of ours made a document of this content.

    Raises:
        OSError: the cache can't be written.
    """
    (cache_subfolder(cache_folder(environ), _FOLDER) / _name(content)).touch()


def is_ours(environ: Mapping[str, str], content: bytes) -> bool:
    """Whether a run of ours made it here."""
    return Path(cache_folder(environ), _FOLDER, _name(content)).is_file()


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
