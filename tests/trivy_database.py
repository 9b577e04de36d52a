"""trivy's vulnerability database, as a test wants it: a bbolt file (https://github.com/etcd-io/bbolt) and its metadata.

The advisories are those of grype's sample database, in the form of https://github.com/aquasecurity/trivy-db.
"""

import json
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from devtools import sample_database
from sc_secure.tools.bbolt import fnv1a
from sc_secure.tools.scanner import SAMPLE_PROVIDER

PAGE = 4096
Tree = Mapping[str, "Tree | bytes"]
"""A bucket: names, of buckets or of values."""
_SEVERITIES = ("unknown", "low", "medium", "high", "critical")
_SOURCES = {
    "python": ("pip::GitHub Security Advisory Pip", "ghsa"),
    "npm": ("npm::GitHub Security Advisory npm", "ghsa"),
}


def make(cache: Path, *, age: timedelta = timedelta(), more: Tree | None = None, empty: bool = False) -> dict[str, str]:
    """Makes the database; the variables that make trivy use it.

    Args:
        cache: trivy's cache folder.
        age: how long ago it says it was built.
        more: further buckets, which take the place of those of the same name.
        empty: nothing is in it.
    """
    folder = cache / "db"
    folder.mkdir(parents=True, exist_ok=True)
    built = (datetime.now(UTC) - age).isoformat().replace("+00:00", "Z")
    metadata = {"Version": 2, "UpdatedAt": built, "NextUpdate": built, "DownloadedAt": built}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    (folder / "trivy.db").write_bytes(_file({} if empty else {**_advisories(), **(more or {})}))
    return {"TRIVY_CACHE_DIR": str(cache), "TRIVY_SKIP_DB_UPDATE": "true", "TRIVY_SKIP_JAVA_DB_UPDATE": "true"}


def advisory(**said: Any) -> bytes:
    """A value of the database."""
    return json.dumps(said).encode()


def _advisories() -> Tree:
    tree: dict[str, Any] = {"vulnerability": {}, "data-source": {}, SAMPLE_PROVIDER: {"about": b"{}"}}
    for each in sample_database.advisories():
        level = _SEVERITIES.index(each["severity"]) if each["severity"] in _SEVERITIES else 0
        name = each.get("cve", each["id"])
        tree["vulnerability"][name] = advisory(
            Title=each["summary"], Severity=_SEVERITIES[level].upper(), VendorSeverity={"ghsa": level, "nvd": level}
        )
        for package in each["packages"]:
            if package["ecosystem"] not in _SOURCES:
                continue
            bucket, source = _SOURCES[package["ecosystem"]]
            tree["data-source"][bucket] = advisory(ID=source, Name="GitHub Security Advisory", URL="https://github.com")
            ranges = package["ranges"]
            tree.setdefault(bucket, {}).setdefault(package["name"], {})[name] = advisory(
                VendorIDs=[each["id"]],
                VulnerableVersions=[one["versions"] for one in ranges],
                PatchedVersions=[one["fix"] for one in ranges if one.get("fix")],
            )
    return tree


def _file(tree: Tree) -> bytes:
    pages: list[bytes] = []
    root = _write(tree, pages)
    body = b"".join(pages)
    count = 4 + len(body) // PAGE
    # Pages 0 and 1 say where the others are; page 2 lists the free ones: none; page 3 isn't used.
    metas = [_page(number, 4, 0, _meta(root, count, number)) for number in (0, 1)]
    return b"".join(metas) + _page(2, 0x10, 0, b"") + _page(3, 0x10, 0, b"") + body


def _meta(root: int, pages: int, transaction: int) -> bytes:
    content = struct.pack("<IIIIQQQQQ", 0xED0CDAED, 2, PAGE, 0, root, 0, 2, pages, transaction)
    return content + struct.pack("<Q", fnv1a(content))


def _write(tree: Tree, pages: list[bytes]) -> int:
    """Writes a bucket as one leaf, those within it first; its page's number."""
    entries: list[tuple[int, bytes, bytes]] = []
    for name, value in sorted(tree.items(), key=lambda each: each[0].encode()):
        bucket = not isinstance(value, bytes)
        content = struct.pack("<QQ", _write(value, pages), 0) if not isinstance(value, bytes) else value
        entries.append((int(bucket), name.encode(), content))
    where, elements, data = 16 * len(entries), b"", b""
    for number, (kind, key, value) in enumerate(entries):
        elements += struct.pack("<IIII", kind, where - 16 * number + len(data), len(key), len(value))
        data += key + value
    number = 4 + sum(len(page) for page in pages) // PAGE
    pages.append(_page(number, 2, len(entries), elements + data))
    return number


def _page(number: int, kind: int, count: int, content: bytes) -> bytes:
    size = 16 + len(content)
    more = (size - 1) // PAGE
    return (struct.pack("<QHHI", number, kind, count, more) + content).ljust((more + 1) * PAGE, b"\0")
