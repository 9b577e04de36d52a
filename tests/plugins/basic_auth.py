"""A door with a password in front of a registry that has none, to try a program's own credentials."""

import base64
import contextlib
import http.client
import http.server
import threading
from collections.abc import Iterator

USERNAME, PASSWORD = "pusher", "open sesame"
READER = "reader"
"""Has the same password, and may do nothing but read."""
_HOP_BY_HOP = {"host", "authorization", "transfer-encoding", "connection", "content-length"}


def _login(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()


class _Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behind: str

    def _pass(self) -> None:
        body = self._body()
        given = self.headers.get("Authorization")
        if given not in (_login(USERNAME), _login(READER)):
            self._answer(401, {"WWW-Authenticate": 'Basic realm="test"'}, b"")
            return
        if given == _login(READER) and self.command not in ("GET", "HEAD"):
            self._answer(403, {}, b'{"errors": [{"code": "DENIED"}]}')
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        connection = http.client.HTTPConnection(self.behind)
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        self._answer(answer.status, dict(answer.getheaders()), answer.read())
        connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP or (name.lower() == "content-length" and self.command == "HEAD"):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _pass

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def locked(registry: str) -> Iterator[str]:
    """Give the address of the door."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (_Door,), {"behind": registry}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
