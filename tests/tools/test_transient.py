"""Messages that tools and registries really print."""

from datetime import UTC, datetime

import pytest

from sc_secure.errors import NotAuthorised
from sc_secure.tools import transient
from sc_secure.tools.transient import (
    Kind,
    Retrying,
    TransientFailure,
    classify,
    classify_status,
    failure,
    retry_after,
    retrying,
    with_retries,
)

DIAL = 'Get "https://r.example/v2/": dial tcp'


@pytest.mark.parametrize(
    "message",
    [
        f"{DIAL} 127.0.0.1:5912: connect: connection refused",
        f"{DIAL}: lookup r.example on 10.0.0.2:53: no such host",
        f"{DIAL}: lookup r.example: i/o timeout",
        f"{DIAL}: lookup r.example on 127.0.0.11:53: server misbehaving",
        "read tcp 10.0.0.1:40000->10.0.0.2:443: read: connection reset by peer",
        "net/http: TLS handshake timeout",
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        "PUT https://r.example/v2/x/blobs/uploads/: unexpected status code 503 Service Unavailable",
        "HEAD https://r.example/v2/x: unexpected status code 502 Bad Gateway (HEAD responses have no body)",
        "GET https://index.docker.io/v2/x: TOOMANYREQUESTS: You have reached your unauthenticated pull rate limit.",
        "unexpected status code 429 Too Many Requests",
        "unexpected status code 408 Request Timeout",
        "INTERNAL_SERVER_ERROR: unexpected status code 500 Internal Server Error",
        "unexpected EOF",
        "[Errno -3] Temporary failure in name resolution",
        "[Errno -2] Name or service not known",
        "[Errno 104] Connection reset by peer",
        "timed out",
        "write: broken pipe",
        # cosign, of a Fulcio or a timestamp authority that answered 429 or 5xx twice
        "signing bundle: error signing bundle: http: read on closed response body",
        'adding rekor v2 entry: unexpected response: 409 {"code":6}',
        "adding rekor v2 entry: unexpected response: 500 ",
        'error signing bundle: Post "http://127.0.0.1:36895/api/v2/signingCert": EOF',
        "[POST /api/v1/log/entries][409] createLogEntryConflict &{Code:409 Message:an equivalent entry exists}",
        "stream error: stream ID 5; INTERNAL_ERROR; http2: server sent GOAWAY and closed the connection; GOAWAY",
    ],
)
def test_what_may_pass(message: str) -> None:
    assert classify(message) is Kind.TRANSIENT


@pytest.mark.parametrize(
    "message",
    [
        "GET https://r.example/v2/x/manifests/1: UNAUTHORIZED: authentication required; [map[Action:pull]]",
        "POST https://r.example/v2/x/blobs/uploads/: DENIED: permission_denied: write_package",
        "unexpected status code 401 Unauthorized",
        "unexpected status code 403 Forbidden",
        "GET https://auth.docker.io/token?service=x: unexpected status code 401 Unauthorized",
        "denied: requested access to the resource is denied",
        "no basic auth credentials",
        "AccessDeniedException: User is not authorized to perform: kms:Sign",
        "unexpected status code 401 Unauthorized after 503 Service Unavailable",
    ],
)
def test_a_refusal(message: str) -> None:
    assert classify(message) is Kind.NOT_AUTHORISED


@pytest.mark.parametrize(
    "message",
    [
        "",
        "decrypt: encrypted: decryption failed",
        "no matching attestations: ",
        "unexpected status code 404 Not Found (HEAD responses have no body, use GET for details)",
        "x509: certificate signed by unknown authority",
        "could not parse reference: app@sha256:4015030000",
        "MANIFEST_UNKNOWN: sha256:5030500429401403",
        "open /var/lib/x: no such file or directory",
    ],
)
def test_what_stays(message: str) -> None:
    assert classify(message) is Kind.PERMANENT


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Kind.PERMANENT), (401, Kind.NOT_AUTHORISED), (403, Kind.NOT_AUTHORISED), (404, Kind.PERMANENT)]
    + [(status, Kind.TRANSIENT) for status in (408, 429, 500, 502, 503, 504)],
)
def test_statuses(status: int, kind: Kind) -> None:
    assert classify_status(status) is kind


def test_backoff_grows_and_ends() -> None:
    slept: list[float] = []

    def fail() -> None:
        raise TransientFailure("x")

    with pytest.raises(TransientFailure):
        with_retries(fail, sleep=slept.append)
    assert len(slept) == transient.ATTEMPTS - 1
    for n, seconds in enumerate(slept):
        assert 0.5 <= seconds / (transient.BASE_DELAY * 2**n) <= 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("3", 3),
        ("3600", transient.MAX_RETRY_AFTER),
        ("-3", 0),
        ("1e9", 0),
        ("soon", 0),
        ("Wed, 25 Nov 2026 10:00:07 GMT", 7),
        ("Wed, 25 Nov 2026 09:00:00 GMT", 0),
        ("Wed, 25 Nov 2099 09:00:00 GMT", transient.MAX_RETRY_AFTER),
        ("Wed Nov 25 10:00:07 2026", 7),
        ("Wednesday, 25-Nov-26 10:00:07 GMT", 7),
        ("Wed, 25 Nov 2026 10:00:07 -0000", 7),
        ("Mon, 01 Jan 0001 00:00:00 +2300", 0),
    ],
)
def test_a_pause_that_is_asked_for(header: str | None, seconds: float) -> None:
    assert retry_after(header, datetime(2026, 11, 25, 10, tzinfo=UTC)) == seconds


def test_a_pause_that_is_asked_for_is_kept() -> None:
    slept: list[float] = []
    results = [failure(Kind.TRANSIENT, "x", after=20), None]

    def once() -> None:
        error = results.pop(0)
        if error:
            raise error

    with_retries(once, sleep=slept.append)
    assert slept == [20]


@pytest.mark.parametrize(
    ("how", "pauses"),
    [
        (Retrying(1), []),
        (Retrying(3, 0), [0, 0]),
        (Retrying(None, 0), [0] * (transient.ATTEMPTS - 1)),
        (Retrying(5, 2), [2, 4, 8, 8]),
        (Retrying(3, 30), [30, 30]),
    ],
)
def test_as_a_run_wants_it(how: Retrying, pauses: list[float]) -> None:
    slept: list[float] = []

    def fail() -> None:
        raise TransientFailure("x")

    with retrying(how), pytest.raises(TransientFailure):
        with_retries(fail, sleep=slept.append)
    assert len(slept) == len(pauses)
    assert all(most / 2 <= seconds <= most for seconds, most in zip(slept, pauses, strict=True))
    slept.clear()
    with pytest.raises(TransientFailure):
        with_retries(fail, sleep=slept.append)
    assert len(slept) == transient.ATTEMPTS - 1


def test_a_refusal_is_not_tried_again() -> None:
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        raise failure(Kind.NOT_AUTHORISED, "no")

    with pytest.raises(NotAuthorised):
        with_retries(fail)
    assert len(tries) == 1


def test_the_second_try_counts() -> None:
    results = [TransientFailure("x"), None]

    def once() -> str:
        error = results.pop(0)
        if error:
            raise error
        return "done"

    assert with_retries(once, sleep=lambda _: None) == "done"


def test_what_was_given_up_is_not_tried_again_by_what_holds_it() -> None:
    tries: list[int] = []

    def once() -> None:
        tries.append(1)
        raise TransientFailure("busy")

    def no_pause(_: float) -> None: ...

    with retrying(Retrying(attempts=3)), pytest.raises(TransientFailure):
        with_retries(lambda: with_retries(once, sleep=no_pause), sleep=no_pause)
    assert len(tries) == 3
