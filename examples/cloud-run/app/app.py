"""A web service that signs short texts with a secret: GET /sign?text=…, and GET /healthz for the probes."""

import hashlib
import hmac
import os
import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MAX_TEXT = 500
"""Longest text that is signed, in characters."""


def signature(secret: str, text: str) -> str:
    """The HMAC-SHA256 of the text, in hexadecimal."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection, in plain text."""

    timeout = 10

    def do_GET(self) -> None:
        """`/healthz`, `/sign?text=…`, or what there is."""
        url = urlsplit(self.path)
        text = parse_qs(url.query).get("text", [""])[0]
        if url.path == "/healthz":
            self._answer(HTTPStatus.OK, "ok")
        elif url.path != "/sign":
            self._answer(HTTPStatus.NOT_FOUND, "GET /sign?text=…")
        elif not 0 < len(text) <= MAX_TEXT:
            self._answer(HTTPStatus.BAD_REQUEST, f"text: 1 to {MAX_TEXT} characters")
        else:
            self._answer(HTTPStatus.OK, signature(os.environ["SIGNING_SECRET"], text))

    def _answer(self, status: HTTPStatus, text: str) -> None:
        content = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serves until Cloud Run ends the instance."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    address = ("0.0.0.0", int(os.environ.get("PORT", "8080")))  # noqa: S104 (in a container: its own network only)
    ThreadingHTTPServer(address, Handler).serve_forever()


if __name__ == "__main__":
    main()
