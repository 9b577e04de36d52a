"""The quickstart's application, called in this process as a WSGI server calls it."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from devtools import quickstart

APP = quickstart.QUICKSTART / "app"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


Get = Callable[..., Answer]


@pytest.fixture(scope="session")
def get(tools_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Get]:
    """Calls the application with the packages that its image has."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "requirements.txt").write_text((APP / "requirements.txt").read_text())
    quickstart.unpack_packages(folder, {**os.environ, **tools_env})
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(APP)
        patch.syspath_prepend(folder / "site-packages")
        for name in [name for name in sys.modules if name.partition(".")[0] in {"app", "bottle", "idna", "sqlparse"}]:
            patch.delitem(sys.modules, name)
        patch.setattr(sys, "dont_write_bytecode", True)
        application: Any = import_module("app").app
        assert Path(sys.modules["sqlparse"].__file__ or "").is_relative_to(folder)

        def call(path: str, method: str = "GET", **query: str) -> Answer:
            answered: list[tuple[str, list[tuple[str, str]]]] = []
            environ = {
                "REQUEST_METHOD": method,
                "PATH_INFO": path,
                "QUERY_STRING": urlencode(query),
                "SERVER_NAME": "test",
                "SERVER_PORT": "80",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "wsgi.url_scheme": "http",
                "wsgi.input": io.BytesIO(),
                "wsgi.errors": io.StringIO(),
            }
            body = b"".join(application(environ, lambda status, headers, *_: answered.append((status, headers))))
            [(status, headers)] = answered
            assert environ["wsgi.errors"].getvalue() == ""  # type: ignore[attr-defined]
            return Answer(int(status.split()[0]), dict(headers), body.decode())

        yield call


def test_formats_sql(get: Get) -> None:
    assert get("/format", sql="select a, b from t where x = 1").body == "SELECT a,\n       b\nFROM t\nWHERE x = 1\n"


def test_encodes_a_domain_name(get: Get) -> None:
    assert get("/idna", domain="Bücher.example").body == "xn--bcher-kva.example\n"


def test_is_healthy_and_says_what_it_does(get: Get) -> None:
    assert get("/healthz").body == "ok\n"
    assert "/format" in get("/").body


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/format", {"sql": "<script>alert(1)</script>"}),
        ("/idna", {"domain": "<img src=x onerror=alert(1)>"}),
        ("/<script>alert(1)</script>", {}),
        ("/format", {}),
        ("/idna", {"domain": "\u0000\u202e"}),
        ("/format", {"sql": "[" * 250 + "]" * 250}),
        ("/format", {"sql": "[" * 500}),
    ],
)
def test_a_hostile_query_stays_text(get: Get, path: str, query: dict[str, str]) -> None:
    answer = get(path, **query)
    assert answer.status in {200, 400, 404}
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert "Traceback" not in answer.body


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/format", {"sql": "a" * 501}, 413),
        ("/idna", {"domain": "a" * 254}, 413),
        ("/idna", {"domain": "..".join("ab")}, 400),
        ("/format", {}, 400),
        ("/nowhere", {}, 404),
    ],
)
def test_what_its_old_packages_cannot_bear_is_refused(get: Get, path: str, query: dict[str, str], status: int) -> None:
    assert get(path, **query).status == status


def test_only_reads(get: Get) -> None:
    assert get("/format", method="POST", sql="select 1").status == 405
