"""Refuses files that name this machine: its package registries, its folders. Part of `make lint`.

What is looked for is read from the machine's own settings, so that the check itself names none.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from devtools import cache
from devtools.console import SetupError, capture, run_main

_ALLOWED = ("127.0.0.1", "localhost", ".debian.org")
"""Endings of hosts that files may name: this machine itself, and Debian's, whose packages the base image is made of."""
_SETTINGS = re.compile(r"(^|_)(INDEX|INDEX_URL|PROXY|GOPROXY|GOSUMDB|REGISTRY|FIND_LINKS|MIRROR)(_|$)", re.IGNORECASE)
_ASKED = (
    ["pip", "config", "list"],
    ["go", "env", "GOPROXY", "GOSUMDB"],
    ["npm", "config", "get", "registry"],
    ["apt-get", "indextargets", "--format", "$(SITE)"],
)


def main() -> int:
    """Prints each place, `file:line: what`."""
    words = dict.fromkeys(_hosts(), "a registry of this machine") | dict.fromkeys(_paths(), "a folder of this machine")
    found = [place for file in _tracked() for place in _places(file, words)]
    print("\n".join(found) if found else f"no file names this machine ({len(words)} words looked for)")
    return 1 if found else 0


def _hosts() -> Iterator[str]:
    """Hosts that package managers are set to use here."""
    texts = [value for name, value in os.environ.items() if _SETTINGS.search(name)]
    for command in _ASKED:
        try:
            texts.append(capture(command, timeout=30).stdout)
        except (OSError, subprocess.TimeoutExpired):
            continue
    for url in re.finditer(r"https?://[^\s'\",|]+", "\n".join(texts)):
        host = urlsplit(url.group()).hostname
        if host and not host.endswith(_ALLOWED):
            yield host


def _paths() -> Iterator[str]:
    """The folders of this checkout, its user and its caches."""
    for path in (cache.REPOSITORY, cache.location(), Path.home()):
        # With the slash: a home folder's name alone may be about an image.
        if len(path.parts) > 1:
            yield f"{path}/"


def _tracked() -> list[Path]:
    """What git holds or would add."""
    answer = capture(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=cache.REPOSITORY)
    if answer.returncode:
        raise SetupError(f"`git ls-files` failed: {answer.stderr.strip()}")
    files = (cache.REPOSITORY / name for name in answer.stdout.split("\0") if name)
    return [file for file in files if file.is_file() and not file.is_symlink()]


def _places(file: Path, words: dict[str, str]) -> Iterator[str]:
    try:
        text = file.read_text()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), start=1):
        for word, meaning in words.items():
            if word in line:
                yield f"{file.relative_to(cache.REPOSITORY)}:{number}: {word}: {meaning}"


if __name__ == "__main__":
    run_main(main)
