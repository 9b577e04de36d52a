"""Reads and writes what is attached to an image in a registry without a referrers API, as any writer could."""

import hashlib
import json
import urllib.request
from typing import Any

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def bundle_of(image: str, manifest: str) -> dict[str, Any]:
    """The bundle of an attachment."""
    layers = json.loads(get(image, f"manifests/{manifest}"))["layers"]
    return json.loads(get(image, f"blobs/{layers[0]['digest']}"))


def put_bundle(image: str, content: bytes, *, like: str) -> str:
    """Attach content as the newest bundle; the digest of its manifest, which else is like another's."""
    digest = _digest(content)
    send(image, "POST", f"blobs/uploads/?digest={digest}", content, "application/octet-stream")
    manifest = json.loads(get(image, f"manifests/{like}"))
    manifest["layers"][0] |= {"digest": digest, "size": len(content)}
    body = json.dumps(manifest).encode()
    send(image, "PUT", f"manifests/{_digest(body)}", body, _MANIFEST)
    tag = f"manifests/{image.partition('@')[2].replace(':', '-')}"
    index = json.loads(get(image, tag))
    same = next(entry for entry in index["manifests"] if entry["digest"] == like)
    index["manifests"].append({**same, "digest": _digest(body), "size": len(body)})
    send(image, "PUT", tag, json.dumps(index).encode(), _INDEX)
    return _digest(body)


def put_referrer(image: str, content: bytes) -> None:
    """Attach something as the only thing that refers to the image, which is no bundle: as another tool would."""
    digest, tag = _digest(content), image.partition("@")[2].replace(":", "-")
    send(image, "POST", f"blobs/uploads/?digest={digest}", content, "application/octet-stream")
    blob = {"mediaType": "text/plain", "digest": digest, "size": len(content)}
    body = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": blob, "layers": [blob]}).encode()
    send(image, "PUT", f"manifests/{_digest(body)}", body, _MANIFEST)
    entry = {"mediaType": _MANIFEST, "digest": _digest(body), "size": len(body), "artifactType": "text/plain"}
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [entry]}
    send(image, "PUT", f"manifests/{tag}", json.dumps(index).encode(), _INDEX)


def get(image: str, path: str) -> bytes:
    """What the registry has there, of the image's repository."""
    with urllib.request.urlopen(_url(image, path), timeout=10) as response:  # noqa: S310 - http on loopback
        return response.read()


def send(image: str, method: str, path: str, body: bytes, media_type: str) -> None:
    """Write to the image's repository."""
    headers = {"Content-Type": media_type}
    request = urllib.request.Request(_url(image, path), body, headers, method=method)  # noqa: S310 - http on loopback
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - http on loopback
        pass


def _url(image: str, path: str) -> str:
    host, _, name = image.partition("@")[0].partition("/")
    return f"http://{host}/v2/{name}/{path}"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
