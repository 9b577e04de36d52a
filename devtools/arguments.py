"""`docs/arguments.md`: every component with its arguments and outputs, from the package's schema.

`.venv/bin/python -m devtools.arguments` writes it anew, after `make schema`. It is checked in so that people can
read it.
"""

import json
import re
from typing import Any

from devtools.cache import REPOSITORY
from devtools.console import run_main
from devtools.schema import FILE

PAGE = REPOSITORY / "docs/arguments.md"
_PREFIX = "sc-secure:index:"
_GROUPS = {
    "The image": ["SecuredImage"],
    "The services": ["SecuredEcsService", "SecuredCloudRunService"],
    "The steps alone": ["SbomCommand", "ScanCommand", "SignCommand", "AttestCommand", "VerifyCommand"],
    "The registries": ["EcrRepository", "ArtifactRegistryRepository"],
}
_KINDS = {"boolean": "`True` or `False`", "integer": "whole number", "number": "number", "string": "text"}
_OR_OUTPUT = ", or output"
_HEAD = """\
# Components, arguments and outputs

Written from [schema.json](../schema.json) by `python -m devtools.arguments`. The names are Python's; in [other
languages](languages.md) `image_name` is `imageName` or `ImageName`. Each component takes a dictionary of its arguments,
and Pulumi's resource options. *or output*: the value may come from another resource; of a list or a map, the whole as
well as each item. *(text or output)*: each item alone. What the policy's arguments mean in YAML, with their defaults:
[configuration](configuration.md).

"""


def page() -> str:
    """The text of `docs/arguments.md`."""
    schema = json.loads(FILE.read_text())
    resources, types = _by_name(schema["resources"]), _by_name(schema["types"])
    if missing := set(resources) - {name for names in _GROUPS.values() for name in names}:
        raise LookupError(f"no group in devtools/arguments.py has {', '.join(sorted(missing))}")
    parts = [_HEAD]
    for title, names in _GROUPS.items():
        parts.append(f"## {title}\n\n")
        for name in names:
            described = resources[name]
            parts.append(f"### {name}\n\n{described['description']}\n\n")
            parts.append(_table("argument", described["inputProperties"], described["requiredInputs"]))
            parts.append(_outputs(described["properties"]))
    parts.append("## Nested arguments\n\n")
    for name, described in types.items():
        parts.append(f"### {name}\n\n{described['description']}\n\n")
        parts.append(_table("argument", described["properties"], described.get("required", [])))
    return "".join(parts).rstrip("\n") + "\n"


def snake(name: str) -> str:
    """The schema's name of a property as Python has it."""
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _by_name(described: dict[str, Any]) -> dict[str, Any]:
    return {token.removeprefix(_PREFIX): each for token, each in sorted(described.items())}


def _table(title: str, properties: dict[str, Any], required: list[str]) -> str:
    rows = [f"| {title} | value | must be said | meaning |", "| --- | --- | --- | --- |"]
    for name in sorted(properties, key=lambda each: (each not in required, each)):
        needed = "yes" if name in required else ""
        meaning = _cell(properties[name]["description"])
        rows.append(f"| `{snake(name)}` | {_value(properties[name])} | {needed} | {meaning} |")
    return "\n".join(rows) + "\n\n"


def _outputs(properties: dict[str, Any]) -> str:
    rows = ["| output | value | meaning |", "| --- | --- | --- |"]
    for name in sorted(properties):
        value = _value(properties[name]).replace(_OR_OUTPUT, "")
        rows.append(f"| `{snake(name)}` | {value} | {_cell(properties[name]['description'])} |")
    return "\n".join(rows) + "\n\n"


def _value(described: dict[str, Any]) -> str:
    inner = described.get("items") or described.get("additionalProperties")
    if inner:
        kind = "list of" if "items" in described else "text →"
        # A plain list can hold outputs; one that isn't plain can be an output itself, too.
        if described.get("plain"):
            value = _value(inner)
            return f"{kind} {value}" if inner.get("plain") else f"{kind} ({value.replace(_OR_OUTPUT, ' or output')})"
        return f"{kind} {_value({**inner, 'plain': True})}{_OR_OUTPUT}"
    reference = described.get("$ref", "").rpartition("/")[2]
    if reference == "Any":
        return "anything"
    name = reference.removeprefix(_PREFIX)
    kind = f"[{name}](#{name.lower()})" if name else _KINDS[described["type"]]
    return kind if described.get("plain") else kind + _OR_OUTPUT


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Writes it."""
    PAGE.write_text(page())


if __name__ == "__main__":
    run_main(main)
