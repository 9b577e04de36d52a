"""A proxy in front of one HTTP service, which fails as it is told: for what outages do."""

import contextlib
import http.client
import random
import socket
import threading
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

HOST = "127.0.0.1"
Fault = int | Literal["pass", "cut", "lost", "short", "slow", "hang", "altered"]
"""What becomes of one request: an HTTP status without asking the service, `pass`, `cut` (the connection ends without
an answer, and the service isn't asked), `lost` (it is asked, and its answer never arrives), `short` (half of its answer
does), `slow` (its answer comes after `DELAY`), `hang` (never answered), `altered` (its content has another last
byte). A status of 201 is a lie: nothing was made."""
DELAY = 0.5
"""Seconds."""


class FaultyProxy:
    """Answers on a port of its own. Made by `faulty_proxy`."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urllib.parse.urlsplit(upstream).netloc
        self._over = threading.Event()
        self._faults: list[Fault] = []
        self._then: Callable[[], Fault] = lambda: "pass"
        self._only = ""
        self._retry_after = 0
        self.delay = 0.0
        """Seconds before each answer."""
        self._lock = threading.Lock()
        self.asked = 0
        """How many requests arrived."""
        self.answered: list[int] = []
        """The service's own status for each request that reached it."""
        self.sent = 0
        """How many bytes of content were answered."""
        self.blobs: Counter[str] = Counter()
        """How often each blob of a registry was read, by digest."""
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        path = urllib.parse.urlsplit(upstream).path
        self.url = f"http://{HOST}:{self._server.server_address[1]}{path}"

    def fail(self, *faults: Fault, then: Fault = "pass", only: str = "") -> None:
        """What becomes of the next requests, one each, and of all after them; `only`: of one method alone."""
        with self._lock:
            self._faults, self._then, self._only = list(faults), lambda: then, only

    def fail_at_random(self, seed: int, share: float, faults: Sequence[Fault]) -> None:
        """From now on, that share of the requests gets one of the faults."""
        chance = random.Random(seed)  # noqa: S311 - to be had again
        with self._lock:
            self._only = ""
            self._then = lambda: chance.choice(faults) if chance.random() < share else "pass"

    def fail_each(self, nth: int, fault: Fault, *, retry_after: int = 0) -> None:
        """From now on, each nth request gets this fault; a status asks for that pause, in seconds."""
        with self._lock:
            self._retry_after = retry_after
            self._then = lambda: "pass" if self.asked % nth else fault

    def stop(self) -> None:
        """Answers no more; what hangs is let go."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                with contextlib.suppress(ConnectionError):
                    super().handle_one_request()

            def do_GET(self) -> None:
                proxy._serve(self)

            do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        with self._lock:
            self.asked += 1
            fault = self._fault() if self._only in ("", request.command) else "pass"
        request.close_connection = True
        self._over.wait(self.delay)
        if fault == "hang":
            self._over.wait()
        elif isinstance(fault, int):
            headers = [("Content-Type", "application/json")]
            headers += [("Retry-After", str(self._retry_after))] if self._retry_after else []
            _answer(request, fault, b'{"message": "told to fail"}', headers)
        elif fault != "cut":
            status, headers, content = self._ask(request, body)
            with self._lock:
                self.answered.append(status)
                self._count(request, status, content)
            if fault == "altered":
                content = content[:-1] + b" "
            if fault == "slow":
                self._over.wait(DELAY)
            if fault != "lost":
                _answer(request, status, content, headers, sent=len(content) // (2 if fault == "short" else 1))
        with contextlib.suppress(OSError):
            request.connection.shutdown(socket.SHUT_RDWR)

    def _fault(self) -> Fault:
        return self._faults.pop(0) if self._faults else self._then()

    def _count(self, request: BaseHTTPRequestHandler, status: int, content: bytes) -> None:
        if request.command != "GET":
            return
        self.sent += len(content)
        _, is_blob, digest = request.path.rpartition("/blobs/")
        if is_blob and status == HTTPStatus.OK:
            self.blobs[digest] += 1

    def _ask(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self._upstream, timeout=30)
        try:
            kept = {
                name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")
            }
            connection.request(request.command, request.path, body, kept)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except OSError:
            return HTTPStatus.BAD_GATEWAY, [], b""
        finally:
            connection.close()


def _answer(
    request: BaseHTTPRequestHandler,
    status: int,
    content: bytes,
    headers: Sequence[tuple[str, str]],
    sent: int | None = None,
) -> None:
    length = str(len(content))
    request.send_response(status)
    for name, value in headers:
        if name.lower() == "content-length" and request.command == "HEAD":
            length = value
        elif name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
            request.send_header(name, value)
    request.send_header("Content-Length", length)
    request.end_headers()
    request.wfile.write(content[:sent])


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """One in front of the service at this URL, for as long as the context lasts."""
    proxy = FaultyProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.stop()
