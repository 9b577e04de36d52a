"""What docs/release.md says of flags, files and verdicts is what there is."""

import re
import shlex
import typing

import click
import yaml

from sc_secure.cli.release import create
from sc_secure.cli.report import command as report
from sc_secure.report import HTML, JSON, MARKDOWN, SARIF
from sc_secure.report.document import Verdict
from tests.components.mocked import REFERENCE
from tests.docs.test_readme import ROOT, blocks

PAGE = ROOT / "docs/release.md"


def cells(first: str) -> list[str]:
    """The first column of the table whose first heading that is."""
    table = PAGE.read_text().partition(f"| {first} |")[2].partition("\n\n")[0]
    return [line.split("|")[1].strip() for line in table.splitlines()[2:]]


def options(command: click.Command) -> set[str]:
    return {flag for parameter in command.params for flag in parameter.opts if flag.startswith("--")}


def test_every_flag_is_one() -> None:
    said = set(re.findall(r"--[a-z-]+", " ".join(cells("flag"))))
    assert said <= options(create)
    assert options(create) - said == {"--verbose", "--artifacts"}, "those that every command has"
    told = set(re.findall(r"`(--[a-z-]+)", PAGE.read_text().partition("## From a stack's state")[2]))
    assert told == {"--image", "--scan", "--stack-state", "--to"}
    assert told <= options(report)


def test_the_commands_parse() -> None:
    (line, _) = blocks(PAGE, "sh")
    words = shlex.split(line.replace("$ref", REFERENCE))
    assert words[:3] == ["sc-secure", "release", "create"]
    create.make_context("create", words[3:])
    first, *_ = yaml.safe_load(blocks(PAGE, "yaml")[0])
    create.make_context("create", shlex.split(first["run"].replace("$REF", REFERENCE))[3:])


def test_files_and_verdicts() -> None:
    assert set(cells("file")) == {f"`{name}`" for name in (JSON, MARKDOWN, SARIF, HTML)}
    assert set(cells("verdict")) == {f"`{verdict}`" for verdict in typing.get_args(Verdict)}
