"""Processes that outlive the command which started them: started, recorded, found again, ended.

A record holds the process id and when that process began. The same id with another beginning is somebody else's
process, and is never touched.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools import cache
from devtools.console import capture

_PROC = Path("/proc")
_PORTS = range(20_000, 30_000)
_children: set[int] = set()
"""Ids of the processes that this one started, whose end it has to take."""


@dataclass(frozen=True)
class Process:
    """A process, told apart from a later one with the same id."""

    pid: int
    began: str
    """When it began: the boot and the clock ticks since, or what `ps` says where there's no /proc."""

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """The live process with that id."""
        began = _began(pid)
        return None if began is None else cls(pid, began)

    def alive(self) -> bool:
        """Whether it still runs. A zombie doesn't."""
        return _began(self.pid) == self.began

    def signal(self, number: int) -> None:
        """Sends a signal, if it still runs."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def descendants(self) -> "list[Process]":
        """Its children, and theirs."""
        children: dict[int, list[int]] = {}
        for line in capture(["ps", "-A", "-o", "pid=,ppid="]).stdout.splitlines():
            pid, parent = (int(word) for word in line.split())
            children.setdefault(parent, []).append(pid)
        found: list[Process] = []
        todo = [self.pid]
        while todo:
            for pid in children.get(todo.pop(), []):
                todo.append(pid)
                if child := Process.of(pid):
                    found.append(child)
        return found

    def end(self, patience: float = 20.0) -> bool:
        """Ends it and its descendants: politely first, by force after `patience` seconds. False: it didn't run.

        Descendants are listed before, since orphans of an ended parent can't be found any more.
        """
        if not self.alive():
            return False
        family = [self, *self.descendants()]
        self.signal(signal.SIGTERM)
        if not _wait_for_end([self], patience):
            self.signal(signal.SIGKILL)
        for number, seconds in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
            for member in family:
                member.signal(number)
            _wait_for_end(family, seconds)
        return True


def start(command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> Process:
    """Starts a process in a session of its own, so that Ctrl-C in the terminal doesn't reach it.

    Its output goes to the log, which only its owner can read.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            start_new_session=True,
            cwd="/",
        )
    finally:
        os.close(descriptor)
    # Python would warn that the child still runs when the object goes; that it does is the purpose.
    child.returncode = 0
    _children.add(child.pid)
    return Process.of(child.pid) or Process(child.pid, "ended")


def record(name: str, process: Process, **details: str) -> None:
    """Remembers the process under a name, with what one needs to use it."""
    entry = {"pid": process.pid, "began": process.began, **details}
    cache.write_private(_record(name), json.dumps(entry) + "\n")


def recorded(name: str) -> tuple[Process, dict[str, str]] | None:
    """The process remembered under that name and its details, if it still runs."""
    known = last_recorded(name)
    return known if known and known[0].alive() else None


def last_recorded(name: str) -> tuple[Process, dict[str, str]] | None:
    """The process remembered under that name and its details, though it may have ended."""
    try:
        entry = json.loads(_record(name).read_text())
        return Process(int(entry.pop("pid")), str(entry.pop("began"))), entry
    except (FileNotFoundError, ValueError, KeyError, AttributeError, TypeError):
        return None


def forget(name: str) -> None:
    """Removes the record."""
    _record(name).unlink(missing_ok=True)


def log_of(name: str) -> Path:
    """Where the output of the process of that name goes."""
    return cache.folder("run") / f"{name}.log"


def tail(log: Path, lines: int = 8) -> str:
    """The log's last lines, for an error."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def free_port() -> int:
    """A port that is free on loopback, and below those that the kernel hands out: a port that is kept stays free."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def _record(name: str) -> Path:
    return cache.folder("run") / f"{name}.json"


def _began(pid: int) -> str | None:
    """When the process with that id began; None if there is none, or only its zombie."""
    _reap(pid)
    if (_PROC / "self/stat").exists():
        try:
            # The name is in parentheses and may hold anything; the fields after it are numbers.
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, threads, began = fields[0], int(fields[17]), fields[19]
        # A zombie whose other threads aren't gone yet still holds its files, ports and mounts.
        ended = state == "X" or (state == "Z" and threads <= 1)
        return None if ended else f"{boot} {began}"
    answer = capture(["ps", "-o", "stat=,lstart=", "-p", str(pid)]).stdout
    state, _, began = answer.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def _reap(pid: int) -> None:
    """Takes the end of a child of ours, which would stay a zombie otherwise."""
    if pid in _children and os.waitpid(pid, os.WNOHANG)[0] == pid:
        _children.discard(pid)


def _wait_for_end(family: Sequence[Process], seconds: float) -> bool:
    """Waits until none of them runs."""
    deadline = time.monotonic() + seconds
    while any(member.alive() for member in family):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
