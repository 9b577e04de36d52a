"""How often the registry is read: an image once, however many documents are made of it."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.faulty_proxy import FaultyProxy, faulty_proxy


@pytest.fixture
def proxy(registry: str) -> Iterator[FaultyProxy]:
    with faulty_proxy(f"http://{registry}") as running:
        yield running


def layers(url: str, name: str, digest: str) -> list[str]:
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    request = urllib.request.Request(f"{url}/v2/{name}/manifests/{digest}", headers=accept)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http on loopback
        return [layer["digest"] for layer in json.load(answer)["layers"]]


def test_a_whole_release_reads_each_layer_once(
    sc: CommandLine, image: str, key: str, project: Path, proxy: FaultyProxy
) -> None:
    del key
    _, _, rest = image.partition("/")
    name, _, digest = rest.partition("@")
    (project / "p.yaml").write_text(
        json.dumps({"security": {"scan": {}, "sbom": {}, "provenance": {}, "signing": {"key": "cosign.key"}}})
    )
    through = f"{proxy.url.removeprefix('http://')}/{rest}"
    formats = "--sbom-format spdx-json --sbom-format syft-json"
    assert sc(f"release create --image {through} --policy p.yaml {formats}").code == 0
    found = layers(proxy.url, name, digest)
    assert found
    assert {layer: proxy.blobs[layer] for layer in found} == dict.fromkeys(found, 1)
    # On the same machine the image isn't read any more.
    assert sc(f"release create --image {through} --policy p.yaml").code == 0
    assert {layer: proxy.blobs[layer] for layer in found} == dict.fromkeys(found, 1)
