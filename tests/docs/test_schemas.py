"""docs/schemas/ is what the types say, and has a schema for every command with `--output json`."""

import json

import click
import jsonschema

from devtools import cli_reference, output_schemas
from sc_secure.steps.result import SCHEMA


def test_the_checked_in_schemas_are_the_types() -> None:
    written = output_schemas.files()
    for file, text in written.items():
        assert file.read_text() == text, "run python -m devtools.output_schemas"
    assert set(output_schemas.FOLDER.iterdir()) >= set(written)


def test_they_are_schemas_that_let_nothing_unknown_pass() -> None:
    for file in set(output_schemas.OUTPUTS.values()):
        schema = json.loads(file.read_bytes())
        jsonschema.Draft202012Validator.check_schema(schema)
        for part in (schema, *schema.get("$defs", {}).values()):
            assert "properties" not in part or part["additionalProperties"] is False
            assert part["description"]
    assert json.loads((output_schemas.FOLDER / "step-result.schema.json").read_bytes())["properties"]["schema"] == {
        "const": SCHEMA,
        "title": "Schema",
        "type": "string",
    }


def test_every_output_has_one() -> None:
    def for_machines(command: click.Command) -> bool:
        return any(each.opts == ["--output"] and "json" in each.type.choices for each in command.params)

    known = cli_reference.commands()
    assert {words for words, command in known.items() if for_machines(command)} == set(output_schemas.OUTPUTS)
