"""Reads and writes what is attached to an image in a registry without a referrers API, as any writer could."""

import hashlib
import json
import urllib.request
from typing import Any

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def bundle_of(image: str, manifest: str) -> dict[str, Any]:
    """The bundle of an attachment."""
    layers = json.loads(_get(image, f"manifests/{manifest}"))["layers"]
    return json.loads(_get(image, f"blobs/{layers[0]['digest']}"))


def put_bundle(image: str, content: bytes, *, like: str) -> str:
    """Attach content as the newest bundle; the digest of its manifest, which else is like another's."""
    digest = _digest(content)
    _send(image, "POST", f"blobs/uploads/?digest={digest}", content, "application/octet-stream")
    manifest = json.loads(_get(image, f"manifests/{like}"))
    manifest["layers"][0] |= {"digest": digest, "size": len(content)}
    body = json.dumps(manifest).encode()
    _send(image, "PUT", f"manifests/{_digest(body)}", body, _MANIFEST)
    tag = f"manifests/{image.partition('@')[2].replace(':', '-')}"
    index = json.loads(_get(image, tag))
    same = next(entry for entry in index["manifests"] if entry["digest"] == like)
    index["manifests"].append({**same, "digest": _digest(body), "size": len(body)})
    _send(image, "PUT", tag, json.dumps(index).encode(), _INDEX)
    return _digest(body)


def _get(image: str, path: str) -> bytes:
    with urllib.request.urlopen(_url(image, path), timeout=10) as response:  # noqa: S310 - http on loopback
        return response.read()


def _send(image: str, method: str, path: str, body: bytes, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    request = urllib.request.Request(_url(image, path), body, headers, method=method)  # noqa: S310 - http on loopback
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - http on loopback
        pass


def _url(image: str, path: str) -> str:
    host, _, name = image.partition("@")[0].partition("/")
    return f"http://{host}/v2/{name}/{path}"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
