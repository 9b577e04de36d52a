"""The digest of a build context: it changes when, and only when, a build could see a difference."""

import hashlib
import os
import posixpath
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from resources import ProviderError


def digest_of(context: str, dockerfile: str) -> str:
    """Return the digest of the Dockerfile, and of path, mode and content of each file that a build could see."""
    if Path(f"{dockerfile}.dockerignore").exists():
        # The classic builder doesn't read it: the digest would be of other files than the image.
        raise ProviderError(f"the offline docker plugin doesn't read {dockerfile}.dockerignore: use .dockerignore")
    digest = hashlib.sha256(_content(Path(dockerfile)))
    ignore = Path(context, ".dockerignore")
    for path in _files(Path(context), Ignored(ignore.read_text() if ignore.is_file() else "")):
        mode = path.lstat().st_mode
        digest.update(f"{path.relative_to(context).as_posix()}\0{mode:o}\0".encode() + _content(path))
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    if path.is_symlink():
        return hashlib.sha256(os.fsencode(path.readlink())).digest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _files(context: Path, ignored: "Ignored") -> Iterator[Path]:
    for root, folders, files in os.walk(context):
        here = Path(root)
        links = [name for name in folders if (here / name).is_symlink()]
        # An ignored folder needn't be looked into, unless an exception could name something inside.
        folders[:] = sorted(
            name
            for name in folders
            if ignored.exceptions or not ignored.match((here / name).relative_to(context).as_posix())
        )
        for name in sorted([*files, *links]):
            path = here / name
            regular = stat.S_ISREG(path.lstat().st_mode) or path.is_symlink()
            if regular and not ignored.match(path.relative_to(context).as_posix()):
                yield path


class Ignored:
    """The rules of a `.dockerignore`: the last rule that matches a path, or a folder above it, decides."""

    def __init__(self, text: str) -> None:
        self._rules: list[tuple[bool, re.Pattern[str]]] = []
        for line in text.removeprefix("\ufeff").splitlines():
            rule = line.strip()
            if not rule or line.startswith("#"):
                continue
            ignores = not rule.startswith("!")
            clean = posixpath.normpath(rule.removeprefix("!").strip()).lstrip("/")
            self._rules.append((ignores, re.compile(_pattern(clean))))
        self.exceptions = any(not ignores for ignores, _ in self._rules)

    def match(self, path: str) -> bool:
        """Whether the path, relative to the context, is ignored."""
        parts = path.split("/")
        prefixes = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        result = False
        for ignores, rule in self._rules:
            if any(rule.fullmatch(prefix) for prefix in prefixes):
                result = ignores
        return result


_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[\^?[^\]]+\]|\\.|.", re.DOTALL)
_WILD = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _pattern(rule: str) -> str:
    pattern = ""
    for token in _TOKEN.findall(rule):
        if token in _WILD:
            pattern += _WILD[token]
        elif token.startswith("[") and len(token) > 1:
            pattern += token
        else:
            pattern += re.escape(token.removeprefix("\\") or token)
    return pattern
