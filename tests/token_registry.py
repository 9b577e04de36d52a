"""The CNCF's own registry on loopback, where every right comes with a token of a service beside it, as at Docker Hub.

The service is this file's: https://distribution.github.io/distribution/spec/auth/token/. A login is one of `LOGINS`;
without one, `public/…` may be read.
"""

import base64
import datetime
import http.client
import http.server
import json
import os
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from devtools import processes, tools

HOST = "127.0.0.1"
PASSWORD = "pass-word-sentinel"
LOGINS = {"owner": {"pull", "push", "delete"}, "pusher": {"pull", "push"}, "reader": {"pull"}}
"""A user, whose password is `PASSWORD`, and what it may do anywhere."""
_ISSUER, _SERVICE, _KEY = "test", "registry.test", "one"


@dataclass
class TokenRegistry:
    """It runs. Made by `token_registry`."""

    address: str
    disk: Path
    """Where it keeps what is pushed, uploads that have begun included."""
    scopes: list[str] = field(default_factory=list[str])
    """What its tokens were asked for."""
    given: list[str] = field(default_factory=list[str])
    """Its tokens."""

    def uploads(self, repository: str) -> int:
        """How many have begun in a repository, and are known to the registry still."""
        return len(list(self.disk.glob(f"docker/registry/v2/repositories/{repository}/_uploads/*/startedat")))

    def holds(self, repository: str) -> bool:
        """Whether a manifest or a layer is in it."""
        folder = self.disk / "docker/registry/v2/repositories" / repository
        return (folder / "_manifests").exists() or (folder / "_layers").exists()


@contextmanager
def token_registry(folder: Path) -> Iterator[TokenRegistry]:
    """One that keeps its things in this folder, for as long as the context lasts."""
    program = tools.ensure(["distribution"])["distribution"]
    key = ec.generate_private_key(ec.SECP256R1())
    public = {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": _KEY, "alg": "ES256", "use": "sig"}
    (folder / "keys.json").write_text(json.dumps({"keys": [public]}))
    address = f"{HOST}:{processes.free_port()}"
    made = TokenRegistry(address, folder / "disk")
    server = http.server.ThreadingHTTPServer((HOST, 0), _handler(made, key))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    settings = {
        "VERSION": "0.1",
        "HTTP_ADDR": address,
        "STORAGE": "filesystem",
        "STORAGE_FILESYSTEM_ROOTDIRECTORY": str(made.disk),
        "AUTH": "token",
        "AUTH_TOKEN_REALM": f"http://{HOST}:{server.server_port}/token",
        "AUTH_TOKEN_SERVICE": _SERVICE,
        "AUTH_TOKEN_ISSUER": _ISSUER,
        "AUTH_TOKEN_JWKS": str(folder / "keys.json"),
        "LOG_LEVEL": "error",
    }
    (folder / "config.yml").write_text("version: 0.1\n")
    env = {**os.environ, "OTEL_TRACES_EXPORTER": "none"} | {f"REGISTRY_{name}": each for name, each in settings.items()}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [program, "serve", str(folder / "config.yml")], env=env, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 30
        while not _answers(address):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield made
    finally:
        process.terminate()
        process.wait(timeout=30)
        server.shutdown()
        server.server_close()


def _answers(address: str) -> bool:
    host, _, port = address.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=2)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == http.HTTPStatus.UNAUTHORIZED
    except OSError:
        return False
    finally:
        connection.close()


def _handler(made: TokenRegistry, key: ec.EllipticCurvePrivateKey) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scope = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("scope", [""])[0]
            made.scopes.append(scope)
            rights = self._rights(scope)
            if rights is None:
                self.send_error(http.HTTPStatus.UNAUTHORIZED)
                return
            made.given.append(_token(key, scope, rights))
            body = json.dumps({"token": made.given[-1]}).encode()
            self.send_response(http.HTTPStatus.OK)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _rights(self, scope: str) -> set[str] | None:
            """None: the login is none."""
            login = self.headers.get("Authorization")
            if login is None:
                return {"pull"} if scope.startswith("repository:public/") else set()
            user, _, password = base64.b64decode(login.removeprefix("Basic ")).decode().partition(":")
            return LOGINS.get(user) if password == PASSWORD else None

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _token(key: ec.EllipticCurvePrivateKey, scope: str, rights: set[str]) -> str:
    access: list[dict[str, Any]] = []
    if scope:
        kind, name, actions = scope.split(":")
        access = [{"type": kind, "name": name, "actions": sorted(rights & set(actions.split(",")))}]
    now = datetime.datetime.now(datetime.UTC)
    claims = {"iss": _ISSUER, "aud": _SERVICE, "sub": "", "jti": "1", "iat": now, "nbf": now - _SKEW, "access": access}
    return jwt.encode({**claims, "exp": now + 5 * _SKEW}, key, algorithm="ES256", headers={"kid": _KEY})


_SKEW = datetime.timedelta(minutes=1)
