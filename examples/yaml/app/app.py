"""A web service that says its version."""

import os
import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers one connection, in plain text."""

    timeout = 10
    """Seconds for a request to come in."""

    def do_GET(self) -> None:
        """`/healthz` for the probe, anything else for the version."""
        text = "ok" if self.path == "/healthz" else f"version {os.environ.get('VERSION', 'unknown')}"
        body = f"{text}\n".encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    address = ("0.0.0.0", int(os.environ.get("PORT", "8080")))  # noqa: S104 (in a container: its own network only)
    ThreadingHTTPServer(address, Handler).serve_forever()
