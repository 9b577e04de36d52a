"""A small web service that does two useful things with text: formats SQL, and encodes international domain names.

It is the quickstart's image. Two of its packages are old on purpose and have published advisories (see ../README.md);
the limits below are what a careful service does while it waits for an update, and keep both from being reachable.
"""

import os
import signal
import sys

import idna
import sqlparse
from bottle import Bottle, HTTPError, request, response
from waitress import serve

MAX_SQL = 500
"""Longest statement that is formatted, in characters: sqlparse's time grows with the square of it."""

MAX_DOMAIN = 253
"""Longest domain name there is; a longer one makes idna 3.6 slow (CVE-2024-3651)."""

app = Bottle()


@app.hook("after_request")
def _plain_text() -> None:
    """Everything is text, whatever a query holds: a browser must never read it as a page."""
    response.content_type = "text/plain; charset=utf-8"
    response.set_header("X-Content-Type-Options", "nosniff")
    response.set_header("Content-Security-Policy", "default-src 'none'")


@app.get("/")
def usage() -> str:
    """What there is."""
    return "GET /format?sql=select+1\nGET /idna?domain=b%C3%BCcher.example\nGET /healthz\n"


@app.get("/healthz")
def health() -> str:
    """Whether the service answers."""
    return "ok\n"


@app.get("/format")
def format_sql() -> str:
    """The SQL statement of the query, indented, with keywords in upper case."""
    try:
        return sqlparse.format(_argument("sql", MAX_SQL), reindent=True, keyword_case="upper") + "\n"
    except RecursionError as error:  # sqlparse 0.4 recurses once a level (CVE-2024-4340)
        raise HTTPError(400, "nested too deeply") from error


@app.get("/idna")
def encode_domain() -> str:
    """The domain name of the query, as DNS has it."""
    try:
        return idna.encode(_argument("domain", MAX_DOMAIN), uts46=True).decode("ascii") + "\n"
    except idna.IDNAError as error:
        raise HTTPError(400, "not a domain name") from error


def _error(error: HTTPError) -> str:
    """An error as one line of text. bottle's own page would show the request's address, and a traceback for ours."""
    _plain_text()
    # An HTTPError is the response itself, so the headers have to be set on it too.
    error.content_type = "text/plain; charset=utf-8"
    return f"{error.body if error.status_code < 500 else 'internal error'}\n"  # noqa: PLR2004


app.default_error_handler = _error


def _argument(name: str, longest: int) -> str:
    value = request.query.getunicode(name, "")
    if not value:
        raise HTTPError(400, f"say what: ?{name}=…")
    if len(value) > longest:
        raise HTTPError(413, f"{name} is longer than {longest} characters")
    return value


def main() -> None:
    """Serves until it is told to stop."""
    # The first process of a container has no default action for SIGTERM: without this, a stop takes ten seconds.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    host = os.environ.get("HOST", "0.0.0.0")  # noqa: S104 (in a container: its own network only)
    serve(
        app,
        host=host,
        port=int(os.environ.get("PORT", "8080")),
        threads=4,
        max_request_header_size=16_384,
        max_request_body_size=1_024,
        ident=None,
    )


if __name__ == "__main__":
    main()
