"""Two small services in one process: an OIDC issuer's public pages, and an RFC 3161 timestamp authority.

The issuer is one for each kind of identity, told apart by path. It serves no tokens: `tokens.make` makes them for
whoever can read its key. Sigstore's own timestamp authority isn't used, because it always listens on port 2112 of all
addresses as well, so that a second one on the machine ends at once.
"""

import json
import sys
import tempfile
import threading
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from devtools.console import SetupError
from devtools.sigstore import openssl, tokens

HOST = "127.0.0.1"
TIMESTAMPS = "/timestamp"
"""The timestamp authority's path."""
_MAX_QUERY = 64 * 1024


def serve(folder: Path, port: int) -> None:
    """Serves until the process is ended.

    Args:
        folder: the keys of `openssl.make_keys`.
        port: where, on loopback.
    """
    pages = _pages(tokens.public_key(folder / "issuer.key"), port)
    ThreadingHTTPServer((HOST, port), partial(_Handler, folder, pages, threading.Lock())).serve_forever()


def _pages(key: dict[str, str], port: int) -> dict[str, Any]:
    """Path → document, of https://openid.net/specs/openid-connect-discovery-1_0.html."""
    pages: dict[str, Any] = {}
    for kind in tokens.KINDS:
        url = f"http://{HOST}:{port}/{kind}"
        pages[f"/{kind}/keys"] = {"keys": [key]}
        pages[f"/{kind}/.well-known/openid-configuration"] = {
            "issuer": url,
            "jwks_uri": f"{url}/keys",
            "authorization_endpoint": f"{url}/none",
            "token_endpoint": f"{url}/none",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    return pages


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    def __init__(self, folder: Path, pages: dict[str, Any], one_at_a_time: threading.Lock, *arguments: Any) -> None:
        self._folder, self._pages, self._one_at_a_time = folder, pages, one_at_a_time
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """A page of the issuers."""
        page = self._pages.get(self.path)
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._answer(json.dumps(page).encode(), "application/json")

    def do_POST(self) -> None:
        """A timestamp."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != TIMESTAMPS or not 0 < length <= _MAX_QUERY:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with self._one_at_a_time, tempfile.TemporaryDirectory() as scratch:
            query, answer = Path(scratch) / "query", Path(scratch) / "answer"
            query.write_bytes(self.rfile.read(length))
            try:
                openssl.timestamp(self._folder, query, answer)
            except SetupError as error:
                self.send_error(HTTPStatus.BAD_REQUEST, explain=str(error))
                return
            self._answer(answer.read_bytes(), "application/timestamp-reply")

    def _answer(self, body: bytes, media_type: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
