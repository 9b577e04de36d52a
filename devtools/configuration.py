"""What the documentation takes from the policy's models: the schema of its file, and the table of its keys.

`.venv/bin/python -m devtools.configuration` writes both anew. They are checked in: the one so that an editor can use
it, the other so that people can read it, and both so that a change of the file's format shows in a diff.
"""

import json
from typing import Any

from devtools.cache import REPOSITORY
from devtools.console import run_main

SCHEMA = REPOSITORY / "docs/client.schema.json"
PAGE = REPOSITORY / "docs/configuration.md"
BEGIN, END = "<!-- the keys, from the models -->\n", "<!-- the end of the keys -->\n"

_KINDS = {
    "array": "list",
    "boolean": "`true` or `false`",
    "integer": "whole number",
    "number": "number",
    "string": "text",
}


def schema() -> str:
    """The text of `docs/client.schema.json`."""
    from sc_secure.policy.schema import file_schema  # noqa: PLC0415 - needs the virtual environment

    return json.dumps(file_schema(), indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """The text of `docs/configuration.md`, with the table as the models have it."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def table() -> str:
    """Every key of the block, with what it takes, its default and its meaning."""
    from sc_secure.policy.schema import field_docs, file_schema, keys  # noqa: PLC0415 - needs the virtual environment

    definitions = file_schema()["$defs"]
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for key in keys():
        path = ".".join(key.path).replace(".[]", "[]")
        described = definitions[key.model.__name__]["properties"][key.path[-1]]
        default = _default(key.model.model_fields[key.name])
        meaning = field_docs(key.model)[key.name]
        rows.append(f"| `{path}` | {_value(described)} | {default} | {meaning} |")
    return "\n".join(rows) + "\n"


def _value(described: dict[str, Any]) -> str:
    kind = described.get("anyOf", [described])[0]
    choices = [kind["const"]] if "const" in kind else [choice for choice in kind.get("enum", []) if choice is not None]
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    if "$ref" in kind:
        return "section"
    kinds: list[str] = [kind["type"]] if isinstance(kind["type"], str) else kind["type"]
    return _KINDS[kinds[0]]


def _default(field: Any) -> str:
    if field.is_required():
        return "must be said"
    value = field.get_default(call_default_factory=True)
    if hasattr(value, "model_dump"):
        return "off" if getattr(value, "enabled", True) is False else ""
    if isinstance(value, list):
        value = [item.model_dump(exclude_unset=True) for item in value]
    return "" if value is None else f"`{json.dumps(value) if not isinstance(value, str) else value}`"


def main() -> None:
    """Writes both."""
    SCHEMA.write_text(schema())
    PAGE.write_text(page())


if __name__ == "__main__":
    run_main(main)
