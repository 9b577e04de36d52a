"""A bundle gets its log entry. Real logs are asked in tests/steps/test_rekor_v1.py; what answers here is a fake of one
that goes wrong, which a real Rekor can't be made to."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sc_secure.errors import InfrastructureError, NotAuthorised
from sc_secure.tools import rekor
from sc_secure.tools.log_request import CannotAsk
from sc_secure.tools.logs import Log as AskedLog
from sc_secure.tools.transient import TransientFailure

UUID = "24296fb24b8ad77a" + "ab" * 32
BODY = base64.b64encode(b'{"kind": "dsse", "apiVersion": "0.0.1"}').decode()
PROOF = {"logIndex": 7, "rootHash": "ab", "treeSize": 8, "hashes": ["cd"], "checkpoint": "log - 1\n8\n"}
ENTRY: dict[str, Any] = {
    "body": BODY,
    "integratedTime": 1700000000,
    "logID": "ef",
    "logIndex": 70,
    "verification": {"inclusionProof": PROOF, "signedEntryTimestamp": "c2V0"},
}
ENVELOPE = {"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "c2ln"}]}
BUNDLE = json.dumps({"verificationMaterial": {"publicKey": {"hint": "h"}}, "dsseEnvelope": ENVELOPE}).encode()
Answer = tuple[int, dict[str, str], str]


class Log:
    """Answers as it is told, one answer a request."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, str, bytes]] = []
        log = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                log.asked.append((self.command, self.path, body))
                status, headers, content = log.answers.pop(0)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content.encode())

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


def logged(bundle: bytes, url: str, key: bytes) -> bytes:
    return rekor.logged(bundle, [AskedLog(url, 1)], key)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)
    found = Log()
    threading.Thread(target=found.server.serve_forever, args=(0.02,), daemon=True).start()
    yield found
    found.server.shutdown()
    found.server.server_close()


def entry(**changed: object) -> str:
    return json.dumps({UUID: {**ENTRY, **changed}})


def test_a_bundle_gets_its_entry(log: Log) -> None:
    log.answers = [(201, {}, entry())]
    made = json.loads(logged(BUNDLE, f"{log.url}/", b"a key"))
    assert made["dsseEnvelope"] == ENVELOPE
    assert made["verificationMaterial"] == {
        "publicKey": {"hint": "h"},
        "tlogEntries": [
            {
                "logIndex": "70",
                "logId": {"keyId": "7w=="},
                "kindVersion": {"kind": "dsse", "version": "0.0.1"},
                "integratedTime": "1700000000",
                "inclusionPromise": {"signedEntryTimestamp": "c2V0"},
                "inclusionProof": {
                    "logIndex": "7",
                    "rootHash": "qw==",
                    "treeSize": "8",
                    "hashes": ["zQ=="],
                    "checkpoint": {"envelope": "log - 1\n8\n"},
                },
                "canonicalizedBody": BODY,
            }
        ],
    }
    ((method, path, body),) = log.asked
    assert (method, path) == ("POST", "/api/v1/log/entries")
    proposed = json.loads(body)["spec"]["proposedContent"]
    assert json.loads(proposed["envelope"]) == ENVELOPE
    assert proposed["verifiers"] == [base64.b64encode(b"a key").decode()]


def test_an_entry_that_is_there_is_asked_of_the_same_log(log: Log) -> None:
    log.answers = [(409, {"Location": f"https://elsewhere.test/x/{UUID}"}, "{}"), (200, {}, entry())]
    assert json.loads(logged(BUNDLE, log.url, b""))["verificationMaterial"]["tlogEntries"][0]["logIndex"] == "70"
    assert log.asked[1][:2] == ("GET", f"/api/v1/log/entries/{UUID}")


@pytest.mark.parametrize("where", ["", "/", f"/{UUID}/../../x", "/" + UUID[1:], f"/{UUID}%2f", "/" + UUID.upper()])
def test_a_conflict_that_names_no_entry_is_tried_again(log: Log, where: str) -> None:
    log.answers = [(409, {"Location": where}, "{}"), (201, {}, entry())]
    logged(BUNDLE, log.url, b"")
    assert [path for _, path, _ in log.asked] == ["/api/v1/log/entries"] * 2
    assert log.asked[0] == log.asked[1], "the very same envelope"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "<html>",
        json.dumps({UUID: 1}),
        json.dumps({UUID: ENTRY, "another": ENTRY}),
        entry(body=None),
        entry(body="***"),
        entry(body="e30="),
        entry(logID="no hexadecimal"),
        entry(verification=None),
        entry(verification={"signedEntryTimestamp": "c2V0"}),
        entry(verification={"inclusionProof": {**PROOF, "hashes": "cd"}, "signedEntryTimestamp": "c2V0"}),
    ],
)
def test_what_is_no_entry_is_refused(log: Log, content: str) -> None:
    log.answers = [(200, {}, content)]
    with pytest.raises(InfrastructureError, match=r"/api/v1/log/entries|an entry: not a JSON object"):
        logged(BUNDLE, log.url, b"")


@pytest.mark.parametrize(
    ("status", "error", "tries"),
    [
        (400, InfrastructureError, 1),
        (403, NotAuthorised, 1),
        (404, InfrastructureError, 1),
        (503, TransientFailure, 4),
    ],
)
def test_a_refusal(log: Log, status: int, error: type[Exception], tries: int) -> None:
    log.answers = [(status, {}, "no")] * 4
    said = "isn't a Rekor 1" if status == 404 else f"HTTP {status}"
    with pytest.raises(error, match=said) as raised:
        logged(BUNDLE, log.url, b"")
    assert type(raised.value) is error
    assert len(log.asked) == tries
    assert "nothing was attached" in getattr(raised.value, "advice", "")


@pytest.mark.parametrize("status", [301, 302, 303, 307])
def test_what_is_signed_goes_nowhere_else(log: Log, status: int) -> None:
    elsewhere = Log()
    threading.Thread(target=elsewhere.server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        log.answers = [(status, {"Location": f"{elsewhere.url}/x"}, "")]
        with pytest.raises(InfrastructureError, match=f"HTTP {status}"):
            logged(BUNDLE, log.url, b"")
    finally:
        elsewhere.server.shutdown()
        elsewhere.server.server_close()
    assert elsewhere.asked == []


KEY = b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(
    bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + bytes(65)
)
"""Of the form of a key of P-256: the fake doesn't look at it."""
ROOT = base64.b64encode(bytes(32)).decode()


def logged_in_2(log: Log, names: tuple[bytes, ...] = ()) -> bytes:
    return rekor.logged(BUNDLE, [AskedLog(log.url, 2, names)], KEY)


@pytest.mark.parametrize("index", ["", "-1", "x", "1.0", "9" * 20, "\u00b2"])
def test_a_rekor_2_s_conflict_without_a_number_is_tried_again(log: Log, index: str) -> None:
    log.answers = [(409, {"X-Log-Index": index}, "{}")] * 4
    with pytest.raises(TransientFailure, match="HTTP 409"):
        logged_in_2(log)
    assert len({body for _, _, body in log.asked}) == 1, "the very same signature"


@pytest.mark.parametrize("content", ["", "[]", "{}", "<html>", '{"inclusionProof": null}', '{"inclusionProof": {}}'])
def test_what_is_no_entry_of_a_rekor_2_is_refused(log: Log, content: str) -> None:
    log.answers = [(201, {}, content)]
    with pytest.raises(InfrastructureError, match=r"isn't a log entry|not a JSON object"):
        logged_in_2(log)


def test_another_entry_of_that_number_is_refused(log: Log) -> None:
    """The only leaf of a tree is its root: 32 zeros, which are no entry's hash."""
    signed = base64.b64encode(b"namesignature").decode()
    checkpoint = f"log\n1\n{ROOT}\n\n- log {signed}\n"
    tile = "\0" * 32
    log.answers = [(409, {"X-Log-Index": "0"}, "{}"), (200, {}, checkpoint), (200, {}, tile)]
    with pytest.raises(InfrastructureError, match="its entry 0 is another one"):
        logged_in_2(log, (b"name of the log",))
    assert [path for _, path, _ in log.asked[1:]] == ["/api/v2/checkpoint", "/api/v2/tile/0/000.p/1"]


def test_a_checkpoint_that_never_fits_comes_to_an_end(log: Log) -> None:
    log.answers = [(409, {"X-Log-Index": "7"}, "{}"), (200, {}, f"log\n1\n{ROOT}\n\n- log AAAA\n")] * 4
    with pytest.raises(TransientFailure, match="of its entry 7: the tree hasn't grown to it yet"):
        logged_in_2(log)
    assert len(log.asked) == 8


def test_a_key_of_an_unknown_kind_is_for_cosign(log: Log) -> None:
    with pytest.raises(CannotAsk, match="algorithm"):
        rekor.logged(BUNDLE, [AskedLog(log.url, 2)], b"-----BEGIN PUBLIC KEY-----\nMAA=\n")
    assert log.asked == []
