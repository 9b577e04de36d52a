"""The docker engine that an image is built with: whether it answers, and which one it is.

Its API is asked, where it is on this machine or at a plain address; the docker program, where only that knows the way
(a context, TLS, ssh). https://docs.docker.com/reference/api/engine/;
https://docs.docker.com/reference/cli/docker/#environment-variables.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sc_secure.errors import InfrastructureError, NotAuthorised, ScSecureError
from sc_secure.tools.documents import parse_object
from sc_secure.tools.environment import environment_for
from sc_secure.tools.process import MIB, Runner
from sc_secure.tools.text import printable

_TIMEOUT = 3.0
_DEFAULT = "unix:///var/run/docker.sock"
_PORT = 2375
_VERSION = re.compile(r"\d[\w.+~-]{0,60}", re.ASCII)


@dataclass(frozen=True)
class Engine:
    """An engine that answered."""

    version: str
    address: str
    """Where, for people."""


def engine(runner: Runner, environ: Mapping[str, str], temp: Path) -> Engine:
    """The engine that the environment leads to.

    Raises:
        NotAuthorised: this user may not use its socket.
        InfrastructureError: none answers, or what answers is none. ToolMissing: only docker knows the way.
    """
    address = environ.get("DOCKER_HOST", "")
    if not address:
        context = environ.get("DOCKER_CONTEXT") or _context(environ)
        if context not in ("", "default"):
            return _by_docker(f"the docker context {printable(context, limit=80)}", runner, environ, temp)
        address = _DEFAULT
    try:
        parts = urllib.parse.urlsplit(address)
        host, port = parts.hostname or "", parts.port or _PORT
    except ValueError:
        raise InfrastructureError("DOCKER_HOST: not an address", advice="such as unix:///var/run/docker.sock") from None
    if parts.scheme == "unix":
        return _ask(_Local(parts.path), printable(f"unix://{parts.path}", limit=200))
    shown = printable(f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else ""), limit=200)
    if parts.scheme in ("tcp", "http") and not environ.get("DOCKER_TLS_VERIFY"):
        return _ask(http.client.HTTPConnection(host, port, timeout=_TIMEOUT), shown)
    return _by_docker(shown, runner, environ, temp)


class _Local(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """Open it."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT)
        self.sock.connect(self._path)


def _ask(connection: http.client.HTTPConnection, shown: str) -> Engine:
    try:
        connection.request("GET", "/version")
        said = parse_object(connection.getresponse().read(MIB), shown)
    except PermissionError:
        raise NotAuthorised(
            f"{shown}: this user may not use it", advice="add the user to the group docker, or run docker rootless"
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = printable(getattr(error, "strerror", None) or str(error) or type(error).__name__, limit=120)
        raise InfrastructureError(f"{shown}: no docker engine answers ({why})", advice=_START) from None
    except ScSecureError:
        raise InfrastructureError(f"{shown}: what answers is no docker engine", advice=_START) from None
    finally:
        connection.close()
    return _engine(said.get("Version"), shown)


def _by_docker(shown: str, runner: Runner, environ: Mapping[str, str], temp: Path) -> Engine:
    argv = ["docker", "version", "--format", "{{json .Server.Version}}"]
    done = runner.run(argv, env=environment_for("docker", environ, temp), stdout_limit=MIB)
    if done.code != 0:
        raise InfrastructureError(f"{shown}: {done.summary()}", advice=_START)
    try:
        return _engine(json.loads(done.stdout), shown)
    except ValueError:
        return _engine(None, shown)


def _engine(version: object, shown: str) -> Engine:
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise InfrastructureError(f"{shown}: what answers is no docker engine", advice=_START)
    return Engine(version, shown)


def _context(environ: Mapping[str, str]) -> str:
    """The context that `docker context use` chose."""
    folder = environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or Path.home(), ".docker")
    try:
        with Path(folder, "config.json").open("rb") as file:
            chosen = parse_object(file.read(MIB), "docker's configuration").get("currentContext")
    except (OSError, InfrastructureError):
        return ""
    return chosen if isinstance(chosen, str) else ""


_START = "start docker, or set DOCKER_HOST to an engine that answers; `docker version` shows the server then"
