"""The repository's `.venv`: made from the lock with hashes, and made anew only when the lock or the project changed.

`python3 -m devtools.venv` makes it, and with `--lock` writes requirements-dev.lock anew.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

from devtools import cache
from devtools.console import SetupError, capture, progress, run_main, say

FOLDER = cache.REPOSITORY / ".venv"
"""The virtual environment."""
LOCK = cache.REPOSITORY / "requirements-dev.lock"
"""Every package at one version, with hashes, for all platforms."""

POLICY_PACK = cache.REPOSITORY / "policy"
"""The policy pack, which runs in an environment of its own."""
POLICY_PACK_LOCK = POLICY_PACK / "requirements.lock"
"""Every package of that environment."""

_PROJECT = cache.REPOSITORY / "pyproject.toml"
_EXTRAS = cache.REPOSITORY / "devtools" / "venv.in"
_STAMP = FOLDER / ".made-from"


def ensure() -> Path:
    """The virtual environment, made if it isn't there or isn't of today's lock; its folder."""
    wanted = _fingerprint()
    if _STAMP.exists() and _STAMP.read_text() == wanted and (FOLDER / "bin" / "python").exists():
        return FOLDER
    with cache.locked("venv"):
        if FOLDER.is_symlink() or (FOLDER.exists() and not (FOLDER / "pyvenv.cfg").exists()):
            raise SetupError(f"{FOLDER} isn't a virtual environment: move it away and try again.")
        shutil.rmtree(FOLDER, ignore_errors=True)
        with progress("making .venv from requirements-dev.lock"):
            _create()
            if not _install_with_uv():
                _run("pip", "install", "--quiet", "--require-hashes", "--no-deps", "--requirement", str(LOCK))
            # The build backend is in the lock, so that nothing is fetched that has no hash.
            _run("pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(cache.REPOSITORY))
        _STAMP.write_text(wanted)
    return FOLDER


def activated(env: dict[str, str]) -> dict[str, str]:
    """The environment with the virtual environment in front, as `activate` does it."""
    env = {**env, "VIRTUAL_ENV": str(FOLDER), "PATH": f"{FOLDER / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"}
    env.pop("PYTHONHOME", None)
    return env


def lock() -> None:
    """Writes the locks anew: newest versions that the bounds allow, and no index named in them."""
    ensure()
    options = ["--universal", "--python-version=3.11", "--generate-hashes", "--upgrade", "--quiet"]
    plain = ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header"]
    everything = [str(_PROJECT), "--group", f"{_PROJECT}:dev", str(_EXTRAS)]
    for path, sources in ((LOCK, everything), (POLICY_PACK_LOCK, [str(POLICY_PACK / "requirements.txt")])):
        with progress(f"resolving {path.name}"):
            command = ["pip", "compile", *sources, *options, *plain, "--output-file", str(path)]
            _run("uv", *command, env=_uv_environment())


def policy_pack() -> Path:
    """The Python of the policy pack's own environment, made in the cache if it isn't there.

    Its own, since the policy SDK wants an older protobuf than the cloud SDKs of the tests.
    """
    key = hashlib.sha256((sys.version + POLICY_PACK_LOCK.read_text()).encode()).hexdigest()[:12]
    folder = cache.folder("policy-pack") / key
    python, stamp = folder / "bin" / "python", folder / ".made"
    with cache.locked("policy-pack"):
        if not stamp.exists():
            ensure()
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=False)
            options = ["--quiet", "--python", str(python), "--require-hashes", "--no-deps"]
            _run("uv", "pip", "install", *options, "--requirement", str(POLICY_PACK_LOCK), env=_uv_environment())
            stamp.touch()
    return python


def _fingerprint() -> str:
    """What the environment is made of: the lock, what the editable install reads, and where it is."""
    project = tomllib.loads(_PROJECT.read_text())
    # Not the linters' settings, which are in the same file and change nothing here.
    installed = [project.get(key) for key in ("build-system", "project")] + [project.get("tool", {}).get("hatch")]
    parts = (str(FOLDER), sys.version, json.dumps(installed), LOCK.read_text())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _create() -> None:
    try:
        venv.create(FOLDER, with_pip=True)
    except (subprocess.CalledProcessError, ImportError):
        shutil.rmtree(FOLDER, ignore_errors=True)
        raise SetupError(
            "Python's venv module can't install pip here. On Debian and Ubuntu: apt-get install python3-venv"
        ) from None


def _install_with_uv() -> bool:
    """Installs the lock with uv, itself installed from the lock: several times faster than pip on the cloud SDKs."""
    lines = LOCK.read_text().splitlines()
    first = next((number for number, line in enumerate(lines) if line.startswith("uv==")), None)
    if first is None:
        return False
    last = next((n for n in range(first, len(lines)) if not lines[n].endswith("\\")), first)
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text("\n".join(lines[first : last + 1]) + "\n")
        try:
            _run("pip", "install", "--quiet", "--require-hashes", "--no-deps", "--requirement", str(only_uv))
            options = ["--quiet", "--python", str(FOLDER / "bin" / "python"), "--require-hashes", "--no-deps"]
            _run("uv", "pip", "install", *options, "--requirement", str(LOCK), env=_uv_environment())
        except SetupError as error:
            say(f"uv can't install the lock here, so pip does it, which takes longer: {error}")
            return False
    return True


def _uv_environment() -> dict[str, str]:
    """What pip is told about indexes and certificates, in uv's words: uv doesn't read pip's configuration."""
    env = dict(os.environ)
    for theirs, ours in (("index-url", "UV_DEFAULT_INDEX"), ("extra-index-url", "UV_INDEX"), ("cert", "SSL_CERT_FILE")):
        value = _pip_setting(theirs)
        if value and ours not in env and not (ours == "UV_DEFAULT_INDEX" and "UV_INDEX_URL" in env):
            env[ours] = value
    return env


def _pip_setting(name: str) -> str:
    """One of pip's settings, from its environment variable or its files."""
    if value := os.environ.get(f"PIP_{name.upper().replace('-', '_')}"):
        return value
    answer = capture([FOLDER / "bin" / "pip", "config", "get", f"global.{name}"])
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _run(program: str, *arguments: str, env: dict[str, str] | None = None) -> None:
    answer = capture([FOLDER / "bin" / program, *arguments], env=env, cwd=cache.REPOSITORY)
    if answer.returncode:
        said = "\n".join((answer.stderr or answer.stdout).strip().splitlines()[-12:])
        raise SetupError(f"`{program} {arguments[0]} {arguments[1]}` failed (exit code {answer.returncode}):\n{said}")


def main() -> None:
    """`make venv` and `make lock`."""
    if "--lock" in sys.argv[1:]:
        lock()
    else:
        ensure()


if __name__ == "__main__":
    run_main(main)
