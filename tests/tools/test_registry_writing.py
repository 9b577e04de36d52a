"""Layers that are added to a tag. More of real registries: tests/registries, tests/steps/test_legacy*.py."""

import base64
import hashlib
import json
import subprocess
import uuid
from collections.abc import Callable

import pytest

from sc_secure.errors import InfrastructureError, NotAuthorised
from sc_secure.tools.registry import Credentials
from sc_secure.tools.registry_writing import Writer
from sc_secure.tools.transient import TransientFailure
from tests.canned import Answer, Request, canned

LOGIN = "Basic " + base64.b64encode(b"bob:pw").decode()
WANTS_LOGIN = Answer(401, headers={"WWW-Authenticate": 'Basic realm="r"'})


def add(host: str, content: bytes = b"layer", repository: str = "app", **notes: str) -> None:
    Writer(host, repository, lambda: Credentials("bob", "pw")).add_layer("tag", content, "text/plain", notes)


def test_a_real_registry_holds_a_sound_image(registry: str, tools_env: dict[str, str]) -> None:
    name = f"w{uuid.uuid4().hex[:12]}"
    for content, note in ((b"first", "1"), (b"second", "2"), (b"second", "2"), (b"second", "3")):
        add(registry, content, name, note=note)
    done = subprocess.run(
        ["crane", "manifest", f"{registry}/{name}:tag"], env=tools_env, check=True, capture_output=True, text=True
    )
    layers = json.loads(done.stdout)["layers"]
    assert [each["annotations"] for each in layers] == [{"note": "1"}, {"note": "2"}, {"note": "3"}]
    assert layers[0]["digest"] == f"sha256:{hashlib.sha256(b'first').hexdigest()}"
    check = ["crane", "validate", "--fast", "--remote", f"{registry}/{name}:tag"]
    subprocess.run(check, env=tools_env, check=True, capture_output=True)


def taking(uploads: str, *, before: Callable[[Request], Answer | None] = lambda _: None) -> Callable[[Request], Answer]:
    """A registry that takes all, which are uploaded to that place."""

    def answer(request: Request) -> Answer:
        first = before(request)
        if first:
            return first
        if request.method in ("GET", "HEAD"):
            return Answer(404)
        return Answer(202, headers={"Location": uploads}) if request.method == "POST" else Answer(201)

    return answer


def test_a_login_isnt_sent_where_an_upload_goes() -> None:
    def wants_login(request: Request) -> Answer | None:
        return None if request.headers.get("authorization") == LOGIN else WANTS_LOGIN

    with canned(lambda _: Answer(201)) as store, canned(
        taking(f"http://{store.host}/up?state=1", before=wants_login)
    ) as registry:  # fmt: skip
        add(registry.host)
    assert [each.method for each in store.seen] == ["PUT", "PUT"]
    assert all("authorization" not in each.headers for each in store.seen)
    assert all(each.path.startswith("/up?state=1&digest=sha256%3A") for each in store.seen)
    assert registry.seen[-1].method == "PUT"
    assert registry.seen[-1].headers["authorization"] == LOGIN


@pytest.mark.parametrize("place", ["http://store.example/up", "ftp://store.example/up", "file:///etc/passwd"])
def test_an_upload_goes_nowhere_in_the_clear(place: str) -> None:
    with canned(taking(place)) as registry, pytest.raises(InfrastructureError, match="isn't https"):
        add(registry.host)
    assert [each.method for each in registry.seen] == ["GET", "HEAD", "POST"]


@pytest.mark.parametrize(
    "manifest",
    [{"manifests": []}, {"layers": {}}, {"layers": [1]}, {"layers": "abc"}, {}],
)
def test_what_isnt_cosign_s_is_left_alone(manifest: object) -> None:
    body = json.dumps(manifest).encode()
    with canned(lambda _: Answer(body=body)) as registry, pytest.raises(InfrastructureError, match="isn't what cosign"):
        add(registry.host)
    assert {each.method for each in registry.seen} == {"GET"}


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (503, b"", TransientFailure, "PUT HTTP 503"),
        (429, b"", TransientFailure, "PUT HTTP 429"),
        (403, b"no\x1b[31m", NotAuthorised, r"PUT HTTP 403 no\\x1b"),
        (400, b"repository is immutable", InfrastructureError, "can't be overwritten"),
        (409, b"tag cannot be overwritten", InfrastructureError, "can't be overwritten"),
        (413, b"too large", InfrastructureError, "PUT HTTP 413 too large"),
    ],
)
def test_a_refusal(status: int, body: bytes, error: type[Exception], said: str) -> None:
    def refuse(request: Request) -> Answer | None:
        return Answer(status, body) if "/manifests/" in request.path and request.method == "PUT" else None

    with canned(taking("/up", before=refuse)) as registry, pytest.raises(error, match=said):
        add(registry.host)
    # Tried once: whether it was written is for the caller to see.
    assert [each.method for each in registry.seen].count("PUT") == 3


def test_a_wrong_login_is_told_once() -> None:
    with canned(lambda _: WANTS_LOGIN) as registry, pytest.raises(NotAuthorised):
        add(registry.host)
    assert len(registry.seen) == 2
