"""A Rekor of version 1 beside a local Sigstore: the log whose entries have UUIDs, as the public one's do.

It keeps its entries by Trillian, and that in PostgreSQL. Only tests want it; `make sigstore` starts a Rekor 2.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from devtools import cache, debian, processes, tools
from devtools.console import SetupError, capture
from devtools.sigstore import openssl, services
from devtools.sigstore.commands import Command
from devtools.sigstore.issuer import HOST
from devtools.sigstore.services import Sigstore

TRILLIAN = ("trillian_log_server", "trillian_log_signer", "createtree")
TOOLS = ("cosign", "rekor-server", *TRILLIAN)
"""The programs that it needs, besides PostgreSQL."""
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
_USER = "rekor"
# PostgreSQL doesn't run as root. In a user namespace of its own it is somebody else, and its files are still ours.
_NOT_ROOT = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_ENDPOINTS = "getLogInfo,getPublicKey,getLogProof,createLogEntry,getLogEntryByIndex,getLogEntryByUUID,searchLogQuery"
_PORTS = ("rekor", "server", "server_http", "signer", "signer_http")
# What the services of the Sigstore are known by, and its identities: the same for both logs.
_SHARED = ("fulcio.pem", "ct.pub", "tsa.pem", "issuer.key")
# A unix socket's path has at most 107 bytes, and PostgreSQL's is in the folder.
_LONGEST_FOLDER = 85


@dataclass(frozen=True)
class RekorV1(Sigstore):
    """The same Sigstore with another log: its certificate authority, clock and identities are the other's."""

    def stop(self) -> None:
        """Ends the log's own processes; the Sigstore that it is beside goes on."""
        stop(self.parts)

    def entry(self, uuid: str) -> tuple[str, dict[str, object]]:
        """The log's own key for the entry of that UUID, and the entry.

        Raises:
            KeyError: it has none.
        """
        found = _get(self.urls["rekor"], f"/api/v1/log/entries/{urllib.parse.quote(uuid, safe='')}")
        if found is None:
            raise KeyError(uuid)
        ((key, entry),) = json.loads(found).items()
        return key, entry

    def size(self) -> int:
        """How many entries it has."""
        return int(json.loads(_get(self.urls["rekor"], "/api/v1/log") or b"{}")["treeSize"])


def start(folder: Path, beside: Sigstore) -> RekorV1:
    """Starts one; its programs are built, and PostgreSQL installed, if this machine hasn't them. The caller ends it.

    Args:
        folder: where its keys and data go: not there yet, or empty.
        beside: the Sigstore whose other services are used.

    Raises:
        SetupError: a program can't be had, or a service didn't start.
    """
    if len(str(folder)) > _LONGEST_FOLDER:
        raise SetupError(f"{folder} is too long a path for a log's database: at most {_LONGEST_FOLDER} characters.")
    programs = dict(tools.ensure(TOOLS)) | _postgres()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in _SHARED:
        shutil.copy(beside.folder / name, folder / name)
    cache.write_private(folder / "rekor.key", openssl.run("genpkey", *openssl.CURVE))
    openssl.run("pkey", "-in", folder / "rekor.key", "-pubout", "-out", folder / "rekor.pub")
    return services.in_few_tries(lambda: _start(folder, beside, programs), [folder / "data"])


def _start(folder: Path, beside: Sigstore, programs: Mapping[str, Path]) -> RekorV1:
    ports = {name: processes.free_port() for name in _PORTS}
    parts: list[processes.Process] = []
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C"}

    def launch(name: str, command: Command) -> processes.Process:
        parts.append(processes.start(command, folder / f"{name}.log", env))
        return parts[-1]

    try:
        _database(folder, programs, launch("postgres", _database_server(folder, programs)))
        for name, role, more in (
            ("trillian_log_server", "server", ()),
            ("trillian_log_signer", "signer", ("--force_master", "--sequencer_interval=20ms")),
        ):
            part = launch(role, [programs[name], *_trillian(folder, ports[role], ports[f"{role}_http"]), *more])
            url = f"http://{HOST}:{ports[f'{role}_http']}/healthz"
            services.wait_for(part, name, url, folder / f"{role}.log")
        tree = _tree(programs["createtree"], ports["server"])
        urls = {**beside.urls, "rekor": f"http://{HOST}:{ports['rekor']}"}
        part = launch("rekor", _rekor(folder, programs["rekor-server"], ports, tree))
        services.wait_for(part, "Rekor 1", f"{urls['rekor']}/api/v1/log", folder / "rekor.log")
        services.trust(folder, programs["cosign"], urls, log_version=1)
    except BaseException:
        stop(parts)
        raise
    record = {"urls": urls, "parts": [asdict(part) for part in parts]}
    cache.write_private(folder / services.RECORD, json.dumps(record))
    return RekorV1(folder, urls, parts)


def stop(parts: list[processes.Process]) -> None:
    """Ends these processes, the database last. What it holds is nobody's any more."""
    database, *others = parts or [None]
    for part in reversed(others):
        # The signer would take ten seconds to end.
        part.end(patience=0.5)
    if database:
        database.signal(signal.SIGINT)  # at once, where SIGTERM waits for its clients
        database.end(patience=5.0)


def _postgres() -> dict[str, Path]:
    """PostgreSQL's programs, of PATH or of Debian's package, which is installed if need be.

    Raises:
        SetupError: there is none, and it can't be installed.
    """
    names = ("initdb", "postgres", "psql")
    for attempt in (1, 2):
        for folder in _candidates():
            if all(os.access(folder / name, os.X_OK) for name in names):
                return {name: folder / name for name in names}
        if attempt == 1:
            debian.install("postgresql", otherwise="Install PostgreSQL by other means.")
    raise SetupError(f"There's no PostgreSQL ({', '.join(names)}) on PATH or in {DEBIAN_POSTGRES}.")


def _candidates() -> Iterator[Path]:
    """Folders that may hold them, the newest version first: Debian puts them where PATH doesn't look."""

    def version(folder: Path) -> float:
        with contextlib.suppress(ValueError):
            return float(folder.name)
        return 0

    for found in sorted(DEBIAN_POSTGRES.glob("*"), key=version, reverse=True):
        yield found / "bin"
    yield from (Path(folder) for folder in os.get_exec_path() if folder)


def _as_somebody() -> tuple[str, ...]:
    return _NOT_ROOT if os.geteuid() == 0 else ()


def _database_server(folder: Path, programs: Mapping[str, Path]) -> Command:
    """Makes an empty database cluster. It listens on a socket in the folder alone, which only its owner can enter."""
    data = folder / "data"
    options = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    _run([*_as_somebody(), programs["initdb"], "-D", data, "-U", _USER, *options])
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": folder,
        # Nothing here has to outlive the machine.
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "16MB",
    }
    flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [*_as_somebody(), programs["postgres"], "-D", data, *flags]


def _database(folder: Path, programs: Mapping[str, Path], server: processes.Process) -> None:
    """Waits for the database, and makes Trillian's tables in it."""
    schema = programs["trillian_log_server"].parent / "storage.sql"
    if not schema.exists():
        raise SetupError(f"There's no {schema}: take {schema.parent} from PATH, so that Trillian is built.")
    ask: Command = [programs["psql"], "-h", folder, "-U", _USER, "-v", "ON_ERROR_STOP=1", "-q"]
    services.wait_until(
        server,
        "database",
        folder / "postgres.log",
        lambda: capture([str(word) for word in (*ask, "-d", "postgres", "-c", "select 1")]).returncode == 0,
    )
    _run([*ask, "-d", "postgres", "-c", "create database trillian"])
    _run([*ask, "-d", "trillian", "-f", schema])


def _trillian(folder: Path, port: int, http_port: int) -> list[str]:
    database = urllib.parse.urlencode({"host": folder, "user": _USER})
    return [
        "--storage_system=postgresql",
        f"--postgresql_uri=postgresql:///trillian?{database}",
        "--quota_system=noop",
        f"--rpc_endpoint={HOST}:{port}",
        f"--http_endpoint={HOST}:{http_port}",
        "--logtostderr",
    ]


def _tree(program: Path, port: int) -> int:
    """A new tree's number."""
    answer = _run([program, f"--admin_server={HOST}:{port}", "--logtostderr"])
    return int(answer.strip())


def _rekor(folder: Path, program: Path, ports: Mapping[str, int], tree: int) -> Command:
    """Rekor's server. Its metrics are on port 2112 of all addresses, where that is free: it can't be told otherwise."""
    options = {
        "rekor_server.address": HOST,
        "port": ports["rekor"],
        "rekor_server.hostname": HOST,
        "rekor_server.signer": folder / "rekor.key",
        "trillian_log_server.address": HOST,
        "trillian_log_server.port": ports["server"],
        "trillian_log_server.tlog_id": tree,
        # The index would need Redis.
        "enable_retrieve_api": "false",
        "enabled_api_endpoints": _ENDPOINTS,
    }
    return [program, "serve", *(f"--{name}={value}" for name, value in options.items())]


def _run(command: Command) -> str:
    """What a program prints.

    Raises:
        SetupError: it failed.
    """
    answer = capture([str(word) for word in command])
    if answer.returncode:
        said = (answer.stderr or answer.stdout).strip()[-2000:]
        raise SetupError(f"`{' '.join(str(word) for word in command)}` failed:\n{said}")
    return answer.stdout


def _get(url: str, path: str) -> bytes | None:
    """A page of the log; None: it has none there."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read()
        return content if answer.status == http.client.OK else None
    finally:
        connection.close()
