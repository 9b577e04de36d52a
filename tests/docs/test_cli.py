"""docs/cli.md is what the commands say, and each of its links leads somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from devtools import cli_reference
from sc_secure.cli._epilog import ANY, EXIT_CODES
from sc_secure.cli.root import root
from tests.docs.test_readme import blocks

PAGE = cli_reference.PAGE.read_text()
CONTRACT = (cli_reference.REPOSITORY / "docs/contract.md").read_text()


def test_the_page_is_that_of_the_commands() -> None:
    assert cli_reference.page() == PAGE, "run python -m devtools.cli_reference"


def test_every_link_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^\w\s-]", "", line).strip().replace(" ", "-").lower() for line in re.findall(r"^##? (.+)", PAGE, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        file, _, anchor = target.partition("#")
        assert not file or (cli_reference.PAGE.parent / file).exists(), target
        assert not anchor or anchor in headings, target


@pytest.mark.parametrize(
    "example", [line for block in blocks(cli_reference.PAGE, "sh") for line in block.replace("\\\n", "").splitlines()]
)
def test_every_example_parses(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = "registry.example/app@sha256:" + "0" * 64
    words = shlex.split(example.rpartition("|")[2].replace("$REF", reference).replace("$OTHER", reference))
    assert words.pop(0) == "sc-secure"
    command = root
    while hasattr(command, "get_command"):
        command = command.get_command(None, words.pop(0))
    monkeypatch.chdir(tmp_path)
    for word in words:  # some files are opened as soon as the flag is read
        if word.endswith(".json") and "/" not in word:
            Path(word).touch()
    words = [word if "…" not in word else "preview.json" for word in words]
    Path("preview.json").touch()
    command.make_context("example", words)


def test_the_contract_has_every_command_and_code() -> None:
    said = CONTRACT.partition("## Command line\n")[2]
    for words in cli_reference.commands():
        group, _, name = words.partition(" ")
        assert re.search(rf"`{group}{f' [a-z|]*{name}' if name else ''}", said), words
    codes = re.search(r"^Exit codes: (.*?)\.\n", said, re.M | re.S)[1]
    assert [int(code) for code in re.findall(r"\d+", codes)] == list(EXIT_CODES)
    assert set(ANY) < set(EXIT_CODES)
