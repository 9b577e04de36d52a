"""An OCI image layout, made of what `docker save` writes."""

import gzip
import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any, Final

LAYOUT_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

Descriptor = dict[str, Any]


class Layout:
    """The images of one build: an index where there are several platforms, else the image itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._blobs = folder / "blobs/sha256"
        self._blobs.mkdir(parents=True)
        self._manifests: list[Descriptor] = []

    @property
    def kind(self) -> str:
        """The media type of what is pushed."""
        return LAYOUT_INDEX if len(self._manifests) > 1 else _MANIFEST

    def add(self, platform: str, archive: Path) -> None:
        """Add a platform's image."""
        with tarfile.open(archive) as files:
            [image] = json.loads(_read(files, "manifest.json"))
            # Without a time in it: the same layer is the same blob.
            layers = [self._blob(gzip.compress(_read(files, name), mtime=0), _LAYER) for name in image["Layers"]]
            config = self._blob(_read(files, image["Config"]), _CONFIG)
        manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers}
        system, architecture, *variant = platform.split("/")
        about = {"os": system, "architecture": architecture} | ({"variant": variant[0]} if variant else {})
        self._manifests.append(self._blob(_json(manifest), _MANIFEST) | {"platform": about})

    def write(self) -> str:
        """Write what makes it a layout; return the digest of what is pushed."""
        self.folder.joinpath("oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        index = _json({"schemaVersion": 2, "mediaType": LAYOUT_INDEX, "manifests": self._manifests})
        self.folder.joinpath("index.json").write_bytes(index)
        return _digest(index) if self.kind == LAYOUT_INDEX else self._manifests[0]["digest"]

    def _blob(self, content: bytes, kind: str) -> Descriptor:
        digest = _digest(content)
        (self._blobs / digest.partition(":")[2]).write_bytes(content)
        return {"mediaType": kind, "digest": digest, "size": len(content)}


def _read(files: tarfile.TarFile, name: str) -> bytes:
    file = files.extractfile(name)
    if file is None:
        raise ValueError(f"docker save wrote no {name}")
    return file.read()


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
