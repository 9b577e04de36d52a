"""The environment variables under which the quickstart's stack is worked with: by `make up`, and by a person.

Used as: eval "$(make env)"
"""

import json
import os
import re
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path

from devtools import cache, tools, venv
from devtools.console import SetupError, run_main

_FILE = "environment.json"
_SECRET = re.compile(r"PASSWORD|PASSPHRASE|SECRET|TOKEN")


def base() -> dict[str, str]:
    """The variables of this process, with tools and virtual environment in front and Pulumi's own set."""
    env = dict(os.environ)
    env = venv.activated(env)
    env["PATH"] = os.pathsep.join([*map(str, tools.tools_path()), env["PATH"]])
    env.setdefault("PULUMI_HOME", str(cache.folder("pulumi")))
    if "PULUMI_BACKEND_URL" not in env:
        env["PULUMI_BACKEND_URL"] = f"file://{cache.folder('state')}"
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & env.keys():
        env["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase())
    env["PULUMI_SKIP_UPDATE_CHECK"] = "1"
    return env


def remember(env: Mapping[str, str], names: set[str]) -> None:
    """Writes down the named variables for `make env`, owner-only, and each secret in a file of its own."""
    folder = cache.folder("secrets")
    plain: dict[str, str] = {}
    files: dict[str, str] = {}
    for name in sorted(names & env.keys()):
        if _SECRET.search(name) and not name.endswith("_FILE"):
            cache.write_private(folder / name, env[name])
            files[name] = str(folder / name)
        else:
            plain[name] = env[name]
    cache.write_private(folder / _FILE, json.dumps({"plain": plain, "files": files}, indent=1))


def exports() -> list[str]:
    """Shell lines that set them. A secret's line reads its file, so that what is printed holds none.

    Raises:
        SetupError: nothing was remembered yet.
    """
    file = cache.folder("secrets") / _FILE
    if not file.exists():
        raise SetupError("There's no environment yet: run `make up` first.")
    known = json.loads(file.read_text())
    folders = [*map(str, tools.tools_path()), str(venv.FOLDER / "bin")]
    lines = [
        f'export PATH={shlex.quote(os.pathsep.join(folders))}:"$PATH"',
        f"export VIRTUAL_ENV={shlex.quote(str(venv.FOLDER))}",
    ]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in known["plain"].items()]
    lines += [f'export {name}="$(cat {shlex.quote(path)})"' for name, path in known["files"].items()]
    return lines


def _passphrase() -> Path:
    """A file with the passphrase of this machine's stacks, generated once."""
    file = cache.folder("secrets") / "pulumi-passphrase"
    if not file.exists():
        cache.write_private(file, secrets.token_urlsafe(32))
    return file


def main() -> None:
    """`make env`."""
    print("\n".join(exports()))


if __name__ == "__main__":
    run_main(main)
