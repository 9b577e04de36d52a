"""Stands for a registry's token service, as Docker Hub's, GHCR's and Harbor's: no such service is to be had here.

It takes a password and gives out tokens that a real registry checks.
https://distribution.github.io/distribution/spec/auth/jwt/
"""

import base64
import json
import secrets
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

USERNAME, PASSWORD = "pusher", "open sesame"
SERVICE, ISSUER = "registry.test", "tokens.test"
_LIFETIME = 60
DISTRIBUTION_AUTH = f"""auth:
  token: {{{{realm: "{{realm}}", service: {SERVICE}, issuer: {ISSUER}, jwks: "{{keys}}"}}}}
"""


@dataclass(frozen=True)
class TokenService:
    url: str
    keys: Path
    """The public keys, as a JSON Web Key Set."""
    folder: Path
    token: Callable[[str], str]
    """Makes a token for a scope."""
    asked: list[str] = field(default_factory=list[str])
    """The scopes of the tokens that were given out."""

    def login(self, address: str) -> Path:
        """A folder with the docker config of somebody who is logged in."""
        config = self.folder / "docker"
        config.mkdir()
        auth = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        (config / "config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))
        return config


@contextmanager
def token_service(folder: Path) -> Iterator[TokenService]:
    """One with a key of its own, for as long as the context lasts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"keys": [public | {"kid": "1", "use": "sig", "alg": "RS256"}]}))
    login = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    asked: list[str] = []

    def make(scopes: list[str]) -> str:
        access: list[dict[str, Any]] = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": SERVICE, "sub": USERNAME, "access": access}
        claims |= {"iat": now, "nbf": now, "exp": now + _LIFETIME, "jti": secrets.token_hex()}
        return jwt.encode(claims, key, "RS256", headers={"kid": "1"})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != login:
                self.send_error(401)
                return
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            scopes = [scope for each in query.get("scope", []) for scope in each.split()]
            asked.extend(scopes)
            token = make(scopes)
            body = json.dumps({"token": token, "expires_in": _LIFETIME}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield TokenService(
            f"http://localhost:{server.server_port}/token", keys, folder, lambda scope: make([scope]), asked
        )
    finally:
        server.shutdown()
        server.server_close()
