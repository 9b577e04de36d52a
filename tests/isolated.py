"""Runs a command where there is no network but a few ports of this machine: a network namespace, as root.

Run as `unshare --net python -m tests.isolated FOLDER COMMAND…`: inside, each socket `FOLDER/PORT` is that port of
127.0.0.1. Outside, `ports` serves these sockets, each with the port of the same number there.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
Address = tuple[str, int] | str
"""Of TCP, or a unix socket's path."""


@contextmanager
def ports(*numbers: int) -> Iterator[Path]:
    """A folder with a socket for each of these ports of 127.0.0.1, which leads to it."""
    with tempfile.TemporaryDirectory(prefix="ports-") as name:
        servers = [_serve(str(Path(name) / str(number)), (HOST, number)) for number in numbers]
        try:
            yield Path(name)
        finally:
            for server in servers:
                server.close()


def command(folder: Path, words: Sequence[str]) -> list[str]:
    """The words that run a command there."""
    return ["unshare", "--net", sys.executable, "-P", str(Path(__file__)), str(folder), *words]


def run(folder: Path, words: Sequence[str], where: Path, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Runs a command there, in that working directory, and takes what it prints."""
    return subprocess.run(
        command(folder, words), cwd=where, env=dict(env), capture_output=True, text=True, timeout=120, check=False
    )


def _serve(here: Address, there: Address) -> socket.socket:
    """Accepts connections here, and passes each on."""
    server = socket.socket(socket.AF_UNIX if isinstance(here, str) else socket.AF_INET)
    server.bind(here)
    server.listen(64)

    def accept() -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                client, _ = server.accept()
                threading.Thread(target=_pass_on, args=(client, there), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return server


def _pass_on(client: socket.socket, there: Address) -> None:
    service = socket.socket(socket.AF_UNIX if isinstance(there, str) else socket.AF_INET)
    with client, service, contextlib.suppress(OSError):
        service.connect(there)
        back = threading.Thread(target=_copy, args=(service, client), daemon=True)
        back.start()
        _copy(client, service)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _main(folder: Path, words: list[str]) -> int:
    names = [name for _, name in socket.if_nameindex()]
    assert names == ["lo"], f"not in a network of its own: {names}"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for path in folder.iterdir():
        _serve((HOST, int(path.name)), str(path))
    return subprocess.run(words, env=os.environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), sys.argv[2:]))
