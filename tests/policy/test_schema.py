"""The JSON Schema of a policy's file, against the models and with a validator of its own."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from devtools import configuration
from sc_secure.policy.inheritance import KEYED_LISTS
from sc_secure.policy.schema import field_docs, file_schema, keys
from sc_secure.policy.security import Security

SEED = sorted((Path(__file__).parent / "seed").glob("**/*.yaml"))
BAD = Path(__file__).parent / "bad"
SCHEMA = file_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
KEYS = {".".join(key.path): key for key in keys()}


def complaints(document: Any) -> set[str]:
    return {".".join(map(str, error.absolute_path)) for error in VALIDATOR.iter_errors(document)}


def test_it_is_a_schema_and_the_checked_in_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert configuration.SCHEMA.read_text() == configuration.schema(), "run python -m devtools.configuration"


@pytest.mark.parametrize("file", SEED, ids=lambda file: str(file.relative_to(SEED[0].parents[2])))
def test_the_seed_s_files(file: Path) -> None:
    assert complaints(yaml.safe_load(file.read_text())) == set()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("unknown_key", "security.scan"),
        ("unknown_key_of_a_tool", "security.scan.tools.0"),
        ("snake_case", "security.scan"),
        ("unknown_severity", "security.scan.failOn"),
        ("wrong_type", "security.scan.onlyFixed"),
        ("scalar_for_a_section", "security.scan"),
        ("mapping_for_a_list", "security.scan.tools"),
        ("tool_without_a_name", "security.scan.tools.0"),
        ("out_of_range", "security.timeouts.scan"),
        ("uses_a_list", "uses"),
        ("uses_a_path", "uses"),
        ("null_security", "security"),
        ("no_security", ""),
    ],
)
def test_an_editor_marks_it(name: str, path: str) -> None:
    assert complaints(yaml.safe_load((BAD / f"{name}.yaml").read_text())) == {path}


@pytest.mark.parametrize(("path", "key"), KEYS.items(), ids=KEYS)
def test_each_key_is_described_and_may_be_removed(path: str, key: Any) -> None:
    definition = SCHEMA["$defs"][key.model.__name__]
    described = definition["properties"][key.path[-1]]
    assert described["description"] == field_docs(key.model)[key.name]
    assert described.get("default", 1) is not None
    assert definition["additionalProperties"] is False
    known_by = KEYED_LISTS.get(key.path[:-2], "") if "[]" in key.path else ""
    assert definition.get("required", []) == ([known_by] if known_by else [])
    document: Any = None
    for part in reversed(key.path):
        document = [document] if part == "[]" else {part: document}
    here = f"security.{path.replace('[]', '0')}"
    assert (here in complaints({"security": document})) is (key.path[-1] == known_by)


def test_the_block_has_all_these_keys() -> None:
    assert {"scan.failOn", "scan.tools.[].name", "signing.verify.identityRegexp", "timeouts.verify"} <= set(KEYS)
    assert {path for path in KEYS if "." not in path} == {key.alias for key in Security.model_fields.values()}
