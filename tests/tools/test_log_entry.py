import base64
import hashlib
import json
from typing import Any

import pytest

from sc_secure.tools.log_entry import LogEntry, log_entry, older_entry

BODY = b'{"apiVersion":"0.0.1","kind":"dsse"}'
LEAF = hashlib.sha256(b"\x00" + BODY).hexdigest()


def bundle(checkpoint: str, **entry: Any) -> bytes:
    whole = {
        "logIndex": "25579",
        "logId": {"keyId": base64.b64encode(bytes(32)).decode()},
        "canonicalizedBody": base64.b64encode(BODY).decode(),
        "inclusionProof": {"logIndex": "7", "checkpoint": {"envelope": checkpoint}},
        **entry,
    }
    return json.dumps({"verificationMaterial": {"tlogEntries": [whole]}}).encode()


def test_a_rekor_1_has_a_uuid_of_its_tree_and_the_leaf() -> None:
    found = log_entry(bundle("rekor.sigstore.dev - 1193050959916656506\n8\nroot\n", integratedTime="1700000000"))
    assert found == LogEntry("25579", "00" * 32, f"108e9186e8c5677a{LEAF}", "2023-11-14T22:13:20Z")


def test_a_rekor_2_has_none() -> None:
    assert log_entry(bundle("log2025-1.rekor.sigstore.dev\n8\nroot\n")) == LogEntry("25579", "00" * 32, "", "")


def test_the_first_entry_has_no_number() -> None:
    content = json.loads(bundle("log\n"))
    del content["verificationMaterial"]["tlogEntries"][0]["logIndex"]
    found = log_entry(json.dumps(content).encode())
    assert found
    assert found.index == "0"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"verificationMaterial": {}}',
        b'{"verificationMaterial": {"tlogEntries": []}}',
        b'{"verificationMaterial": {"tlogEntries": [3]}}',
        bundle("x", logIndex="many"),
        bundle("x", logId={"keyId": "?"}),
        bundle("x", inclusionProof=None),
        bundle("x", integratedTime="9" * 30),
        bundle("x - 1\n", canonicalizedBody="?"),
    ],
)
def test_what_is_none(content: bytes) -> None:
    assert log_entry(content) is None


def older(**payload: Any) -> dict[str, Any]:
    body = base64.b64encode(BODY).decode()
    return {"Payload": {"body": body, "integratedTime": 1700000000, "logIndex": 7, "logID": "ab" * 32, **payload}}


def test_the_older_form_doesnt_name_the_tree() -> None:
    assert older_entry(older()) == LogEntry("7", "ab" * 32, LEAF, "2023-11-14T22:13:20Z")


@pytest.mark.parametrize(
    "bundle",
    [
        None,
        3,
        {},
        {"Payload": []},
        older(logID="x"),
        older(logIndex="many"),
        older(integratedTime=10**30),
        older(body="?"),
    ],
)
def test_what_is_none_in_the_older_form(bundle: object) -> None:
    assert older_entry(bundle) is None
