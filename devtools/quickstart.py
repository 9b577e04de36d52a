"""What `make up` prepares before it deploys the quickstart: packages, base image, vulnerability database, signing key.

Everything is kept: a second run finds it and changes nothing.
"""

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path

from devtools import base_image, sample_database
from devtools.cache import REPOSITORY, write_private
from devtools.console import SetupError, progress, say

QUICKSTART = REPOSITORY / "examples/quickstart"

_DATABASE_URL = "https://grype.anchore.io/databases/v6/latest.json"
_STAMP = ".made-from"
_WHEEL_TIME = 315_532_800
"""1980-01-01, the oldest time a wheel can hold. Unpacked files get it, so that the image's layer is always the same."""


def prepare(env: dict[str, str], registry: str, cache: Path) -> dict[str, str]:
    """Prepares the quickstart.

    Args:
        env: the environment to run programs in: PATH with the tools, DOCKER_HOST.
        registry: the registry's address, as it is written before an image's name.
        cache: the folder for what is kept outside of the repository.

    Returns:
        Environment variables for the deployment; those whose name starts with `config:` are Pulumi configuration.

    Raises:
        SetupError: something is missing; the text says what to do.
    """
    cache.mkdir(parents=True, exist_ok=True)
    unpack_packages(QUICKSTART / "app", env)
    base = base_image.ensure(env, cache)
    return {
        "GRYPE_CHECK_FOR_APP_UPDATE": "false",
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
        **vulnerability_database(env, cache),
        "COSIGN_PASSWORD": signing_key(QUICKSTART, env, cache),
        "config:imageName": f"{registry}/quickstart:dev",
        "config:base": base,
    }


def unpack_packages(app: Path, env: Mapping[str, str]) -> None:
    """Unpacks the wheels that `requirements.txt` names into `site-packages/`, if that isn't done.

    Unpacked and not installed: the files are then the same on every machine, and no script holds this machine's paths.
    """
    requirements = app / "requirements.txt"
    target = app / "site-packages"
    made_from = hashlib.sha256(requirements.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    stamp = target / _STAMP
    if stamp.is_file() and stamp.read_text().strip() == made_from:
        say("packages: unpacked already")
        return
    with progress("packages: downloading and unpacking them"), tempfile.TemporaryDirectory(dir=app) as scratch:
        wheels, tree = Path(scratch, "wheels"), Path(scratch, "tree")
        pip = _pip(env, Path(scratch))
        download = ["download", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        download += ["--only-binary=:all:", "--dest", str(wheels), "--requirement", str(requirements)]
        done = _run([*pip, *download], env, timeout=300)
        if done.returncode != 0:
            raise SetupError(f"pip couldn't download the quickstart's packages:\n{done.stderr.strip()[-1500:]}")
        for wheel in sorted(wheels.iterdir()):
            _unpack(wheel, tree)
        (tree / _STAMP).write_text(f"{made_from}\n")
        os.utime(tree, (_WHEEL_TIME, _WHEEL_TIME))
        if target.exists():
            shutil.rmtree(target)
        tree.replace(target)


def vulnerability_database(env: Mapping[str, str], cache: Path) -> dict[str, str]:
    """Grype's real database where it can be reached, else the sample; says which. Returns grype's settings for it."""
    if _reachable(env.get("GRYPE_DB_UPDATE_URL") or _DATABASE_URL):
        with progress("vulnerability database: updating the real one"):
            done = _run(["grype", "db", "update"], env, timeout=900)
        if done.returncode == 0:
            return {}
        say(f"vulnerability database: the update failed: {done.stderr.strip()[-300:]}")
    folder = cache / "grype-sample"
    settings = {"GRYPE_DB_CACHE_DIR": str(folder), "GRYPE_DB_AUTO_UPDATE": "false"}
    if not sample_database.fresh(folder):
        sample_database.import_into(shutil.which("grype", path=env.get("PATH")) or "grype", folder, env)
    say(
        f"vulnerability database: the real one can't be reached, so scans here use {sample_database.PROVIDER}, "
        f"a SAMPLE of {len(sample_database.advisories())} real advisories"
    )
    return settings


def signing_key(folder: Path, env: Mapping[str, str], cache: Path) -> str:
    """The password of the key pair `cosign.key` and `cosign.pub` in that folder, which is made if it isn't there."""
    key, public = folder / "cosign.key", folder / "cosign.pub"
    if key.exists() and public.exists():
        kept = password_file(public, cache)
        if "COSIGN_PASSWORD" in env:
            say("signing key: cosign.key, with the password in COSIGN_PASSWORD")
            return env["COSIGN_PASSWORD"]
        if kept.exists():
            say("signing key: cosign.key, made before")
            return kept.read_text().strip()
        # Its password went with the cache. It may still be somebody's, so it is put aside and not removed.
        aside = secrets.token_hex(4)
        key.rename(folder / f"old-{aside}.key")
        public.rename(folder / f"old-{aside}.pub")
        say(f"signing key: the password of cosign.key isn't in {cache}, so it is now old-{aside}.key")
    elif key.exists() or public.exists():
        raise SetupError(f"{folder} has only one of cosign.key and cosign.pub: remove it, and a new pair is made.")
    password = secrets.token_urlsafe(32)
    # The password goes by the environment: a command line can be read by every user of the machine.
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        prefix = Path(scratch) / "cosign"
        command = ["cosign", "generate-key-pair", "--output-key-prefix", str(prefix)]
        done = _run(command, {**env, "COSIGN_PASSWORD": password}, timeout=60)
        if done.returncode != 0:
            raise SetupError(f"cosign couldn't make a key pair:\n{done.stderr.strip()[-500:]}")
        made = prefix.with_suffix(".key")
        made.chmod(0o600)
        write_private(password_file(prefix.with_suffix(".pub"), cache), f"{password}\n")
        prefix.with_suffix(".pub").replace(public)
        made.replace(key)
    say("signing key: a new pair, cosign.key and cosign.pub")
    return password


def password_file(public: Path, cache: Path) -> Path:
    """Where the password of a key pair that was made here is kept: by the pair, since checkouts share the cache."""
    return cache / f"cosign-{hashlib.sha256(public.read_bytes()).hexdigest()[:16]}.password"


def _unpack(wheel: Path, tree: Path) -> None:
    """Unpacks a wheel's importable part, with one time and one mode for all files."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            # NAME.data holds scripts and headers, which an installer would put elsewhere; the application needs none.
            if not entry.is_dir() and not entry.filename.partition("/")[0].endswith(".data"):
                archive.extract(entry, tree)
    for folder, _, names in os.walk(tree, topdown=False):
        for path in (*(Path(folder, name) for name in names), Path(folder)):
            path.chmod(0o755 if path.is_dir() else 0o644)
            os.utime(path, (_WHEEL_TIME, _WHEEL_TIME))


def _pip(env: Mapping[str, str], scratch: Path) -> list[str]:
    """A command that is pip: one that is there, or one in a throw-away environment."""
    candidates = (
        REPOSITORY / ".venv/bin/python",
        Path(sys.executable),
        Path(shutil.which("python3") or sys.executable),
    )
    for python in dict.fromkeys(python for python in candidates if python.exists()):
        command = [str(python), "-m", "pip"]
        if _run([*command, "--version"], env, timeout=60).returncode == 0:
            return command
    made = scratch / "venv"
    done = _run([sys.executable, "-m", "venv", str(made)], env, timeout=120)
    if done.returncode != 0:
        raise SetupError("This Python has neither pip nor venv; on Debian or Ubuntu: apt-get install python3-venv")
    return [str(made / "bin/python"), "-m", "pip"]


def _reachable(url: str) -> bool:
    """Whether that address answers within five seconds."""
    if not url.startswith("https://"):
        return False
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (https, checked above)
            return answer.status == 200  # noqa: PLR2004
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _run(command: list[str], env: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    """Runs a tool; one that is missing or hangs becomes a clear error."""
    try:
        return subprocess.run(command, env=dict(env), check=False, capture_output=True, text=True, timeout=timeout)
    except FileNotFoundError as error:
        raise SetupError(f"{command[0]} isn't on PATH: run `make tools` first.") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"`{' '.join(command[:3])}` took over {timeout:.0f} s; try again.") from error
