"""GitHub's REST API for comments on one pull request, as far as a workflow's token may use it.

https://docs.github.com/rest/issues/comments
"""

import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BOT = "github-actions[bot]"
COMMENTS = "/repos/acme/shop/issues/7/comments"
ONE = "/repos/acme/shop/issues/comments/"


class GitHubApi:
    """Made by `github_api`."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.may_write: set[str] = set()
        """The tokens with `pull-requests: write`."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                where = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(where.query))
                size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
                found = api.comments[(page - 1) * size : page * size]
                self._answer(HTTPStatus.OK if where.path == COMMENTS else HTTPStatus.NOT_FOUND, found)

            def do_POST(self) -> None:
                self._write(self.path == COMMENTS, {"id": len(api.comments) + 1, "user": {"login": BOT}})

            def do_PATCH(self) -> None:
                number = self.path.removeprefix(ONE)
                known = [each for each in api.comments if str(each["id"]) == number and each["user"]["login"] == BOT]
                self._write(self.path.startswith(ONE) and bool(known), known[0] if known else {})

            def _write(self, found: bool, comment: dict[str, Any]) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                token = self.headers["Authorization"].removeprefix("Bearer ")
                if token not in api.may_write:
                    return self._answer(HTTPStatus.FORBIDDEN, {"message": "Resource not accessible by integration"})
                if not found or set(body) != {"body"} or len(body["body"]) > 65536:
                    return self._answer(HTTPStatus.NOT_FOUND, {})
                if comment not in api.comments:
                    api.comments.append(comment)
                comment |= body
                return self._answer(HTTPStatus.OK, comment)

            def _answer(self, status: HTTPStatus, content: object) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def say(self, who: str, body: str) -> None:
        self.comments.append({"id": len(self.comments) + 1, "user": {"login": who}, "body": body})

    def by_the_bot(self) -> list[str]:
        return [each["body"] for each in self.comments if each["user"]["login"] == BOT]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def github_api() -> Iterator[GitHubApi]:
    """One that answers for as long as the context lasts."""
    api = GitHubApi()
    try:
        yield api
    finally:
        api.stop()
