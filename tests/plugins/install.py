"""Install the offline plugins into a PULUMI_HOME: `python -m tests.plugins.install --pulumi PATH --home DIR`.

Each becomes a folder of its own, with a copy of the code (the repository may move or go) and a launcher for the
interpreter that has the Pulumi SDK, and is handed to `pulumi plugin install --file`. The file `OFFLINE` in it says what
it isn't, and of which code it was made, so that a second run finds nothing to do.
"""

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

VERSIONS = {"command": "1.2.1", "docker": "5.2.0"}
"""The official plugins that the offline ones stand for."""

CLOUD_VERSIONS = {"aws": "7.51.1", "gcp": "10.2.0"}
"""Those of the clouds, whose offline ones are for the tests alone: they need more than the Pulumi SDK."""

BUILD_VERSIONS = {"docker-build": "0.0.22"}
"""The one of BuildKit, whose offline one is for the tests alone: it needs its SDK, and crane."""

_HERE = Path(__file__).resolve().parent
_MARKER = "OFFLINE"
_LAUNCHER = """\
#!/bin/sh
# {name} {version}, offline: {python} runs the code beside this file. Isolated from PYTHONPATH, which is the program's.
exec {python} -I -u "$(dirname "$0")/code" "$@"
"""


def install(
    pulumi: Path | str,
    home: Path | str,
    python: Path | str = sys.executable,
    versions: Mapping[str, str] = VERSIONS,
) -> None:
    """Install what isn't installed yet; an official plugin stays. `python` has what the plugins need."""
    for name, version in versions.items():
        if _is_official(home, name):
            continue
        _same_version_as_sdk(name, version)
        code = _code(name)
        launcher = _LAUNCHER.format(name=name, version=version, python=shlex.quote(str(python)))
        digest = _digest(code, launcher)
        if _marker(home, name).is_file() and digest in _marker(home, name).read_text():
            continue
        with tempfile.TemporaryDirectory(prefix="sc-secure-plugin-") as folder:
            _pack(Path(folder), name, code, launcher, digest)
            _install(pulumi, home, name, version, folder)


def is_offline(home: Path | str, name: str) -> bool:
    """Whether the plugin installed there is one of ours, and not the official one."""
    return _marker(home, name).is_file()


def _is_official(home: Path | str, name: str) -> bool:
    # Pulumi leaves a `.partial` file beside a plugin whose installation it couldn't finish.
    folder = _marker(home, name).parent
    return folder.is_dir() and not is_offline(home, name) and not folder.with_name(f"{folder.name}.partial").exists()


def _marker(home: Path | str, name: str) -> Path:
    return Path(home, "plugins", f"resource-{name}-v{(VERSIONS | CLOUD_VERSIONS | BUILD_VERSIONS)[name]}", _MARKER)


def _same_version_as_sdk(name: str, version: str) -> None:
    try:
        wanted = metadata.version(f"pulumi_{name}")
    except metadata.PackageNotFoundError:
        return  # another interpreter runs the programs; Pulumi itself will ask for what it wants
    if wanted != version:
        raise SystemExit(f"pulumi_{name} {wanted} asks for plugin {wanted}; the offline one stands for {version}")


def _code(name: str) -> dict[str, bytes]:
    files = [*_HERE.joinpath("shared").glob("*.py"), *_HERE.joinpath(name.replace("-", "_")).glob("*.py")]
    return {file.name: file.read_bytes() for file in sorted(files)}


def _digest(code: dict[str, bytes], launcher: str) -> str:
    digest = hashlib.sha256(launcher.encode())
    for name, content in code.items():
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _pack(folder: Path, name: str, code: dict[str, bytes], launcher: str, digest: str) -> None:
    folder.joinpath("code").mkdir()
    for file, content in code.items():
        folder.joinpath("code", file).write_bytes(content)
    program = folder / f"pulumi-resource-{name}"
    program.write_text(launcher)
    program.chmod(0o755)
    text = f"Not the official {name} plugin, but a stand-in from the tests of sc-secure.\n{digest}\n"
    folder.joinpath(_MARKER).write_text(text)


def _install(pulumi: Path | str, home: Path | str, name: str, version: str, folder: str) -> None:
    environment = os.environ | {"PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "1"}
    command = [str(pulumi), "plugin", "install", "resource", name, version, "--file", folder, "--reinstall"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(command)}: {done.stderr or done.stdout}")


def main() -> None:
    """Install from the command line."""
    parser = argparse.ArgumentParser(description="Install the offline Pulumi plugins.")
    parser.add_argument("--pulumi", default=shutil.which("pulumi") or "pulumi", help="the Pulumi CLI")
    parser.add_argument("--home", required=True, type=Path, help="PULUMI_HOME")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with the Pulumi SDK")
    arguments = parser.parse_args()
    install(arguments.pulumi, arguments.home.absolute(), arguments.python)


if __name__ == "__main__":
    main()
