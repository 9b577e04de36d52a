"""The quickstart's base image: a real Debian with Python, from a public registry or from Debian's packages.

Where the docker engine reaches a public registry, that one's image is used. Elsewhere `debootstrap` makes one through
the package mirror that this machine's apt uses. The mirror is read when needed, and neither it nor anything else of
this machine stays in the image.
"""

import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from devtools.console import SetupError, progress, say

SUITE = "trixie"
"""Debian 13, the stable release. Debian 12 would do, but its zlib has a critical advisory that won't be fixed there
(CVE-2023-45853): with the real vulnerability database the default gate would never open."""

PUBLIC = f"python:3.13-slim-{SUITE}"
"""The image of the public registry: the same Debian, and Python."""

OWN = f"sc-secure-base:{SUITE}"
"""The name of the one made here, in the docker engine only."""

_DEFAULT_MIRROR = "http://ftp.debian.org/debian"
_QUICK = 10.0
_EPOCH = "1970-01-01T00:00:00Z"
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

_EMPTIED = (
    # Downloads and lists of packages, and where they came from
    "var/cache/apt",
    "var/lib/apt/lists",
    "etc/apt/sources.list.d",
    # Logs: they hold the mirror, times and the host's name
    "var/log",
    # Made anew by each machine, or different each time
    "dev",
    "proc",
    "sys",
    "run",
    "tmp",
    "var/cache/ldconfig",
    # Not read in a container; copyright files, which licences ask for, stay
    "usr/share/man",
    "usr/share/locale",
)
_REMOVED = (
    "etc/apt/sources.list",
    "etc/apt/apt.conf",
    "etc/resolv.conf",
    "etc/hostname",
    "etc/hosts",
    "etc/machine-id",
    "var/cache/debconf/config.dat-old",
    "var/cache/debconf/templates.dat-old",
    "debootstrap",
)


def ensure(env: Mapping[str, str], cache: Path) -> str:
    """The base image's name for the Dockerfile's BASE; makes or pulls the image if the engine doesn't have it.

    Args:
        env: the environment to run docker in (PATH, DOCKER_HOST).
        cache: a folder to keep the made image in.

    Raises:
        SetupError: there is no registry in reach, and none can be made here.
    """
    for name in (PUBLIC, OWN):
        if _docker(env, "image", "inspect", name) is not None:
            say(f"base image: {name}, which the engine has")
            return name
    if _docker(env, "manifest", "inspect", PUBLIC, timeout=_QUICK) is not None:
        with progress(f"base image: pulling {PUBLIC}"):
            if _docker(env, "pull", "--quiet", PUBLIC, timeout=900) is not None:
                return PUBLIC
    archive = cache / f"base-{SUITE}-{_architecture()}.tar"
    if not archive.exists():
        say(f"base image: no public registry in reach, so {OWN} is made from Debian's packages")
        make(archive, cache)
    with progress(f"base image: loading {OWN} into the engine"):
        if _docker(env, "load", "--quiet", "--input", str(archive), timeout=300) is None:
            raise SetupError(f"`docker load` refused {archive}: remove that file and try again.")
    return OWN


def mirror(apt: Path = Path("/etc/apt")) -> str:
    """The Debian mirror that this machine's apt uses, or Debian's own."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]
    files += sorted((apt / "sources.list.d").glob("*.sources"))
    for file in files:
        text = file.read_text(errors="replace") if file.is_file() else ""
        for line in text.splitlines():
            words = line.split()
            if words and (words[0] == "deb" or words[0].lower() == "uris:"):
                for word in (word.rstrip("/") for word in words[1:]):
                    # One with a password in it must not get on a command line.
                    if word.startswith(("http://", "https://")) and word.endswith("/debian") and "@" not in word:
                        return word
    return _DEFAULT_MIRROR


def _docker(env: Mapping[str, str], *arguments: str, timeout: float = 60) -> str | None:
    """What docker printed, or None if it failed or took too long."""
    try:
        done = subprocess.run(
            ["docker", *arguments], env=dict(env), check=False, capture_output=True, text=True, timeout=timeout
        )
    except FileNotFoundError as error:
        raise SetupError("docker isn't on PATH: install it; as root on Debian or Ubuntu, `make up` does.") from error
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def make(archive: Path, cache: Path, packages: Sequence[str] = ("python3",)) -> None:
    """Makes an image as a file for `docker load`: Debian's smallest set, and these packages.

    Raises:
        SetupError: it can't be made here.
    """
    program = _debootstrap()
    with _root_folder(cache) as scratch:
        root = scratch / "root"
        log = cache / f"base-{SUITE}.log"
        options = ["--variant=minbase", f"--include={','.join(packages)}", f"--arch={_architecture()}"]
        command = [program, *options, SUITE, str(root), mirror()]
        with progress("base image: debootstrap, about two minutes"), log.open("w") as output:
            try:
                done = subprocess.run(command, check=False, stdout=output, stderr=subprocess.STDOUT, timeout=1800)
            except subprocess.TimeoutExpired as error:
                raise SetupError(f"debootstrap took over 30 minutes; its output is in {log}. Try again.") from error
        if done.returncode != 0:
            last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            raise SetupError(f"debootstrap failed ({log}):\n{last}\nCheck that apt's mirror answers: apt-get update")
        _clean(root)
        with progress("base image: packing it"):
            unfinished = scratch / "image.tar"
            _pack(root, unfinished, scratch, packages)
            unfinished.replace(archive)
        # It names the mirror, and is of use only after a failure.
        log.unlink()


def _debootstrap() -> str:
    """The program, installed if this machine lets us."""
    folders = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    found = shutil.which("debootstrap", path=folders)
    as_root = os.geteuid() == 0
    if found is None and as_root and shutil.which("apt-get"):
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600"]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        with progress("base image: installing debootstrap"):
            for command in (["apt-get", "update"], [*install, "debootstrap", "debian-archive-keyring"]):
                done = subprocess.run(command, env=quiet, check=False, capture_output=True, text=True)
        found = shutil.which("debootstrap", path=folders)
        if found is None:
            raise SetupError(f"debootstrap couldn't be installed:\n{done.stderr.strip()[-500:]}")
    if found is None or not as_root:
        raise SetupError(
            f"The docker engine can't pull {PUBLIC}, and making a base image takes root on Debian or Ubuntu.\n"
            f"Either let the engine reach a public registry, or load that image into it:\n"
            f"  docker load --input IMAGE.tar && docker tag IMAGE {OWN}"
        )
    return found


@contextmanager
def _root_folder(cache: Path) -> Iterator[Path]:
    """A folder for the root file system, removed at the end, and before that what a failed debootstrap left mounted."""
    cache.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="base-", dir=cache))
    # debootstrap's root has to be readable by the users inside of it.
    scratch.chmod(0o755)
    try:
        yield scratch
    finally:
        prefix = f"{scratch.resolve()}/"
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            point = line.split()[1]
            if point.startswith(prefix):
                subprocess.run(["umount", point], check=True)
        shutil.rmtree(scratch)


def _clean(root: Path) -> None:
    """Takes out what is of this machine or of the installation, and what a container doesn't need."""
    for name in _EMPTIED:
        folder = root / name
        if not folder.is_dir() or folder.is_symlink():
            continue
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    for name in _REMOVED:
        path = root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    # apt wants the folder of partial downloads, should somebody install something in a child image.
    (root / "var/cache/apt/archives/partial").mkdir(parents=True)
    (root / "var/lib/apt/lists/partial").mkdir(parents=True)
    # The public place, so that a child image can install packages where the network allows it.
    (root / "etc/apt/sources.list").write_text(f"deb {_DEFAULT_MIRROR} {SUITE} main\n")


def _pack(root: Path, target: Path, scratch: Path, packages: Sequence[str]) -> None:
    """The root file system as a one-layer image in `docker save`'s form.

    Not `docker import`: that one writes the present time into the image, so the same content gets a new id each time.
    """
    layer = scratch / "layer.tar"
    with tarfile.open(layer, "w") as tar:
        tar.add(root, arcname=".", filter=_anonymous)
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    made_by = f"debootstrap --variant=minbase --include={','.join(packages)} {SUITE}"
    config = {
        "architecture": _architecture(),
        "os": "linux",
        "created": _EPOCH,
        "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["bash"]},
        "history": [{"created": _EPOCH, "created_by": made_by}],
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    config_bytes = json.dumps(config, sort_keys=True).encode()
    config_name = f"{hashlib.sha256(config_bytes).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [OWN], "Layers": ["layer.tar"]}]
    with tarfile.open(target, "w") as tar:
        for name, content in ((config_name, config_bytes), ("manifest.json", json.dumps(manifest).encode())):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        tar.add(layer, arcname="layer.tar", filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the names of users, which are this machine's; the numbers are the image's."""
    entry.uname = entry.gname = ""
    return entry


def _architecture() -> str:
    """This machine's, as Debian and docker both call it."""
    machine = platform.machine().lower()
    try:
        return _ARCHITECTURES[machine]
    except KeyError:
        raise SetupError(f"No base image is made for {machine}; name one with the Dockerfile's BASE.") from None
