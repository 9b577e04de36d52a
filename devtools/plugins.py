"""Pulumi's provider plugins: the official ones where they are or can be downloaded, else this project's offline ones.

`SC_SECURE_PLUGINS` set to `official` or `offline` leaves no choice.
"""

import os
import platform
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from devtools import cache, venv
from devtools.console import SetupError, capture, progress, say
from tests.plugins.install import VERSIONS, is_offline

_REACH_SECONDS = 3
_DOWNLOAD_SECONDS = 180


def prepare(home: Path, env: Mapping[str, str]) -> str:
    """Sees to it that PULUMI_HOME holds the plugins, and says in a line which: "official" or "offline".

    Raises:
        SetupError: only the official ones are wanted and they can't be had, or only some of them are there.
    """
    home.mkdir(parents=True, exist_ok=True)
    wanted = env.get("SC_SECURE_PLUGINS", "")
    if wanted not in ("", "official", "offline"):
        raise SetupError(f"SC_SECURE_PLUGINS is `{wanted}`: `official`, `offline` or unset, please.")
    official = [name for name in VERSIONS if _folder(home, name).is_dir() and not is_offline(home, name)]
    if len(official) == len(VERSIONS) and wanted != "offline":
        say(f"plugins: official, found in {home}")
        return "official"
    # Once chosen, the offline ones stay: a network that comes or goes shouldn't change anything between two runs.
    chosen = any(is_offline(home, name) for name in VERSIONS) and wanted != "official"
    if wanted != "offline" and not chosen and _download(home, env):
        say(f"plugins: official, downloaded to {home}")
        return "official"
    if wanted == "official":
        raise SetupError(f"SC_SECURE_PLUGINS=official, but {home} hasn't got {_named()} and they can't be downloaded.")
    if official:
        raise SetupError(
            f"{home} holds the official plugin {official[0]} but not all of {_named()}, which can't be downloaded; an "
            "official plugin isn't overwritten by an offline one. Set PULUMI_HOME to another folder."
        )
    _install_offline(home, env)
    say(f"plugins: offline ones of this repository, in {home} (the official {_named()} can't be downloaded here)")
    return "offline"


def _folder(home: Path, name: str) -> Path:
    return home / "plugins" / f"resource-{name}-v{VERSIONS[name]}"


def _named() -> str:
    return " and ".join(f"{name} {version}" for name, version in VERSIONS.items())


def _download(home: Path, env: Mapping[str, str]) -> bool:
    """Lets Pulumi download them, if a first look says that it can."""
    if not _reachable():
        return False
    for name, version in VERSIONS.items():
        command = [_pulumi(env), "plugin", "install", "resource", name, version, "--reinstall"]
        try:
            with progress(f"downloading Pulumi's plugin {name} {version}"):
                answer = capture(command, env={**env, "PULUMI_HOME": str(home)}, timeout=_DOWNLOAD_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"downloading {name} took over {_DOWNLOAD_SECONDS} s")
            return False
        if answer.returncode:
            say(f"downloading {name} failed: {answer.stderr.strip().splitlines()[-1:]}")
            return False
    return True


def _reachable() -> bool:
    """Whether Pulumi's download site has one of the plugins, asked through the proxies that are set."""
    system = platform.system().lower()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    name, version = next(iter(VERSIONS.items()))
    url = f"https://get.pulumi.com/releases/plugins/pulumi-resource-{name}-v{version}-{system}-{machine}.tar.gz"
    found = threading.Event()

    def look() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_REACH_SECONDS):
                found.set()
        except OSError:
            pass

    # In a thread, since looking up a name has no time limit of its own.
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(_REACH_SECONDS)
    return found.is_set()


def _install_offline(home: Path, env: Mapping[str, str]) -> None:
    """Installs the offline plugins with the interpreter that will run them: the one with the Pulumi SDK."""
    command = [venv.FOLDER / "bin" / "python", "-m", "tests.plugins.install", "--pulumi", _pulumi(env), "--home", home]
    answer = capture(command, env=env, cwd=cache.REPOSITORY)
    if answer.returncode:
        raise SetupError(f"installing the offline plugins failed:\n{(answer.stderr or answer.stdout).strip()}")


def _pulumi(env: Mapping[str, str]) -> str:
    pulumi = shutil.which("pulumi", path=env.get("PATH", os.defpath))
    if not pulumi:
        raise SetupError("there's no pulumi on PATH: run `make tools`.")
    return pulumi
