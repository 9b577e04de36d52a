"""Reads and writes the tags of cosign's older form, as any writer to the registry could."""

import hashlib
import json
import urllib.error
from dataclasses import dataclass
from typing import Any

from tests.bundles import get, send

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_NOTE = "dev.sigstore.cosign/"


@dataclass(frozen=True)
class Tag:
    """What a tag's manifest says of its layers: empty, where there is no tag."""

    manifest: dict[str, Any]

    @property
    def layers(self) -> list[dict[str, str]]:
        """The annotations of each layer, cosign's by their short names."""
        return [
            {name.removeprefix(_NOTE): value for name, value in layer["annotations"].items()}
            for layer in self.manifest.get("layers", [])
        ]

    def without(self, note: str) -> "Tag":
        """The same, each layer without this annotation."""
        return self._changed(lambda notes: {name: each for name, each in notes.items() if name != _NOTE + note})

    def with_(self, note: str, value: str) -> "Tag":
        """The same, each layer with this annotation."""
        return self._changed(lambda notes: {**notes, _NOTE + note: value})

    def and_(self, other: "Tag") -> "Tag":
        """Its layers, and then the other's."""
        return Tag({**self.manifest, "layers": self.manifest["layers"] + other.manifest["layers"]})

    def _changed(self, change: Any) -> "Tag":
        layers = [{**layer, "annotations": change(layer["annotations"])} for layer in self.manifest["layers"]]
        return Tag({**self.manifest, "layers": layers})


def tag_of(image: str, kind: str) -> Tag:
    """What is kept of an image in its tag `.sig` or `.att`."""
    try:
        return Tag(json.loads(get(image, f"manifests/{_name(image, kind)}")))
    except urllib.error.HTTPError as error:
        assert error.code == 404
        return Tag({})


def put_tag(image: str, kind: str, tag: Tag, *, blobs_of: str | None = None) -> None:
    """Write an image's tag; `blobs_of`: another image whose repository has the content."""
    if blobs_of:
        for blob in (tag.manifest["config"], *tag.manifest["layers"]):
            content = get(blobs_of, f"blobs/{blob['digest']}")
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            send(image, "POST", f"blobs/uploads/?digest={digest}", content, "application/octet-stream")
    send(image, "PUT", f"manifests/{_name(image, kind)}", json.dumps(tag.manifest).encode(), _MANIFEST)


def _name(image: str, kind: str) -> str:
    return f"{image.partition('@')[2].replace(':', '-')}.{kind}"
