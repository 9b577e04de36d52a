"""docs/arguments.md is what the schema says, in Python's names."""

import re

import pytest

import sc_secure
from devtools import arguments

PAGE = arguments.PAGE.read_text()
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
COMPONENTS = [name for names in arguments._GROUPS.values() for name in names]


def test_the_page_is_that_of_the_schema() -> None:
    assert arguments.page() == PAGE, "run python -m devtools.arguments"


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_argument_and_output_of_a_component_is_there_as_python_has_it(name: str) -> None:
    given, _, made = SECTIONS[name].partition("| output |")
    assert set(_names(given)) == set(getattr(sc_secure, f"{name}Args").__annotations__)
    assert set(_names(made)) == set(getattr(sc_secure, name).__annotations__)


def test_what_must_be_said_is_what_the_type_requires() -> None:
    for name in COMPONENTS:
        said = {
            argument
            for argument, needed in re.findall(r"^\| `(\w+)` \| [^|]+ \| (yes)? ", SECTIONS[name], re.M)
            if needed
        }
        assert said == getattr(sc_secure, f"{name}Args").__required_keys__, name


def test_a_component_in_no_group_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(arguments._GROUPS, "The image", [])
    with pytest.raises(LookupError, match="SecuredImage"):
        arguments.page()


def _names(table: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
