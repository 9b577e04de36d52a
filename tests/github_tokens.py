"""GitHub's identity-token endpoint, as a job of GitHub Actions sees it.

https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
"""

import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BEARER = "the-job-s-own-secret"


class TokenEndpoint:
    """Gives out tokens for the audience that is asked for. Made by `token_endpoint`."""

    def __init__(self, make: Callable[[str], str]) -> None:
        self.asked: list[str] = []
        """The audience of each request that was in order."""
        self.given: list[str] = []
        """Each token."""
        self.fail: list[int] = []
        """The statuses of the next answers."""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                if endpoint.fail:
                    self.send_error(endpoint.fail.pop(0))
                elif self.headers.get("Authorization") != f"bearer {BEARER}" or query.get("api-version") != ["2.0"]:
                    self.send_error(HTTPStatus.UNAUTHORIZED)
                else:
                    (audience,) = query.get("audience", ["https://github.com/acme"])
                    endpoint.asked.append(audience)
                    endpoint.given.append(make(audience))
                    body = json.dumps({"count": len(endpoint.given[-1]), "value": endpoint.given[-1]}).encode()
                    self.send_response(HTTPStatus.OK)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        port = self._server.server_address[1]
        self.env = {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{port}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
        }
        """What a job with `id-token: write` has in its environment."""

    def stop(self) -> None:
        """Answers no more."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def token_endpoint(make: Callable[[str], str]) -> Iterator[TokenEndpoint]:
    """One whose tokens are made so, of the audience, for as long as the context lasts."""
    endpoint = TokenEndpoint(make)
    try:
        yield endpoint
    finally:
        endpoint.stop()
