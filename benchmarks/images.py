"""Real Debian images of two sizes, in the registry, and fresh copies of them."""

import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools import base_image, cache

SIZES: dict[str, Sequence[str]] = {
    "about 100 packages": ("python3",),
    "about 500 packages": ("python3", "build-essential", "git", "cmake", "ffmpeg", "imagemagick", "gdb"),
}
"""What is installed beside Debian's smallest set."""


def archive(size: str) -> Path:
    """The image as a file; made once, which takes minutes."""
    folder = cache.folder("bench")
    path = folder / f"{size.replace(' ', '-')}.tar"
    if not path.exists():
        base_image.make(path, folder, SIZES[size])
    return path


def forgotten(folder: Path) -> None:
    """Removes what was made of images there, so that each run of ours catalogues its image, as each of theirs does: the
    copies have one digest."""
    shutil.rmtree(folder / ".sc/artifacts", ignore_errors=True)


class Copies:
    """An image in the registry, and copies of it to which nothing is attached yet."""

    def __init__(self, env: Mapping[str, str], registry: str, size: str) -> None:
        self._env, self._registry = dict(env), registry
        self._source = f"{registry}/bench/{size.replace(' ', '-')}:1"
        self._crane("push", str(archive(size)), self._source)
        self._digest = self._crane("digest", self._source)

    def fresh(self) -> str:
        """A copy in a repository of its own, as `repository@sha256:…`."""
        repository = f"{self._registry}/bench/c{uuid.uuid4().hex[:12]}"
        self._crane("copy", f"{self._source}", f"{repository}:1")
        return f"{repository}@{self._digest}"

    def _crane(self, *words: str) -> str:
        done = subprocess.run(["crane", *words], env=self._env, check=True, capture_output=True, text=True)
        return done.stdout.strip()
