"""Starts a local Sigstore, and writes what trusts it and what signs with it."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from devtools import cache, processes, tools
from devtools.console import SetupError, capture
from devtools.sigstore import commands, issuer, openssl, tokens

S = TypeVar("S", bound="Sigstore")
TOOLS = ("cosign", "fulcio", "rekor-server-posix", "tesseract-posix")
"""The programs that it needs."""
_START_SECONDS = 20
_ATTEMPTS = 3
RECORD = "sigstore.json"
"""Where what runs is written down, in its folder."""
# A unix socket's path has at most 107 bytes (fewer elsewhere), and Fulcio's is in the folder.
_LONGEST_FOLDER = 85


@dataclass(frozen=True)
class Sigstore:
    """A Sigstore that answers."""

    folder: Path
    """Its keys, logs and data. The caller's to remove."""
    urls: Mapping[str, str]
    """Service (`issuer`, `tsa`, `ct`, `rekor`, `fulcio`) → URL."""
    parts: Sequence[processes.Process]

    @property
    def trusted_root(self) -> Path:
        """What `cosign --trusted-root` takes."""
        return self.folder / "trusted_root.json"

    @property
    def signing_config(self) -> Path:
        """What `cosign --signing-config` takes: a certificate, a log entry and a timestamp for every signature."""
        return self.folder / "signing_config.json"

    def issuer(self, kind: tokens.Kind = "email") -> str:
        """The URL of the issuer of that kind, as certificates name it."""
        return f"{self.urls['issuer']}/{kind}"

    def token(self, identity: str, kind: tokens.Kind = "email", **changed: Any) -> str:
        """An identity token for cosign: see `tokens.make`."""
        return tokens.make(self.folder / "issuer.key", self.issuer(kind), identity, kind, **changed)

    def stop(self) -> None:
        """Ends all its processes."""
        _end(self.parts)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The one that was started in this folder, perhaps by another process.

        Raises:
            FileNotFoundError: none was.
        """
        known = json.loads((folder / RECORD).read_text())
        return cls(folder, known["urls"], [processes.Process(**each) for each in known["parts"]])


def start(folder: Path) -> Sigstore:
    """Starts one; its programs are built if this machine hasn't them. The caller ends it.

    Args:
        folder: where its keys and data go: not there yet, or empty.

    Raises:
        SetupError: a program can't be built, or a service didn't start.
    """
    if len(str(folder)) > _LONGEST_FOLDER:
        raise SetupError(f"{folder} is too long a path for a local Sigstore: at most {_LONGEST_FOLDER} characters.")
    programs = tools.ensure(TOOLS)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    openssl.make_keys(folder)
    return in_few_tries(lambda: _start(folder, programs), [folder / log for log in ("ct", "rekor")])


def in_few_tries(start: Callable[[], S], data: Sequence[Path]) -> S:
    """What is started. A port that is free now may be taken a moment later: that's worth another try, with other ports.

    Args:
        start: picks ports, and ends what it started if it fails.
        data: the folders that it begins anew.

    Raises:
        SetupError: it failed each time.
    """
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(SetupError):
            return start()
        for folder in data:
            shutil.rmtree(folder, ignore_errors=True)
    return start()


def trust(folder: Path, cosign: Path, urls: Mapping[str, str], log_version: int = 2) -> None:
    """Writes `trusted_root.json` and `signing_config.json` for the keys in the folder and services at these URLs."""
    # A Rekor of version 2 is known by its origin and its key together.
    origin = f"origin={issuer.HOST}," if log_version > 1 else ""
    since = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    trusted = {
        "fulcio": f"url={urls['fulcio']},certificate-chain={folder}/fulcio.pem",
        "ctfe": f"url={urls['ct']},public-key={folder}/ct.pub,start-time={since}",
        "rekor": f"url={urls['rekor']},public-key={folder}/rekor.pub,{origin}start-time={since}",
        "tsa": f"url={urls['tsa']},certificate-chain={folder}/tsa.pem",
    }
    _create(cosign, "trusted-root", trusted, folder / "trusted_root.json")
    about = f"start-time={since},operator=local"
    used = {
        "fulcio": f"url={urls['fulcio']},api-version=1,{about}",
        "oidc-provider": f"url={urls['issuer']}/email,api-version=1,{about}",
        "rekor": f"url={urls['rekor']},api-version={log_version},{about}",
        "rekor-config": "ANY",
        "tsa": f"url={urls['tsa']},api-version=1,{about}",
        "tsa-config": "ANY",
    }
    _create(cosign, "signing-config", used, folder / "signing_config.json")


def _create(cosign: Path, what: str, values: Mapping[str, str], file: Path) -> None:
    flags = [f"--{name}={value}" for name, value in values.items()]
    answer = capture([cosign, what, "create", *flags, "--out", file])
    if answer.returncode:
        raise SetupError(f"`cosign {what} create` failed:\n{answer.stderr.strip()}")


def _start(folder: Path, programs: Mapping[str, Path]) -> Sigstore:
    ports = {name: processes.free_port() for name in ("issuer", "ct", "rekor", "fulcio")}
    urls = {name: f"http://{issuer.HOST}:{port}" for name, port in ports.items()}
    # Nothing of the user's but PATH: Fulcio and Rekor read settings from variables.
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(cache.REPOSITORY)}
    parts: dict[str, processes.Process] = {}

    def launch(name: str, command: commands.Command) -> None:
        log = folder / f"{name}.log"
        log.unlink(missing_ok=True)
        parts[name] = processes.start(command, log, env)

    def wait(name: str, path: str, ours: str = "") -> None:
        wait_for(parts[name], name, urls[name] + path, folder / f"{name}.log", ours)

    try:
        launch("issuer", commands.issuer_and_clock(folder, ports["issuer"]))
        launch("ct", commands.ct_log(folder, programs["tesseract-posix"], ports["ct"]))
        launch("rekor", commands.rekor(folder, programs["rekor-server-posix"], ports["rekor"]))
        # Fulcio asks the issuer for its keys when it starts.
        wait("issuer", "/email/keys", tokens.public_key(folder / "issuer.key")["n"])
        launch("fulcio", commands.fulcio(folder, programs["fulcio"], ports["fulcio"], urls))
        certificate = "".join((folder / "fulcio.pem").read_text().splitlines()[1:-1])
        wait("ct", f"/{commands.CT_ORIGIN}/ct/v1/get-roots", certificate)
        wait("rekor", "/healthz")
        wait("fulcio", "/api/v2/trustBundle", certificate)
        urls["tsa"] = urls["issuer"] + issuer.TIMESTAMPS
        trust(folder, programs["cosign"], urls)
        # One may end later than it answers, as where another of its ports is taken.
        for name, part in parts.items():
            wait_until(part, name, folder / f"{name}.log", lambda: True)
    except BaseException:
        _end(list(parts.values()))
        raise
    record = {"urls": urls, "parts": [asdict(part) for part in parts.values()]}
    cache.write_private(folder / RECORD, json.dumps(record))
    return Sigstore(folder, urls, list(parts.values()))


def _end(parts: Sequence[processes.Process]) -> None:
    """Ends these processes: all are told before any is waited for."""
    for part in parts:
        part.signal(signal.SIGTERM)
    for part in parts:
        part.end(patience=5.0)


def wait_for(part: processes.Process, name: str, url: str, log: Path, ours: str = "") -> None:
    """Waits until the service answers at the URL.

    Args:
        part: its process.
        name: what errors call it.
        url: a page of it.
        log: where its output goes.
        ours: what is on that page alone of this very service, line breaks left out. Another's of the same kind may
            answer, where that got the port first and ours hasn't noticed yet.

    Raises:
        SetupError: it ended, its port is another's, or it didn't answer in time.
    """

    def ready() -> bool:
        page = _page(url)
        # One of them goes on without its port.
        if page is not None and ours not in page and "address already in use" in log.read_text(errors="replace"):
            raise SetupError(f"the local Sigstore's {name} found its port taken: {url}")
        return page is not None and ours in page

    wait_until(part, name, log, ready)


def wait_until(part: processes.Process, name: str, log: Path, ready: Callable[[], bool]) -> None:
    """Waits until the service is ready.

    Raises:
        SetupError: it ended, or wasn't in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while part.alive() and time.monotonic() < deadline:
        # One that ended while something answers on its port found the port taken.
        if ready() and part.alive():
            return
        time.sleep(0.02)
    raise SetupError(f"the local Sigstore's {name} didn't start:\n{processes.tail(log)}")


def _page(url: str) -> str | None:
    """A page, without line breaks; None: there is none."""
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.netloc, timeout=2)
    try:
        connection.request("GET", where.path)
        answer = connection.getresponse()
        content = answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    # in a text of JSON, too
    return content.replace("\\n", "").replace("\n", "") if answer.status == http.client.OK else None
