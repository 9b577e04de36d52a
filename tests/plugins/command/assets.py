"""The files that `assetPaths` and `archivePaths` name, as assets and as an archive of them."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

# How the protocol marks an object as an asset or an archive.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


def assets_of(folder: str, globs: list[str]) -> dict[str, Any]:
    """Return an asset for each file below the folder that the globs choose; a later glob wins, `!` takes away."""
    rules = [(not glob.startswith("!"), re.compile(_pattern(glob.removeprefix("!")))) for glob in globs]
    found = {}
    for path in _files(folder):
        chosen = [takes for takes, rule in rules if rule.fullmatch(path)]
        if chosen and chosen[-1]:
            found[path] = _asset(Path(folder, path))
    return found


def archive_of(folder: str, globs: list[str]) -> dict[str, Any]:
    """Return one archive of the files that the globs choose."""
    return {_SIGNATURE: _ARCHIVE, "assets": assets_of(folder, globs)}


def _files(folder: str) -> list[str]:
    below = [Path(root, name) for root, _, names in os.walk(folder) for name in names]
    return sorted(path.relative_to(folder).as_posix() for path in below)


def _asset(path: Path) -> dict[str, Any]:
    # The path is absolute, as the official plugin's is without `dir`.
    return {_SIGNATURE: _ASSET, "path": str(path.absolute()), "hash": hashlib.sha256(path.read_bytes()).hexdigest()}


_TOKEN = re.compile(r"\*\*|\*|\?|\[!?[^\]]+\]|\\.|.", re.DOTALL)


def _pattern(glob: str) -> str:
    """Translate a glob: `*` stays within a folder and `**` doesn't; `?`, `[…]`, `{a,b}`; `\\` makes the next plain."""
    depth = 0
    pattern = ""
    for token in _TOKEN.findall(glob):
        match token:
            case "**":
                pattern += ".*"
            case "*":
                pattern += "[^/]*"
            case "?":
                pattern += "[^/]"
            case "{":
                depth += 1
                pattern += "(?:"
            case "}" if depth:
                depth -= 1
                pattern += ")"
            case "," if depth:
                pattern += "|"
            case _ if token.startswith("[") and len(token) > 1:
                pattern += "[^" + token[2:] if token[1] == "!" else token
            case _:
                pattern += re.escape(token.removeprefix("\\") or token)
    return pattern
