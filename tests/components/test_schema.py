"""The package's schema: what programs in other languages see."""

import json
import subprocess
import sys

from devtools import schema


def test_the_checked_in_schema_is_that_of_the_components() -> None:
    # In a process of its own: Pulumi's provider and Google's client libraries each bring a google.rpc.Status, and a
    # process takes only one.
    infer = [sys.executable, "-c", "from devtools import schema; print(schema.infer(), end='')"]
    inferred = subprocess.run(infer, cwd=schema.FILE.parent, check=True, capture_output=True, text=True, timeout=120)
    assert schema.FILE.read_text() == inferred.stdout, "the contract changed: see the difference, then `make schema`"


def test_every_property_is_described() -> None:
    package = json.loads(schema.FILE.read_text())
    for token, resource in package["resources"].items():
        for part in ("inputProperties", "properties"):
            for name, described in resource[part].items():
                assert described.get("description"), f"{token}.{name}"
    for token, kind in package["types"].items():
        for name, described in kind["properties"].items():
            assert described.get("description"), f"{token}.{name}"
