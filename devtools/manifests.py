"""The manifests of a registry that keeps them only in memory, written down and put back.

`crane registry serve --disk` has blobs on disk and nothing else. Without this, ending the registry would take every
image, signature and attestation out of it.
"""

import http.client
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from devtools import cache

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")


@dataclass(frozen=True)
class _Manifest:
    repository: str
    reference: str
    media_type: str
    body: str


def save(address: str, file: Path) -> None:
    """Writes down everything that a tag leads to, what an index holds before the index itself."""
    found: dict[tuple[str, str], _Manifest] = {}
    connection = _connect(address)
    try:
        for repository in _list(connection, "/v2/_catalog", "repositories"):
            for tag in _list(connection, f"/v2/{repository}/tags/list", "tags"):
                _collect(connection, repository, tag, found)
    finally:
        connection.close()
    cache.write_private(file, json.dumps([asdict(manifest) for manifest in found.values()]))


def restore(address: str, file: Path) -> int:
    """Puts back what was written down; how many manifests that were."""
    if not file.exists():
        return 0
    kept = [_Manifest(**entry) for entry in json.loads(file.read_text())]
    connection = _connect(address)
    try:
        for manifest in kept:
            path = f"/v2/{manifest.repository}/manifests/{manifest.reference}"
            connection.request("PUT", path, manifest.body.encode(), {"Content-Type": manifest.media_type})
            answer = connection.getresponse()
            answer.read()
            if answer.status != http.client.CREATED:
                raise OSError(f"registry {address} refused {path}: {answer.status}")
    finally:
        connection.close()
    return len(kept)


def _collect(
    connection: http.client.HTTPConnection, repository: str, reference: str, found: dict[tuple[str, str], _Manifest]
) -> None:
    if (repository, reference) in found:
        return
    connection.request("GET", f"/v2/{repository}/manifests/{reference}")
    answer = connection.getresponse()
    body = answer.read().decode()
    if answer.status != http.client.OK:
        return
    media_type = answer.getheader("Content-Type", "")
    if media_type in _INDEXES:
        children: list[dict[str, str]] = json.loads(body).get("manifests") or []
        for child in children:
            _collect(connection, repository, child["digest"], found)
    found[repository, reference] = _Manifest(repository, reference, media_type, body)


def _list(connection: http.client.HTTPConnection, path: str, key: str) -> list[str]:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    return (json.loads(body).get(key) or []) if answer.status == http.client.OK else []


def _connect(address: str) -> http.client.HTTPConnection:
    host, _, port = address.partition(":")
    return http.client.HTTPConnection(host, int(port), timeout=30)
