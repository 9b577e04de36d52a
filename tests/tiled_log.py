"""A web server in front of a local Rekor 2: it publishes the log's files, which a Rekor that keeps them on disk leaves
to another one, and passes on what is posted."""

import http.client
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_PUBLISHED = re.compile(r"/api/v2/(checkpoint|tile/\d+/(x\d{3}/)*\d{3}(\.p/\d{1,3})?)", re.ASCII)


class TiledLog:
    """Answers on a port of its own. Made by `tiled_log`."""

    def __init__(self, upstream: str, storage: Path) -> None:
        self._upstream = urllib.parse.urlsplit(upstream).netloc
        self._storage = storage
        self.publishes = True
        """False: the files are elsewhere."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def size(self) -> int:
        """How many entries the log has published."""
        return int((self._storage / "checkpoint").read_text().split("\n")[1])

    def stop(self) -> None:
        """Answers no more."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        log = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = _PUBLISHED.fullmatch(self.path)
                file = log._storage / found[1] if found and log.publishes else None
                there = file is not None and file.is_file()
                self._answer(HTTPStatus.OK if there else HTTPStatus.NOT_FOUND, file.read_bytes() if there else b"", {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                connection = http.client.HTTPConnection(log._upstream, timeout=30)
                connection.request("POST", self.path, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                index = answer.headers.get("X-Log-Index")
                self._answer(answer.status, answer.read(), {"X-Log-Index": index} if index else {})
                connection.close()

            def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextmanager
def tiled_log(upstream: str, storage: Path) -> Iterator[TiledLog]:
    """One in front of the Rekor 2 at this URL, whose files are in `storage`, for as long as the context lasts."""
    log = TiledLog(upstream, storage)
    try:
        yield log
    finally:
        log.stop()
