"""Registries that differ in what users' registries differ in: most are real ones, each is started on loopback.

Faked is what no registry here does by itself: that it is slow, that it limits the rate (`tests.faulty_proxy` before a
real one), and the service that gives out its tokens (`tests.registries.token_service`).
"""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from devtools import processes, registry, tools
from tests.faulty_proxy import faulty_proxy
from tests.registries.token_service import DISTRIBUTION_AUTH, token_service

HOST = "127.0.0.1"
_START_SECONDS = 20
_CONFIG = """version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {folder}/blobs}}
  delete: {{enabled: true}}
http: {{addr: {address}}}
{auth}"""


@dataclass(frozen=True)
class Server:
    """A registry that answers."""

    address: str
    """`host:port`."""
    env: dict[str, str] = field(default_factory=dict[str, str])
    """What its users need in their environment."""
    token: Callable[[str], str] | None = None
    """Gives a token for a scope, where it wants one."""
    behind: str = ""
    """The registry itself, where `address` is something before it: an image is pushed there."""


Start = Callable[[Path], AbstractContextManager[Server]]
"""Starts one with its data in this folder."""


@contextmanager
def _running(folder: Path, words: list[str | Path], address: str, ok: tuple[int, ...] = (200,)) -> Iterator[str]:
    log = folder / "registry.log"
    process = processes.start(words, log)
    deadline = time.monotonic() + _START_SECONDS
    try:
        while _status(address) not in ok:
            assert process.alive(), processes.tail(log)
            assert time.monotonic() < deadline, processes.tail(log)
            time.sleep(0.02)
        yield address
    finally:
        process.end(patience=2)


def _status(address: str) -> int:
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


@contextmanager
def crane(folder: Path) -> Iterator[Server]:
    """go-containerregistry's."""
    here = registry.start(folder / "blobs")
    try:
        yield Server(here.address)
    finally:
        here.stop()


def oci(*, referrers: bool = True, immutable: bool = False) -> Start:
    """cuelabs.dev/go/oci/ociregistry's."""

    @contextmanager
    def start(folder: Path) -> Iterator[Server]:
        address = f"{HOST}:{processes.free_port()}"
        program = tools.ensure(["oci-registry"])["oci-registry"]
        flags = [f"-address={address}", f"-referrers={referrers}".lower(), f"-immutable={immutable}".lower()]
        with _running(folder, [program, *flags], address):
            yield Server(address)

    return start


@contextmanager
def distribution(folder: Path) -> Iterator[Server]:
    """The CNCF's, which Docker Hub, Harbor and others are built on."""
    with _distribution(folder) as address:
        yield Server(address)


@contextmanager
def with_tokens(folder: Path) -> Iterator[Server]:
    """The CNCF's, which takes no password itself but a token of another service (Bearer)."""
    with token_service(folder) as service:
        auth = DISTRIBUTION_AUTH.format(realm=service.url, keys=service.keys)
        with _distribution(folder, auth, ok=(401,)) as address:
            yield Server(address, {"DOCKER_CONFIG": str(service.login(address))}, service.token)


@contextmanager
def _distribution(folder: Path, auth: str = "", ok: tuple[int, ...] = (200,)) -> Iterator[str]:
    address = f"{HOST}:{processes.free_port()}"
    config = folder / "distribution.yaml"
    config.write_text(_CONFIG.format(folder=folder, address=address, auth=auth))
    program = tools.ensure(["distribution"])["distribution"]
    with _running(folder, [program, "serve", config], address, ok):
        yield address


@contextmanager
def limited(folder: Path) -> Iterator[Server]:
    """It answers every 25th request with 429, and asks for a second's pause."""
    with crane(folder) as behind, faulty_proxy(f"http://{behind.address}") as proxy:
        proxy.fail_each(25, 429, retry_after=1)
        yield Server(proxy.url.removeprefix("http://"), behind=behind.address)


@contextmanager
def slow(folder: Path) -> Iterator[Server]:
    """It takes a tenth of a second for each answer, of which there are hundreds."""
    with crane(folder) as behind, faulty_proxy(f"http://{behind.address}") as proxy:
        proxy.delay = 0.1
        yield Server(proxy.url.removeprefix("http://"), behind=behind.address)
