"""`command:remote:Command`, through the `ssh` program: what pulumi-command's own source (1.1 and 1.2) does with Go's.

What it can't do, it refuses: a password, a proxy, an encrypted private key, and `environment`, which the official one
sets variable by variable, and fails over the first that the server doesn't accept. This one takes every server for one
that accepts none.
"""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from process import Collected, Lines, Stream, feed
from properties import UNKNOWN, Properties
from resources import Operation, ProviderError, Resource

_STRING = {"type": "string"}
_CONNECTION = {
    "host": _STRING,
    "port": {"type": "number"},
    "user": _STRING,
    "privateKey": _STRING,
    "privateKeyPassword": _STRING,
    "password": _STRING,
    "agentSocketPath": _STRING,
    "hostKey": _STRING,
    "dialErrorLimit": {"type": "integer"},
    "perDialTimeout": {"type": "integer"},
    "proxy": {"type": "object", "additionalProperties": {}},
}
_REFUSED = ("password", "privateKeyPassword", "proxy")
_OUTPUTS = {"stdout": _STRING, "stderr": _STRING}
_SSH_FAILED = 255


class RemoteCommand(Resource):
    """Runs commands on a host, in the login shell of a user."""

    token = "command:remote:Command"
    inputs: ClassVar = {
        "type": "object",
        "properties": {
            "connection": {"type": "object", "properties": _CONNECTION, "required": ["host"]},
            "create": _STRING,
            "update": _STRING,
            "delete": _STRING,
            "stdin": _STRING,
            "logging": {"type": "string", "enum": ["stdout", "stderr", "stdoutAndStderr", "none"]},
            "environment": {"type": "object", "additionalProperties": _STRING},
            "addPreviousOutputInEnv": {"type": "boolean"},
            "triggers": {"type": "array", "items": {}},
        },
        "required": ["connection"],
    }
    outputs: ClassVar = {"properties": _OUTPUTS, "required": ["stdout", "stderr"]}
    replace_on = frozenset({"triggers"})

    def planned(self, operation: Operation, olds: Properties | None, news: Properties) -> Properties:
        return news | {"stdout": UNKNOWN, "stderr": UNKNOWN}

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        outputs = {"stdout": "", "stderr": ""}
        if "create" in inputs:
            outputs = _run(operation, inputs["create"], inputs)
        return f"{operation.name}{secrets.token_hex(4)}", inputs | outputs

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        previous = {key: value for key, value in olds.items() if key in _OUTPUTS}
        command = news.get("update", news.get("create"))
        return news | previous | (_run(operation, command, news) if command is not None else {})

    def delete(self, operation: Operation, name: str, olds: Properties) -> None:
        if "delete" in olds:
            _run(operation, olds["delete"], olds)


def _run(operation: Operation, command: str, inputs: Properties) -> Properties:
    connection = inputs["connection"]
    for name in _REFUSED:
        if name in connection:
            raise ProviderError(f"connection.{name}: needs the official plugin: this one takes a key or an agent")
    for name in inputs.get("environment", {}):
        raise ProviderError(f'could not set environment variable "{name}": ssh: setenv failed')
    limit = connection.get("dialErrorLimit", 10)
    until = time.monotonic() + operation.timeout if operation.timeout > 0 else None
    with _session(connection) as session:
        attempt = 0
        while True:
            done = session.run(command, inputs.get("stdin", ""), inputs.get("logging", "stdoutAndStderr"), operation)
            if done is not None:
                return done
            attempt += 1
            if limit > -1 and attempt > limit:
                raise ProviderError(f"after {attempt - 1} failed attempts: {session.why()}")
            # The time-out bounds the dialling alone: a command that has begun is never ended by it.
            if until is not None and time.monotonic() > until:
                raise ProviderError("context deadline exceeded")
            operation.log(f"Dial {attempt}/{'inf' if limit == -1 else limit} failed: retrying")
            time.sleep(min(0.1 * 1.5**attempt, 5))


@contextlib.contextmanager
def _session(connection: Properties) -> Iterator["_Session"]:
    folder = Path(tempfile.mkdtemp(prefix="sc-secure-ssh-"))
    try:
        yield _Session(folder, connection)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Session:
    """The ssh program, with nothing of the user's own configuration."""

    def __init__(self, folder: Path, connection: Properties) -> None:
        self._began, self._said = folder / "began", folder / "said"
        known = folder / "known_hosts"
        # Without a host key, the official plugin takes whoever answers.
        known.write_text(f"* {connection['hostKey'].strip()}\n" if "hostKey" in connection else "")
        options: dict[str, Any] = {
            "BatchMode": "yes",
            "ConnectionAttempts": 1,
            "ConnectTimeout": connection.get("perDialTimeout", 15) or 0,
            "GlobalKnownHostsFile": "/dev/null",
            "UserKnownHostsFile": known,
            "StrictHostKeyChecking": "yes" if "hostKey" in connection else "no",
            "UpdateHostKeys": "no",
            "LogLevel": "ERROR",
            "ServerAliveInterval": 0,
            # Runs here once the connection stands: what tells a failed dial from a command that ends with 255.
            "PermitLocalCommand": "yes",
            "LocalCommand": f"touch {self._began}",
        }
        if "privateKey" in connection:
            key = folder / "key"
            with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(connection["privateKey"].rstrip("\n") + "\n")
            options |= {"IdentityFile": key, "IdentitiesOnly": "yes"}
        if "agentSocketPath" in connection:
            options["IdentityAgent"] = connection["agentSocketPath"]
        self._argv = ["ssh", "-F", "/dev/null", "-T", "-E", str(self._said)]
        self._argv += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        self._argv += ["-p", str(connection.get("port", 22)), "-l", connection.get("user", "root")]
        self._argv += ["--", connection["host"]]

    def why(self) -> str:
        """What ssh said of its last failure."""
        said = self._said.read_text().strip().splitlines() if self._said.exists() else []
        return said[-1] if said else "ssh: it couldn't connect"

    def run(self, command: str, stdin: str, logging: str, operation: Operation) -> dict[str, str] | None:
        """Return what the command printed, without one trailing newline each; None if it couldn't connect.

        Raises:
            ProviderError: the command failed.
        """
        process = subprocess.Popen(
            [*self._argv, command],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        lines, both = Lines(operation.log), Collected()
        streams = {
            "stdout": Stream(process.stdout, both, lines if logging in ("stdout", "stdoutAndStderr") else None),
            "stderr": Stream(process.stderr, both, lines if logging in ("stderr", "stdoutAndStderr") else None),
        }
        if process.stdin is not None:
            threading.Thread(target=feed, args=(process.stdin, stdin), daemon=True).start()
        process.wait()
        for stream in streams.values():
            stream.join()
        lines.end()
        if process.returncode == _SSH_FAILED and not self._began.exists():
            return None
        if process.returncode != 0:
            status = f"Process exited with status {process.returncode}"
            raise ProviderError(f"{status}: running {json.dumps(command, ensure_ascii=False)}:\n{both.text()}")
        return {name: stream.text().removesuffix("\n") for name, stream in streams.items()}
