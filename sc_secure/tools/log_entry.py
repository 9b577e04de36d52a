"""A bundle's transparency-log entry: where the signature stands in Rekor.

https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_rekor.proto (`TransparencyLogEntry`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import Json, parse_object

_TREE = re.compile(r".+ - (\d{1,20})", re.ASCII)
"""A Rekor 1's name for itself in a checkpoint, with its tree's number; a Rekor 2 has none."""


@dataclass(frozen=True)
class LogEntry:
    """An entry, as the bundle tells it: read only where cosign verified the bundle."""

    index: str
    """Its number in the log."""
    log_id: str
    """The log's own name, in hexadecimal."""
    uuid: str
    """A Rekor 1's name for the entry: the leaf's hash, and before it the tree's number where a bundle tells it; empty
    for a Rekor 2, which has none."""
    time: str
    """When a Rekor 1 took it, by its own clock, as RFC 3339; empty for a Rekor 2, which has none."""


def log_entry(bundle: bytes) -> LogEntry | None:
    """The first entry of a bundle; None: it has none."""
    try:
        material = cast("Json", parse_object(bundle, "a bundle")["verificationMaterial"])
        entry = cast("list[Json]", material["tlogEntries"])[0]
        log_id = base64.b64decode(str(cast("Json", entry["logId"])["keyId"]), validate=True).hex()
        # protobuf's JSON leaves out what is zero.
        index, seconds = int(str(entry.get("logIndex", 0))), int(str(entry.get("integratedTime", 0)))
        return LogEntry(str(index), log_id, _uuid(entry), _time(seconds))
    except (InfrastructureError, KeyError, IndexError, TypeError, ValueError, OverflowError, OSError):
        return None


def older_entry(bundle: object) -> LogEntry | None:
    """The entry that cosign's older form keeps beside a signature; None: it isn't one.

    https://github.com/sigstore/cosign/blob/v3.1.3/specs/SIGNATURE_SPEC.md (`dev.sigstore.cosign/bundle`)

    Args:
        bundle: the annotation's content.
    """
    try:
        payload = cast("Json", cast("Json", bundle)["Payload"])
        log_id = bytes.fromhex(str(payload["logID"])).hex()
        leaf = _leaf(str(payload["body"]))
        return LogEntry(str(int(str(payload["logIndex"]))), log_id, leaf, _time(int(str(payload["integratedTime"]))))
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z") if seconds else ""


def _uuid(entry: Json) -> str:
    """The tree's number and the leaf's hash (RFC 6962, 2.1), which a Rekor 1 calls the entry by."""
    checkpoint = cast("Json", cast("Json", entry["inclusionProof"])["checkpoint"])["envelope"]
    tree = _TREE.fullmatch(str(checkpoint).partition("\n")[0])
    if tree is None:
        return ""
    return f"{int(tree[1]):016x}{_leaf(str(entry['canonicalizedBody']))}"


def _leaf(body: str) -> str:
    """The leaf's hash, of the entry in base64."""
    return hashlib.sha256(bytes(1) + base64.b64decode(body, validate=True)).hexdigest()
