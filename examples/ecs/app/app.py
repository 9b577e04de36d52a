"""A web application that says its version to who knows its token. `--check`: whether the one here is well."""

import hmac
import os
import signal
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(os.environ.get("PORT", "8080"))


class Handler(BaseHTTPRequestHandler):
    """`/healthz` for everybody, `/` with the token as a bearer token."""

    timeout = 10
    """Seconds for a request to come in."""

    def do_GET(self) -> None:
        """Answer in plain text."""
        if self.path == "/healthz":
            return self._answer(200, "ok")
        if self.path != "/":
            return self._answer(404, "not found")
        given, token = self.headers.get("Authorization", ""), os.environ.get("TOKEN", "")
        if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return self._answer(401, "a token is needed")
        return self._answer(200, f"version {os.environ.get('VERSION', 'unknown')}")

    def _answer(self, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def healthy() -> bool:
    """Whether the application in this container answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=2) as answer:
            return answer.status == 200  # noqa: PLR2004
    except OSError:
        return False


def main() -> None:
    """Serve until ECS says to end."""
    server = ThreadingHTTPServer(("", PORT), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(0 if healthy() else 1)
    main()
