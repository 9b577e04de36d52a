import hashlib
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools import registry
from devtools.console import SetupError


@pytest.fixture
def remembered(own_cache: Path) -> Iterator[registry.Registry]:
    """The registry of `make up`, in this test's own cache."""
    yield registry.ensure()
    registry.stop()


def test_it_is_found_again_and_not_started_twice(remembered: registry.Registry) -> None:
    assert registry.ensure() == remembered


def test_it_restarts_on_its_port(remembered: registry.Registry) -> None:
    assert registry.stop()
    assert not registry.answers(remembered.address)
    assert not registry.stop()
    again = registry.ensure()
    assert again.address == remembered.address
    assert again.pid != remembered.pid
    assert registry.answers(again.address)


def test_its_images_are_there_after_a_restart(remembered: registry.Registry) -> None:
    image = _push(remembered.address, "team/app", "latest", {"layers": []})
    index = _push(
        remembered.address,
        "team/app",
        "sha256-abc",
        {"manifests": [{"mediaType": _IMAGE, "digest": _digest(_untagged(remembered.address)), "size": 1}]},
        media_type=_INDEX,
    )
    registry.stop()
    registry.ensure()
    assert _get(remembered.address, "team/app", "latest") == image
    assert _get(remembered.address, "team/app", _digest(image)) == image
    assert _get(remembered.address, "team/app", "sha256-abc") == index
    assert _get(remembered.address, "team/app", json.loads(index)["manifests"][0]["digest"])


def test_a_port_taken_by_another_is_an_error_that_says_what_to_do(remembered: registry.Registry) -> None:
    registry.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(remembered.address.rpartition(":")[2])))
        other.listen()
        with pytest.raises(SetupError, match="End what uses it"):
            registry.ensure()
    registry.ensure()


def test_registries_of_ones_own_stand_beside_each_other(own_cache: Path, tmp_path: Path) -> None:
    first, second = registry.start(tmp_path / "first"), registry.start(tmp_path / "second")
    try:
        assert first.address != second.address
        assert registry.answers(first.address)
        assert registry.answers(second.address)
        assert first.stop()
        assert registry.answers(second.address)
    finally:
        first.stop()
        second.stop()


_IMAGE = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"


def _untagged(address: str) -> bytes:
    body = json.dumps({"schemaVersion": 2, "mediaType": _IMAGE, "layers": [], "annotations": {"un": "tagged"}}).encode()
    _put(address, "team/app", _digest(body), body, _IMAGE)
    return body


def _push(address: str, repository: str, tag: str, content: dict[str, object], media_type: str = _IMAGE) -> bytes:
    body = json.dumps({"schemaVersion": 2, "mediaType": media_type, **content}).encode()
    _put(address, repository, tag, body, media_type)
    return body


def _put(address: str, repository: str, reference: str, body: bytes, media_type: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("PUT", f"/v2/{repository}/manifests/{reference}", body, {"Content-Type": media_type})
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    connection.close()


def _get(address: str, repository: str, reference: str) -> bytes:
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", f"/v2/{repository}/manifests/{reference}")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, body
    return body


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
