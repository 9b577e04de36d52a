"""What a catalogue says it was made of, whichever way syft said it."""

from typing import Any

import pytest

from sc_secure.errors import ConfigError
from sc_secure.steps.canonical import is_about, made_by, package_count
from sc_secure.steps.formats import CYCLONEDX, sbom_format
from tests.steps.shelf import IMAGE

OTHER = f"sha256:{'b' * 64}"
NAMED = f"registry.example/app@{IMAGE.digest}"


@pytest.mark.parametrize(
    ("source", "about"),
    [
        ({"metadata": {"manifestDigest": IMAGE.digest}}, True),
        ({"metadata": {"manifestDigest": OTHER, "userInput": NAMED}, "version": IMAGE.digest}, False),
        ({"version": IMAGE.digest}, True),
        ({"metadata": {"manifestDigest": "", "userInput": NAMED}}, True),
        ({"metadata": {"manifestDigest": 1, "repoDigests": ["x", 1, NAMED]}}, True),
        ({"metadata": {"repoDigests": NAMED}}, False),
        ({"version": OTHER, "metadata": {"userInput": "app:1", "repoDigests": [f"app@{OTHER}"]}}, False),
        ({"version": None, "metadata": [NAMED]}, False),
        (None, False),
    ],
)
def test_which_digest_it_was_made_of(source: Any, about: bool) -> None:
    assert is_about({"source": source}, IMAGE) is about


def test_who_made_it_and_how_much_is_in_it() -> None:
    assert made_by({"descriptor": {"version": "1.57.0"}}) == "1.57.0"
    assert made_by({"descriptor": {"version": 1}}) == made_by({"descriptor": []}) == made_by({}) == ""
    assert package_count({"artifacts": [{}, {}]}) == 2
    assert package_count({"artifacts": {"x": 1}}) == package_count({}) == 0


def test_an_unknown_format_is_refused() -> None:
    assert sbom_format("cyclonedx-json") is CYCLONEDX
    with pytest.raises(ConfigError) as raised:
        sbom_format("xml")
    assert raised.value.diagnostics() == "--format xml: unknown\n  known: cyclonedx-json, spdx-json, syft-json"
