"""What is attached to an image, as the registry lists it: an entry that is gone by now, and one of an unknown kind."""

from typing import Any

import pytest

from sc_secure.errors import InfrastructureError
from sc_secure.steps.status import attached
from tests.steps.shelf import IMAGE, Shelf

BOM = "https://cyclonedx.org/bom"


def kinds(shelf: Shelf) -> list[tuple[str, str]]:
    return [(each.digest, each.kind) for each in attached(shelf, IMAGE)]  # type: ignore[arg-type]


def test_what_was_deleted_is_not_listed() -> None:
    shelf = Shelf({IMAGE.digest: {"layers": []}})
    shelf.attach("ours", b"x", kind=BOM)
    shelf.attached[IMAGE.digest].append("manifest gone")
    assert kinds(shelf) == [("manifest ours", BOM)]


@pytest.mark.parametrize(
    ("manifest", "kind"),
    [
        ({"annotations": {"dev.sigstore.bundle.predicateType": BOM}, "artifactType": "x/y"}, BOM),
        ({"annotations": {"dev.sigstore.bundle.predicateType": ""}, "artifactType": "x/y"}, "x/y"),
        ({"annotations": {"dev.sigstore.bundle.predicateType": 1}, "artifactType": ""}, "unknown"),
        ({"annotations": [BOM], "artifactType": 1}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_its_kind_is_what_it_says_first(manifest: dict[str, Any], kind: str) -> None:
    shelf = Shelf({IMAGE.digest: {"layers": []}})
    shelf.attach("ours", b"x", **manifest)
    assert kinds(shelf) == [("manifest ours", kind)]


def test_of_an_image_that_is_not_there_nothing_is_said() -> None:
    with pytest.raises(InfrastructureError, match="isn't in its registry"):
        attached(Shelf(), IMAGE)  # type: ignore[arg-type]
    assert kinds(Shelf({IMAGE.digest: {"layers": []}})) == []
