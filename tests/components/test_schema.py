"""The package's schema: what programs in other languages see."""

import json

from devtools import schema


def test_the_checked_in_schema_is_that_of_the_components() -> None:
    assert schema.FILE.read_text() == schema.infer(), "the contract changed: look at the difference, then `make schema`"


def test_every_property_is_described() -> None:
    package = json.loads(schema.FILE.read_text())
    for token, resource in package["resources"].items():
        for part in ("inputProperties", "properties"):
            for name, described in resource[part].items():
                assert described.get("description"), f"{token}.{name}"
    for token, kind in package["types"].items():
        for name, described in kind["properties"].items():
            assert described.get("description"), f"{token}.{name}"
