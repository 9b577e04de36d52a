"""A local image registry: `crane registry serve` on a free loopback port.

Each caller may `start` one of its own; `ensure` gives the one of `make up`, which keeps its port, since the port is
part of every image's name, and its content, since a signature that is gone is a difference.
"""

import http.client
import time
from dataclasses import dataclass
from pathlib import Path

from devtools import cache, manifests, processes, tools
from devtools.console import SetupError, run_main

_NAME = "registry"
_HOST = "127.0.0.1"
_START_SECONDS = 10


@dataclass(frozen=True)
class Registry:
    """A registry that answers."""

    address: str
    """`host:port`, the first part of an image's name."""
    pid: int
    process: processes.Process

    def stop(self) -> bool:
        """Ends it. False: it didn't run any more."""
        return self.process.end(patience=5.0)


def start(disk: Path, port: int = 0, *, crane: Path | None = None, log: Path | None = None) -> Registry:
    """Starts a registry over the blobs in `disk`; `port` 0 takes a free one. The caller ends it.

    Manifests are in its memory alone: see `devtools.manifests`.

    Raises:
        SetupError: the port is taken, or it didn't start.
    """
    disk.mkdir(parents=True, exist_ok=True)
    log = log or disk / "registry.log"
    crane = crane or tools.ensure(["crane"])["crane"]
    # A port that is free now may be taken a moment later: with a port of our choice, that's worth another try.
    address = ""
    for _ in range(1 if port else 5):
        address = f"{_HOST}:{port or processes.free_port()}"
        process = processes.start([crane, "registry", "serve", "--disk", disk, "--address", address], log)
        deadline = time.monotonic() + _START_SECONDS
        # One that ended while something answers on its port found the port taken.
        while process.alive() and time.monotonic() < deadline:
            if answers(address) and process.alive():
                return Registry(address, process.pid, process)
            time.sleep(0.02)
        process.end()
    raise SetupError(f"the registry didn't start on {address}:\n{processes.tail(log)}")


def answers(address: str) -> bool:
    """Whether a registry answers there."""
    host, _, port = address.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=2)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def ensure() -> Registry:
    """The registry of `make up`: the one that runs, else started again on the port it had before."""
    with cache.locked(_NAME):
        known = processes.recorded(_NAME)
        if known and answers(known[1]["address"]):
            return Registry(known[1]["address"], known[0].pid, known[0])
        folder = cache.folder(_NAME)
        registry = _start_where_it_was(folder)
        processes.record(_NAME, registry.process, address=registry.address)
        cache.write_private(folder / "port", registry.address.rpartition(":")[2])
        manifests.restore(registry.address, folder / "manifests.json")
        return registry


def remember() -> None:
    """Writes down the manifests of `make up`'s registry, which has only their blobs on disk."""
    known = processes.recorded(_NAME)
    if known:
        manifests.save(known[1]["address"], cache.folder(_NAME) / "manifests.json")


def stop() -> bool:
    """Ends the registry of `make up`, without a word. False: it didn't run."""
    known = processes.recorded(_NAME)
    if known:
        remember()
        known[0].end(patience=5.0)
    processes.forget(_NAME)
    return known is not None


def _start_where_it_was(folder: Path) -> Registry:
    blobs, log = folder / "blobs", processes.log_of(_NAME)
    port = folder / "port"
    if not port.exists():
        return start(blobs, log=log)
    number = int(port.read_text())
    try:
        return start(blobs, number, log=log)
    except SetupError as error:
        raise SetupError(
            f"{error}\nThe images that are deployed have port {number} in their names. End what uses it and try again, "
            f"or remove {port}: the next `make up` then takes another port, and builds and secures the image anew."
        ) from None


def main() -> None:
    """Prints the address of `make up`'s registry, starting it if needed."""
    print(ensure().address)


if __name__ == "__main__":
    run_main(main)
