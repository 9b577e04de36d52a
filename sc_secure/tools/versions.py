"""Which version of a tool is on PATH, against the table's minimum. Costs nothing while the file is the same."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sc_secure.errors import InfrastructureError, ToolMissing
from sc_secure.tools.documents import parse_object
from sc_secure.tools.process import Runner
from sc_secure.tools.table import Tool
from sc_secure.tools.workspace import cache_folder, cache_subfolder, exclusive, write_file

UNKNOWN = "unknown"
"""The version of a tool that doesn't know it."""
_SAID = re.compile(r"^\s*(?:git)?version:?\s*v?(\d+\.\d+\.\d+)|^v?(\d+\.\d+\.\d+)\S*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Installed:
    """A tool that was found."""

    path: Path
    version: str
    """`X.Y.Z`, or `UNKNOWN`."""


def installed(tool: Tool, runner: Runner, environ: Mapping[str, str]) -> Installed | None:
    """The tool on PATH; None: there is none."""
    found = shutil.which(tool.name, path=environ.get("PATH"))
    if found is None:
        return None
    path = Path(found)
    status = path.stat()
    # The name of the key holds what changes with the file: a new build is asked again.
    key = f"{path.resolve()}:{status.st_mtime_ns}:{status.st_size}"
    cache = cache_folder(environ) / "versions" / f"{tool.name}.json"
    known = _read(cache)
    if key in known:
        return Installed(path, known[key])
    with contextlib.ExitStack() as alone:
        with contextlib.suppress(OSError):  # a cache that can't be written costs time, nothing else
            # Of many runs that begin at once, one asks.
            alone.enter_context(exclusive(cache_folder(environ), f"versions-{tool.name}"))
        known = _read(cache)
        version = known.get(key) or _ask(tool, path, runner, environ)
        # An unknown version isn't kept: once Go is there, its build information tells.
        if key not in known and version != UNKNOWN:
            with contextlib.suppress(OSError):
                cache_subfolder(cache_folder(environ), "versions")
                write_file(cache, json.dumps({**dict(list(known.items())[-20:]), key: version}).encode())
    return Installed(path, version)


def require(tool: Tool, runner: Runner, environ: Mapping[str, str]) -> Installed:
    """The tool on PATH, of the table's minimum version at least (or of one that can't be told).

    Raises:
        ToolMissing: it isn't there, or is older.
    """
    found = installed(tool, runner, environ)
    if found is None:
        raise ToolMissing(
            f"{tool.name} is not on PATH", advice=f"install {tool.name} {tool.minimum} or newer (tested: {tool.pinned})"
        )
    if too_old(tool, found):
        raise ToolMissing(
            f"{tool.name} {found.version} is older than {tool.minimum}",
            advice=f"install {tool.name} {tool.minimum} or newer (tested: {tool.pinned})",
        )
    return found


def too_old(tool: Tool, found: Installed) -> bool:
    """Whether the version is known and below the minimum."""
    return found.version != UNKNOWN and _numbers(found.version) < _numbers(tool.minimum)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _read(cache: Path) -> dict[str, str]:
    try:
        known = parse_object(cache.read_bytes(), cache.name)
    except (OSError, InfrastructureError):
        return {}
    return {key: value for key, value in known.items() if isinstance(value, str) and _valid(value)}


def _valid(version: str) -> bool:
    return re.fullmatch(r"\d+\.\d+\.\d+", version) is not None


def _ask(tool: Tool, path: Path, runner: Runner, environ: Mapping[str, str]) -> str:
    # An update check would ask the internet for every version number.
    env = {name: environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in environ}
    env |= {
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
        "GRYPE_CHECK_FOR_APP_UPDATE": "false",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }
    if tool.version_args:
        done = runner.run([str(path), *tool.version_args], env=env, stdout_limit=1024 * 1024)
        said = _SAID.search(done.stdout.decode("utf-8", "replace") + "\n" + done.stderr)
        if said:
            return said[1] or said[2]
    if shutil.which("go", path=environ.get("PATH")) is None:
        return UNKNOWN
    # Built from a module, a tool may not know its version; the build information in the file does.
    done = runner.run(["go", "version", "-m", str(path)], env=env, stdout_limit=8 * 1024 * 1024)
    module = re.escape(tool.module)
    built = re.search(
        rf"^\s*(?:mod|dep)\s+{module}\s+v(\d+\.\d+\.\d+)", done.stdout.decode("utf-8", "replace"), re.MULTILINE
    )
    return built[1] if built else UNKNOWN
