"""The programs of `sc_secure.tools.table`: from PATH where new enough, else built at their pinned version.

A tool is a row of that table and a Go module in `devtools/<folder>/` that pins it, by its name or the row's
`pinned_in`; its go.sum holds the checksums. Where a build needs environment variables, they are in its `build.env`.

`python3 -m devtools.tools` builds what is missing, and with `--path` prints the folder to put on PATH.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools import cache
from devtools.console import SetupError, capture, progress, run_main, say
from sc_secure.errors import ScSecureError
from sc_secure.tools import versions
from sc_secure.tools.process import Runner
from sc_secure.tools.table import ON_DEMAND, TOOLS, Tool

MODULES = cache.REPOSITORY / "devtools"
"""Where each tool's Go module is."""


@dataclass(frozen=True)
class _Companion:
    """A file that a program expects beside itself."""

    file: str
    module_folder: str
    module: str
    path: str


_COMPANIONS = {
    # The language host runs programs through this script, of the SDK version that the pinned CLI speaks.
    "pulumi-language-python": _Companion(
        file="pulumi-language-python-exec",
        module_folder="pulumi",
        module="github.com/pulumi/pulumi/sdk/v3",
        path="python/cmd/pulumi-language-python-exec",
    ),
    # The tables that it expects in its database.
    "trillian_log_server": _Companion(
        file="storage.sql",
        module_folder="trillian",
        module="github.com/google/trillian",
        path="storage/postgresql/schema/storage.sql",
    ),
}


def ensure(names: Iterable[str] | None = None) -> dict[str, Path]:
    """Finds or builds the named tools, or all but those that are built on demand, and gives each one's file.

    Raises:
        SetupError: a tool is missing and can't be built here.
    """
    chosen = None if names is None else set(names)
    wanted = [tool for tool in TOOLS if (tool.purpose not in ON_DEMAND if chosen is None else tool.name in chosen)]
    found: dict[str, Path] = {}
    missing: list[Tool] = []
    for tool in wanted:
        program = _on_path(tool, found.get("pulumi")) or _in_cache(tool)
        if program:
            found[tool.name] = program
        else:
            missing.append(tool)
    if missing:
        _check_go(missing)
        with cache.locked("tools"):
            for number, tool in enumerate(wanted, start=1):
                if tool in missing:
                    # Another process may have built it while this one waited for the lock.
                    found[tool.name] = _in_cache(tool) or _build(tool, f"[{number}/{len(wanted)}]")
    return found


def tools_path(programs: dict[str, Path] | None = None) -> list[Path]:
    """The folders to put on PATH, in order: one, with a link to each tool.

    Links, because the folder of a tool that was found on PATH may hold other programs too, which putting that folder
    first would bring forward. What was built gets hard links: pulumi follows a symbolic one to its own file, and then
    warns of every language host that isn't there beside it.
    """
    programs = programs or ensure()
    links = {name: program.absolute() for name, program in programs.items()}
    for companion in _COMPANIONS.values():
        for program in list(links.values()):
            if (beside := program.parent / companion.file).exists():
                links[companion.file] = beside
    key = hashlib.sha256(json.dumps({name: str(file) for name, file in sorted(links.items())}).encode()).hexdigest()
    folder = cache.root() / f"bin-{key[:12]}"
    if not folder.is_dir():
        making = cache.root() / f".bin-{os.getpid()}"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        for name, file in links.items():
            if _within_cache(file):
                (making / name).hardlink_to(file)
            else:
                (making / name).symlink_to(file)
        _move_into_place(making, folder)
    return [folder]


def _on_path(tool: Tool, pulumi: Path | None) -> Path | None:
    """The first program of that name on PATH that is new enough."""
    for folder in os.get_exec_path():
        program = Path(folder) / tool.name
        # Not our own links: else what they point to would count as installed, and `make clean` would take it away.
        if not folder or not os.access(program, os.X_OK) or not program.is_file() or _within_cache(program):
            continue
        if _shipped_with(tool, program, pulumi):
            return program
        if _new_enough(tool, program):
            return program
    return None


def _new_enough(tool: Tool, program: Path) -> bool:
    """Whether the program is known to be of the minimum version or newer. Asked once, until the file changes."""
    cache.root()
    # Its own folder first, so that the one found is the one asked; the rest of PATH may hold Go, which can tell more.
    path = os.pathsep.join([str(program.parent), *os.get_exec_path()])
    try:
        found = versions.installed(tool, Runner(), {**os.environ, "PATH": path})
    except (ScSecureError, OSError):
        return False
    return found is not None and found.version != versions.UNKNOWN and not versions.too_old(tool, found)


def _shipped_with(tool: Tool, program: Path, pulumi: Path | None) -> bool:
    """Whether it's a language host beside the pulumi that is used: an install ships both, at one version."""
    return (
        tool.name.startswith("pulumi-language-")
        and pulumi is not None
        and not _within_cache(pulumi)
        and program.resolve().parent == pulumi.resolve().parent
    )


def _within_cache(program: Path) -> bool:
    return program.absolute().is_relative_to(cache.location())


def _home(tool: Tool) -> Path:
    return cache.root() / "tools" / f"{tool.name}-{tool.pinned}{_own_source(tool)}"


def _own_source(tool: Tool) -> str:
    """What tells one state of a program of our own from the next; empty for one that its module holds whole."""
    folder = MODULES / tool.folder
    files = [folder / "main.go", folder / "go.mod"]
    if not files[0].exists():
        return ""
    return "-" + hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _in_cache(tool: Tool) -> Path | None:
    """What was built earlier. The folder appears with its whole content at once, so that it exists is enough."""
    program = _home(tool) / tool.name
    return program if program.exists() else None


def _check_go(missing: Sequence[Tool]) -> None:
    if shutil.which("go"):
        return
    lines = "\n".join(f"  {tool.name} {tool.minimum} or newer" for tool in missing)
    raise SetupError(
        f"Neither on PATH nor built, and there's no Go to build them with:\n{lines}\n"
        "Install Go (https://go.dev/dl/, 1.26 or newer) and run `make tools` again, or install these tools."
    )


def _build(tool: Tool, count: str) -> Path:
    """Builds the pinned version from the tool's module."""
    module = MODULES / tool.folder
    if not (module / "go.sum").exists():
        raise SetupError(f"{module} has no go.mod and go.sum, so {tool.name} can't be built.")
    home = _home(tool)
    cache.folder("tools")
    making = home.with_name(f".{home.name}-{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    flags = "-s -w" + (f" -X {tool.version_symbol}" if tool.version_symbol else "")
    options = ["-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", flags]
    try:
        with progress(f"{count} {tool.name} {tool.pinned}: building"):
            _go(tool, ["build", *options, "-o", str(making / tool.name), tool.package])
            if companion := _COMPANIONS.get(tool.name):
                _copy_companion(tool, companion, making)
        _move_into_place(making, home)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return home / tool.name


def _copy_companion(tool: Tool, companion: _Companion, folder: Path) -> None:
    answer = _go(tool, ["mod", "download", "-json", companion.module], MODULES / companion.module_folder)
    file = folder / companion.file
    shutil.copyfile(Path(json.loads(answer)["Dir"]) / companion.path, file)
    file.chmod(0o755)


def _go(tool: Tool, arguments: Sequence[str], module: Path | None = None) -> str:
    """Runs Go in the tool's module. Settings of the user that change what is built don't reach it."""
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GO111MODULE": "on"}
    extra = MODULES / tool.folder / "build.env"
    if extra.exists():
        pairs = (line.partition("=") for line in extra.read_text().splitlines() if not line.startswith("#"))
        env.update({name: value for name, equals, value in pairs if equals})
    answer = capture(["go", *arguments], cwd=module or MODULES / tool.folder, env=env)
    if answer.returncode:
        said = "\n".join(answer.stderr.strip().splitlines()[-15:])
        raise SetupError(
            f"building {tool.name} {tool.pinned} failed (go {arguments[0]}, exit code {answer.returncode}):\n{said}\n"
            f"Go needs to reach its module proxy (`go env GOPROXY`). Or install {tool.name} {tool.minimum} or newer."
        )
    return answer.stdout


def _move_into_place(making: Path, folder: Path) -> None:
    """Makes a finished folder appear at once; one that another process made meanwhile stays."""
    try:
        making.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(making)


def main() -> int:
    """`make tools` and `make tools-path`."""
    programs = ensure()
    folders = tools_path(programs)
    if "--path" in sys.argv[1:]:
        print(os.pathsep.join(str(folder) for folder in folders))
        return 0
    for name, program in programs.items():
        origin = "built" if _within_cache(program) else "from PATH"
        say(f"{name}: {origin}, {program}")
    return 0


if __name__ == "__main__":
    run_main(main)
