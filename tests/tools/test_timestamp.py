"""What an authority may answer other than a timestamp. A real one answers in tests/steps/test_legacy_witnessed.py."""

import hashlib

import pytest

from sc_secure.errors import InfrastructureError, NotAuthorised
from sc_secure.tools.timestamp import timestamp
from sc_secure.tools.transient import TransientFailure
from tests.canned import Answer, Request, canned

GRANTED = b"\x30\x07\x30\x03\x02\x01\x00\x30\x00"
REJECTED = b"\x30\x05\x30\x03\x02\x01\x02"


def test_the_content_s_digest_is_asked_about_and_nothing_of_it_told() -> None:
    with canned(lambda _: Answer(body=GRANTED)) as authority:
        assert timestamp(f"http://{authority.host}/tsa", b"content") == GRANTED
        assert timestamp(f"http://{authority.host}/tsa", b"content") == GRANTED
    first, second = authority.seen
    assert (first.method, first.path) == ("POST", "/tsa")
    assert first.headers["content-type"] == "application/timestamp-query"
    assert hashlib.sha256(b"content").digest() in first.body
    assert b"content" not in first.body
    assert first.body != second.body  # another nonce


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\x30", b"\x30\x80", GRANTED[:-2], REJECTED, b"\x30\x82\x00", b"x" * 70000, GRANTED * 9000],
)
def test_what_is_no_timestamp(body: bytes) -> None:
    with canned(lambda _: Answer(body=body)) as authority, pytest.raises(InfrastructureError, match="no timestamp"):
        timestamp(f"http://{authority.host}", b"content")


@pytest.mark.parametrize(
    ("status", "error"), [(503, TransientFailure), (429, TransientFailure), (403, NotAuthorised), (404, Exception)]
)
def test_a_refusal(status: int, error: type[Exception]) -> None:
    answer = Answer(status, headers={"Retry-After": "7"})
    with canned(lambda _: answer) as authority, pytest.raises(error, match=f"HTTP {status}") as raised:
        timestamp(f"http://{authority.host}", b"content")
    if isinstance(raised.value, TransientFailure):
        assert raised.value.retry_after == 7


def test_it_isnt_followed_elsewhere() -> None:
    with canned(lambda _: Answer(body=GRANTED)) as elsewhere:

        def redirect(_: Request) -> Answer:
            return Answer(302, headers={"Location": f"http://{elsewhere.host}/"})

        with canned(redirect) as authority, pytest.raises(InfrastructureError, match="HTTP 302"):
            timestamp(f"http://{authority.host}", b"content")
    assert elsewhere.seen == []


def test_nobody_answers() -> None:
    with canned(lambda _: Answer()) as authority:
        pass
    with pytest.raises(TransientFailure, match="the timestamp authority"):
        timestamp(f"http://{authority.host}", b"content")
