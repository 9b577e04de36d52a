import base64
import hashlib
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from sc_secure.errors import InfrastructureError, NotAuthorised, VerificationFailed
from sc_secure.tools.reference import Place
from sc_secure.tools.registry import Credentials, Registry
from sc_secure.tools.registry_access import Access
from sc_secure.tools.transient import TransientFailure
from sc_secure.tools.web import is_loopback


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


SUBJECT = digest_of(b"subject")
MANIFEST = b'{"layers":[]}'


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Server(http.server.ThreadingHTTPServer):
    """A registry made of canned answers, one list a path; the last is repeated."""

    answers: dict[str, list[Answer]]
    seen: list[tuple[str, str]]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization", "")))
        answers = self.server.answers.get(self.path.partition("?")[0], [Answer(404)])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value.replace("HOST", self.server.host))
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.001)
    made = Server(("127.0.0.1", 0), Handler)
    made.answers, made.seen = {}, []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def client(server: Server, credentials: Callable[[], Credentials | None] = lambda: None) -> Registry:
    return Registry(server.host, "app", credentials)


def test_a_manifest_is_read_once_by_digest_and_each_time_by_tag(server: Server) -> None:
    digest = digest_of(MANIFEST)
    paths = {name: f"/v2/app/manifests/{name}" for name in (digest, "tag")}
    server.answers = {path: [Answer(body=MANIFEST)] for path in paths.values()}
    registry = client(server)
    for reference in (digest, digest, "tag", "tag"):
        assert registry.manifest(reference) is not None
    assert [path for path, _ in server.seen] == [paths[digest], paths["tag"], paths["tag"]]


def test_a_manifest_by_digest_is_checked(server: Server) -> None:
    server.answers[f"/v2/app/manifests/{digest_of(MANIFEST)}"] = [Answer(body=MANIFEST)]
    found = client(server).manifest(digest_of(MANIFEST))
    assert found
    assert found.content == {"layers": []}
    server.answers[f"/v2/app/manifests/{SUBJECT}"] = [Answer(body=MANIFEST)]
    with pytest.raises(VerificationFailed):
        client(server).manifest(SUBJECT)
    assert client(server).manifest(digest_of(b"none")) is None


def test_a_blob_is_checked_and_bounded(server: Server) -> None:
    path = f"/v2/app/blobs/{digest_of(b'x' * 100)}"
    server.answers[path] = [Answer(body=b"x" * 100)]
    assert client(server).blob(digest_of(b"x" * 100), limit=100) == b"x" * 100
    with pytest.raises(InfrastructureError, match="more than 99"):
        client(server).blob(digest_of(b"x" * 100), limit=99)
    server.answers[path] = [Answer(body=b"y")]
    with pytest.raises(VerificationFailed):
        client(server).blob(digest_of(b"x" * 100), limit=100)


INDEX = {"Content-Type": "application/vnd.oci.image.index.v1+json"}


def index(*names: bytes) -> bytes:
    return json.dumps({"manifests": [{"digest": digest_of(name)} for name in names] + [{"digest": "odd"}, 7]}).encode()


def test_referrers_by_the_api_in_pages(server: Server) -> None:
    link = {**INDEX, "Link": f'</v2/app/referrers/{SUBJECT}?n=2>; rel="next"'}
    server.answers[f"/v2/app/referrers/{SUBJECT}"] = [
        Answer(body=index(b"a"), headers=link),
        Answer(body=index(b"b"), headers=INDEX),
    ]
    assert client(server).referrers(SUBJECT) == [digest_of(b"a"), digest_of(b"b")]


def test_a_page_of_another_host_is_not_followed(server: Server) -> None:
    link = {**INDEX, "Link": '<https://evil.example/v2/x>; rel="next"'}
    server.answers[f"/v2/app/referrers/{SUBJECT}"] = [Answer(body=index(b"a"), headers=link)]
    assert client(server).referrers(SUBJECT) == [digest_of(b"a")]


def test_referrers_by_the_fallback_tag(server: Server) -> None:
    assert client(server).referrers(SUBJECT) == []
    server.answers[f"/v2/app/manifests/{SUBJECT.replace(':', '-')}"] = [Answer(body=index(b"a"))]
    assert client(server).referrers(SUBJECT) == [digest_of(b"a")]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, b'{"errors":[{"code":"UNSUPPORTED"}]}'),
        Answer(406),
        Answer(200, b"<html>", {"Content-Type": "text/html"}),
        Answer(200, b"{}", {"Content-Type": "application/json"}),
    ],
)
def test_what_cosign_takes_for_no_referrers_api_is_none_here_too(server: Server, answer: Answer) -> None:
    server.answers[f"/v2/app/referrers/{SUBJECT}"] = [answer]
    server.answers[f"/v2/app/manifests/{SUBJECT.replace(':', '-')}"] = [Answer(body=index(b"a"))]
    assert client(server).referrers(SUBJECT) == [digest_of(b"a")]
    access = Access(Place(server.host, "app", SUBJECT, "app"), lambda: None)
    assert access.has_referrers() is False
    server.answers[f"/v2/app/referrers/{SUBJECT}"] = [Answer(body=index(), headers=INDEX)]
    assert access.has_referrers() is True


@pytest.mark.parametrize("status", [405, 501])
def test_another_answer_is_no_word_on_it(server: Server, status: int) -> None:
    server.answers[f"/v2/app/referrers/{SUBJECT}"] = [Answer(status)]
    with pytest.raises(InfrastructureError, match=str(status)):
        client(server).referrers(SUBJECT)


def test_basic_login(server: Server) -> None:
    challenge = Answer(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
    server.answers["/v2/app/manifests/1"] = [challenge, Answer(body=MANIFEST)]
    assert client(server, lambda: Credentials("bob", "pw")).manifest("1")
    assert server.seen[-1][1] == "Basic " + base64.b64encode(b"bob:pw").decode()


def test_token_login(server: Server) -> None:
    value = 'Bearer realm="http://HOST/token",service="s",scope="repository:app:pull"'
    server.answers["/v2/app/manifests/1"] = [Answer(401, headers={"WWW-Authenticate": value}), Answer(body=MANIFEST)]
    server.answers["/token"] = [Answer(body=b'{"token":"t0k"}')]
    assert client(server, lambda: Credentials("bob", "pw")).manifest("1")
    (_, none), (asked, basic), (_, bearer) = server.seen
    assert none == ""
    assert asked == "/token?service=s&scope=repository%3Aapp%3Apull"
    assert basic.startswith("Basic ")
    assert bearer == "Bearer t0k"


def test_a_token_service_that_is_not_https_gets_nothing(server: Server) -> None:
    value = 'Bearer realm="http://evil.example/token"'
    server.answers["/v2/app/manifests/1"] = [Answer(401, headers={"WWW-Authenticate": value})]
    with pytest.raises(InfrastructureError, match="isn't https"):
        client(server, lambda: Credentials("bob", "pw")).manifest("1")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_tried_again(server: Server, status: int) -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="r"'}
    server.answers["/v2/app/manifests/1"] = [Answer(status, headers=challenge)]
    with pytest.raises(NotAuthorised):
        client(server, lambda: Credentials("bob", "wrong")).manifest("1")
    assert len(server.seen) <= 2
    with pytest.raises(NotAuthorised):
        client(server).manifest("1")


def test_a_redirect_carries_no_login(server: Server) -> None:
    challenge = Answer(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
    path = f"/v2/app/blobs/{digest_of(b'x')}"
    server.answers[path] = [challenge, Answer(307, headers={"Location": "http://HOST/store"})]
    server.answers["/store"] = [Answer(body=b"x")]
    assert client(server, lambda: Credentials("bob", "pw")).blob(digest_of(b"x"), limit=9) == b"x"
    assert server.seen[-1] == ("/store", "")


def test_a_redirect_to_plain_http_is_refused(server: Server) -> None:
    path = f"/v2/app/blobs/{digest_of(b'x')}"
    server.answers[path] = [Answer(307, headers={"Location": "http://storage.example/x"})]
    with pytest.raises(InfrastructureError, match="isn't https"):
        client(server).blob(digest_of(b"x"), limit=9)


def test_a_bad_moment_is_tried_again(server: Server) -> None:
    server.answers["/v2/app/manifests/1"] = [Answer(503), Answer(429), Answer(body=MANIFEST)]
    assert client(server).manifest("1")
    server.answers["/v2/app/manifests/1"] = [Answer(500)]
    with pytest.raises(TransientFailure, match="HTTP 500"):
        client(server).manifest("1")


def test_a_registry_is_left_alone_for_as_long_as_it_asks(server: Server) -> None:
    server.answers["/v2/app/manifests/1"] = [Answer(429, headers={"Retry-After": "1"}), Answer(body=MANIFEST)]
    began = time.monotonic()
    assert client(server).manifest("1")
    assert 1 <= time.monotonic() - began < 5


def test_rubbish(server: Server) -> None:
    server.answers["/v2/app/manifests/1"] = [Answer(body=b"[" * 100_000)]
    with pytest.raises(InfrastructureError, match="not a JSON object"):
        client(server).manifest("1")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost:5000", True),
        ("127.0.0.1", True),
        ("127.8.9.1:1", True),
        ("[::1]:5000", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("10.0.0.1:5000", False),
        ("ghcr.io", False),
        ("", False),
    ],
)
def test_plain_http_is_for_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_credentials_are_not_printed() -> None:
    assert "pw" not in repr(Credentials("bob", "pw", "tok"))
