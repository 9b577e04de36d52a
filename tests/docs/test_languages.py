"""docs/languages.md and docs/adopting.md: their links and programs, and the names that the example in C# uses.

The example in C# isn't compiled (see tests/examples/test_languages.py): what stands for that is a comparison of each
class and property that it names with the schema, from which Pulumi makes the SDK.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from devtools import schema
from sc_secure.components.args import SecuredImageArgs
from tests.components.mocked import REFERENCE, Mocks, run

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "languages.md"
CSHARP = DOCS.parent / "examples/csharp/Program.cs"
PACKAGE: dict[str, Any] = json.loads(schema.FILE.read_text())


@pytest.mark.parametrize("page", [PAGE, DOCS / "adopting.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_program_in_yaml_declares_an_image() -> None:
    from sc_secure import SecuredImage  # noqa: PLC0415

    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    program = yaml.safe_load(text)
    [(name, resource)] = program["resources"].items()
    assert resource["type"] == "sc-secure:SecuredImage"
    args: SecuredImageArgs = _snake(resource["properties"])  # type: ignore[assignment]
    assert run(lambda: SecuredImage(name, args).deployable_ref, Mocks()) == REFERENCE
    outputs = PACKAGE["resources"]["sc-secure:index:SecuredImage"]["properties"]
    assert set(re.findall(rf"\$\{{{name}\.(\w+)\}}", text)) <= set(outputs)


def _snake(value: Any) -> Any:
    """A mapping's keys, as Pulumi turns them into the names of Python."""
    if not isinstance(value, dict):
        return value
    return {re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", key): _snake(item) for key, item in value.items()}


def test_every_name_in_the_example_in_csharp_is_in_the_schema() -> None:
    text = CSHARP.read_text()
    kinds: dict[str, set[str]] = {}
    for token, kind in PACKAGE["types"].items():
        kinds[token.split(":")[-1] + "Args"] = set(kind["properties"])
    for token, resource in PACKAGE["resources"].items():
        kinds[token.split(":")[-1] + "Args"] = set(resource["inputProperties"])
    checked = 0
    for kind, start in ((found[1], found.end()) for found in re.finditer(r"new (\w+Args)\s*\{", text)):
        for name in _assigned(text[start:]):
            assert name[0].lower() + name[1:] in kinds[kind], f"{kind}.{name}"
            checked += 1
    assert checked == len(re.findall(r"[\s{](\w+) = ", text)) - len(re.findall(r"var (\w+) = ", text)) > 20
    for variable, resource in re.findall(r"var (\w+) = new (\w+)\(\"", text):
        outputs = PACKAGE["resources"][f"sc-secure:index:{resource}"]["properties"]
        for name in re.findall(rf"\b{variable}\.(\w+)", text):
            assert name[0].lower() + name[1:] in outputs, f"{resource}.{name}"


def _assigned(text: str) -> list[str]:
    """The properties that an initialiser sets, from after its brace; not those of the ones inside it."""
    depth, own = 1, ""
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            break
        own += character if depth == 1 else ""
    return re.findall(r"(\w+) = ", own)
