"""A docker engine: the one that answers, or a private one for those who have none.

The private engine has its own socket, data and process id, knows nothing of a system-wide one, and makes no network
rules: image builds and pushes need none.
"""

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from devtools import cache, debian, processes
from devtools.console import SetupError, capture, progress, run_main, say

_NAME = "engine"
_PREFIX = "sc-secure-engine-"
_START_SECONDS = 60
_UNMOUNT_SECONDS = 10
# A unix socket's path has at most 107 bytes, and the engine puts longer ones below its own folder.
_LONGEST_FOLDER = 50
_POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Engine:
    """A docker engine that answers."""

    host: str
    """What DOCKER_HOST has to be."""
    started: bool
    """Whether this project started it, so that `stop` ends it."""
    version: str
    """The engine's own version."""


def ensure() -> Engine:
    """The engine of DOCKER_HOST or the docker context, else the one started earlier, else a new private one.

    Raises:
        SetupError: none answers and none can be started here.
    """
    with cache.locked(_NAME):
        return _ambient() or _started() or _start()


def stop() -> bool:
    """Ends the private engine and what belongs to it, without a word. False: none was running."""
    known = processes.last_recorded(_NAME)
    if known is None:
        return False
    process, details = known
    ran = process.end(patience=30.0)
    run = Path(details["folder"])
    _unmount(run, cache.folder(_NAME))
    if not cache.mounts_below(run) and run.name.startswith((_NAME, _PREFIX)):
        shutil.rmtree(run, ignore_errors=True)
    processes.forget(_NAME)
    return ran


def _unmount(*folders: Path) -> None:
    """Unmounts what an engine that was killed had mounted: nothing could be removed otherwise.

    What it started, and nobody knows any more, may hold its files for a moment longer.
    """
    deadline = time.monotonic() + _UNMOUNT_SECONDS
    while points := [point for folder in folders for point in cache.mounts_below(folder)]:
        for point in points:
            capture(["umount", point])
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def _ambient() -> Engine | None:
    """The engine that the docker client talks to by itself."""
    version = _ask()
    if version is None:
        return None
    host = os.environ.get("DOCKER_HOST") or _docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    return Engine(host or "unix:///var/run/docker.sock", started=False, version=version)


def _started() -> Engine | None:
    """The private engine, if it runs."""
    known = processes.recorded(_NAME)
    if known is None:
        return None
    host = known[1]["host"]
    version = _ask(host)
    return Engine(host, started=True, version=version) if version else None


def _start() -> Engine:
    """Starts a private engine, installing it first where needed."""
    if os.geteuid() != 0 or not Path("/proc/self").exists():
        raise SetupError(
            "No docker engine answers, and only root can start one on Linux.\n"
            "Start Docker (`sudo systemctl start docker`, or Docker Desktop), make sure that `docker version` shows a "
            "server, or set DOCKER_HOST to one that answers."
        )
    if not _dockerd():
        _install()
    stop()
    log = processes.log_of(_NAME)
    failure = ""
    # By itself the engine takes the best storage that works; where even trying ends it (an overlay on an overlay),
    # plain copies always work.
    for storage in ((), ("--storage-driver=vfs",)):
        log.unlink(missing_ok=True)
        engine = _launch(storage, log)
        if engine:
            return engine
        failure = processes.tail(log)
        if "driver" not in failure and "overlay" not in failure:
            break
    raise SetupError(
        f"The docker engine didn't start; the end of {log}:\n{failure}\n"
        "Start one by other means and set DOCKER_HOST, or run where a container may start one (privileged)."
    )


def _launch(storage: tuple[str, ...], log: Path) -> Engine | None:
    """Starts the engine and waits until it answers; None if it ended."""
    dockerd = _dockerd()
    if dockerd is None:
        raise SetupError("docker.io is installed and yet there's no `dockerd` on PATH: install Docker by other means.")
    run = cache.folder("run") / _NAME
    if len(str(run)) > _LONGEST_FOLDER:
        run = Path(tempfile.mkdtemp(prefix=_PREFIX))
    run.mkdir(exist_ok=True, mode=0o700)
    host = f"unix://{run}/docker.sock"
    command = [
        dockerd,
        "--iptables=false",
        "--bridge=none",
        f"--host={host}",
        f"--data-root={cache.folder('engine') / 'data'}",
        f"--exec-root={run}/exec",
        f"--pidfile={run}/docker.pid",
        # The machine's own configuration may name hosts, which the flags above would contradict.
        f"--config-file={run}/none.json",
        *storage,
    ]
    (run / "none.json").write_text("{}\n")
    with progress("starting a private docker engine"):
        process = processes.start(command, log)
        processes.record(_NAME, process, host=host, folder=str(run))
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.alive():
            if version := _ask(host):
                return Engine(host, started=True, version=version)
            time.sleep(0.2)
        process.end()
    processes.forget(_NAME)
    return None


def _install() -> None:
    """Installs Debian's or Ubuntu's engine, without starting it as a system service."""
    say("no docker engine here: installing the package docker.io (and no service is started)")
    made = _forbid_service_starts()
    try:
        debian.install("docker.io", otherwise="Install and start Docker by other means.")
    finally:
        if made:
            _POLICY.unlink(missing_ok=True)


def _forbid_service_starts() -> bool:
    """Tells the package's scripts to start nothing, the way Debian provides for; True if that file has to go again."""
    try:
        with _POLICY.open("x") as file:
            file.write("#!/bin/sh\nexit 101\n")
    except OSError:
        return False
    _POLICY.chmod(0o755)
    return True


def _dockerd() -> str | None:
    # Root's PATH has no sbin folders in some containers and after some `su`.
    return shutil.which("dockerd", path=os.pathsep.join([*os.get_exec_path(), "/usr/sbin", "/sbin", "/usr/local/sbin"]))


def _ask(host: str | None = None) -> str | None:
    """The engine's version, if it answers."""
    return _docker("version", "--format", "{{.Server.Version}}", host=host)


def _docker(*arguments: str, host: str | None = None) -> str | None:
    """What the docker client prints; None if it fails, or there's none."""
    docker = shutil.which("docker")
    if not docker:
        return None
    env = {**os.environ, "DOCKER_HOST": host} if host else None
    try:
        answer = capture([docker, *arguments], env=env, timeout=20)
    except subprocess.TimeoutExpired:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def main() -> None:
    """Prints the engine's DOCKER_HOST, starting one if needed."""
    engine = ensure()
    say(f"docker engine {engine.version}, {'started by this project' if engine.started else 'found'}")
    print(engine.host)


if __name__ == "__main__":
    run_main(main)
