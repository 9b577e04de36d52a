"""Adds a layer to a tag of a registry: the one thing that is written there without cosign, whose `attach` can't keep a
certificate, a log entry or a timestamp beside an attestation.

Specification: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md (push). Each request is tried
once: whether a failed write was one is for the caller to see.
"""

from __future__ import annotations

import hashlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import Json
from sc_secure.tools.registry import Registry
from sc_secure.tools.text import printable
from sc_secure.tools.transient import classify_status, failure, retry_after
from sc_secure.tools.web import is_loopback

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_BLOB = "application/octet-stream"
_NOT_FOUND, _UNAUTHORIZED = 404, 401
_LONGEST_ERROR = 4096
_SHOWN_ERROR = 300
# The time is nobody's: the same layers are the same manifest.
_NO_TIME = "0001-01-01T00:00:00Z"
_IMMUTABLE = re.compile(r"immutab|cannot be overwritten", re.IGNORECASE)


class Writer(Registry):
    """Writes to one repository. See `Registry`."""

    actions = "pull,push"

    def add_layer(self, tag: str, content: bytes, media_type: str, annotations: Mapping[str, str]) -> None:
        """Add a layer to the image manifest of a tag, or begin one. One that is there already is left as it is.

        Another writer's layer is lost if it comes between the reading and the writing: the caller holds a lock against
        those of this machine, and reads back.

        Args:
            tag: the tag.
            content: the layer.
            media_type: its kind.
            annotations: what it says of itself.

        Raises:
            TransientFailure, InfrastructureError, NotAuthorised: the registry failed or refused.
        """
        found = self.manifest(tag)
        manifest: Json = found.content if found else {"schemaVersion": 2, "mediaType": _MANIFEST, "layers": []}
        said = manifest.get("layers")
        before = cast("list[object]", said) if isinstance(said, list) else [None]
        if not all(isinstance(each, dict) for each in before):
            raise InfrastructureError(
                f"{self._host}/{self._repository}:{tag} isn't what cosign keeps there",
                advice="see who wrote it (`crane manifest`), and remove the tag if nobody needs it",
            )
        layer = {"mediaType": media_type, **_descriptor(content), "annotations": dict(annotations)}
        if layer in before:
            return
        layers = [*cast("list[Json]", before), layer]
        config = _config([str(each.get("digest")) for each in layers])
        for blob in (content, config):
            self._put_blob(blob)
        body = json.dumps({**manifest, "config": {"mediaType": _CONFIG, **_descriptor(config)}, "layers": layers})
        kind = manifest.get("mediaType")
        self._send("PUT", f"{self._root}/manifests/{tag}", body.encode(), kind if isinstance(kind, str) else _MANIFEST)

    @property
    def _root(self) -> str:
        return f"{self._base}/v2/{self._repository}"

    def _put_blob(self, content: bytes) -> None:
        digest = str(_descriptor(content)["digest"])
        if self._send("HEAD", f"{self._root}/blobs/{digest}") is not None:
            return
        begun = f"{self._root}/blobs/uploads/"
        place = urllib.parse.urlsplit(urllib.parse.urljoin(begun, self._send("POST", begun, b"", _BLOB) or ""))
        if place.scheme != "https" and not (place.scheme == "http" and is_loopback(place.netloc)):
            raise InfrastructureError(f"{self._host}: wants an upload to go to a place that isn't https")
        query = "&".join(filter(None, (place.query, urllib.parse.urlencode({"digest": digest}))))
        self._send("PUT", place._replace(query=query, fragment="").geturl(), content, _BLOB)

    def _send(self, method: str, url: str, body: bytes | None = None, media_type: str = "") -> str | None:
        """Send a request once, or again after logging in.

        Returns:
            The answer's `Location`, empty where it names none; None: there is no such thing (of a HEAD alone).
        """
        headers = {"Content-Type": media_type} if media_type else {}
        for last in (False, True):
            request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - http(s) only
            # To this registry and nowhere else, whatever place it names for an upload.
            if self._authorization and url.startswith(self._base + "/"):
                request.add_unredirected_header("Authorization", self._authorization)
            try:
                with self._open(request) as response:
                    return response.headers.get("Location") or ""
            except urllib.error.HTTPError as error:
                challenge = error.headers.get("WWW-Authenticate") or ""
                with error:
                    if error.code == _NOT_FOUND and method == "HEAD":
                        return None
                    if error.code != _UNAUTHORIZED or last or not challenge:
                        raise self._refused(method, error) from None
            self._authorize(challenge)
        raise AssertionError("unreachable")

    def _refused(self, method: str, error: urllib.error.HTTPError) -> InfrastructureError:
        try:
            said = error.read(_LONGEST_ERROR).decode(errors="replace")
        except OSError:
            said = ""
        what = f"{method} HTTP {error.code} {printable(said or str(error.reason), limit=_SHOWN_ERROR)}"
        if _IMMUTABLE.search(said):
            return InfrastructureError(
                f"{self._host}/{self._repository}: a tag can't be overwritten: {what}",
                advice="let tags that start with sha256- be overwritten, or keep signatures as bundles: see "
                "docs/registries.md",
            )
        after = retry_after(error.headers.get("Retry-After"), datetime.now(UTC))
        return failure(classify_status(error.code), f"{self._host}/{self._repository}: {what}", after=after)


def _descriptor(content: bytes) -> Json:
    return {"size": len(content), "digest": f"sha256:{hashlib.sha256(content).hexdigest()}"}


def _config(layers: list[str]) -> bytes:
    """An image configuration for these layers, as cosign writes it: https://github.com/opencontainers/image-spec."""
    config = {
        "architecture": "",
        "created": _NO_TIME,
        "history": [{"created": _NO_TIME} for _ in layers],
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": layers},
        "config": {},
    }
    return json.dumps(config, separators=(",", ":")).encode()
