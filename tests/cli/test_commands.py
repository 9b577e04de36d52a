"""Every command: its help, every exit code that its help names, its JSON, and every option's bad values.

The table is `tests/cli/commands.py`; the commands are those that there are, so a new one without a row fails.
"""

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from devtools import cli_reference, output_schemas
from tests.cli.commands import BAD, COMMANDS, FREE, TELLS_ALL_THE_SAME, Situation
from tests.cli.world import Prepared, World, contents, prepare, world
from tests.command_line import CommandLine, Outcome, in_process
from tests.images import attachments

KNOWN = cli_reference.commands()


@pytest.fixture(scope="session")
def env(tools_env: dict[str, str]) -> dict[str, str]:
    return {**tools_env, "COSIGN_PASSWORD": "test"}


@pytest.fixture(scope="session")
def prepared(env: dict[str, str], registry: str, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(env, registry, tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def here(prepared: Prepared, env: dict[str, str], project: Path) -> Iterator[World]:
    with world(prepared, env, project) as made:
        yield made


@pytest.fixture
def sc(
    env: dict[str, str], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return in_process(env, project, monkeypatch, capsys)


def options(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option)]


def for_machines(words: str) -> str:
    return "--output json" if any("--output" in each.opts for each in options(KNOWN[words])) else ""


def valid(words: str, done: Outcome) -> dict:
    """The result that was printed, checked against the command's schema."""
    assert done.stdout.count("\n") == 1
    document = json.loads(done.stdout)
    schema = json.loads(output_schemas.OUTPUTS[words].read_bytes())
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
    return document


def test_the_table_has_every_command_and_every_code() -> None:
    assert set(COMMANDS) == set(KNOWN)
    for words, rows in COMMANDS.items():
        assert set(rows) == set(cli_reference.exit_codes(KNOWN[words])), words
    assert {words for words in KNOWN if for_machines(words)} == set(output_schemas.OUTPUTS)


@pytest.mark.parametrize("words", KNOWN)
def test_help_reads_well(sc: CommandLine, words: str) -> None:
    command = KNOWN[words]
    done = sc(f"{words} --help")
    assert (done.code, done.stderr) == (0, "")
    assert done == sc(f"{words} -h")
    assert done.stdout.startswith(f"Usage: sc-secure {words} [OPTIONS]\n\n  {command.help[0]}")
    for option in options(command):
        assert option.help, f"{words} {option.opts[0]} has no help"
        assert option.help[0].isupper() or option.help.startswith("yaml"), option.help
        assert re.search(r"[.…\])]$", option.help), option.help
        assert option.is_flag or option.make_metavar(click.Context(command)) != "TEXT", option.opts
    _, _, below = done.stdout.partition("\n  Examples:\n")
    examples, _, codes = below.partition("\n\n  Exit codes:\n")
    assert f"sc-secure {words}" in examples
    assert [int(line.split()[0]) for line in codes.splitlines()] == sorted(COMMANDS[words])


SITUATIONS = [
    pytest.param(words, code, each, id=f"{words}, {code}" + (f", {number}" if number else ""))
    for words, rows in COMMANDS.items()
    for code, situations in rows.items()
    for number, each in enumerate(situations)
]


@pytest.mark.parametrize(("words", "code", "situation"), SITUATIONS)
def test_each_exit_code(
    sc: CommandLine, here: World, project: Path, monkeypatch: pytest.MonkeyPatch, *, words: str, code: int,
    situation: Situation,
) -> None:  # fmt: skip
    flags = here.fill(situation.flags)
    here.write_states(f"{flags} {situation.stdin}")
    before = contents(project)
    for output in dict.fromkeys(["", for_machines(words)]):
        if situation.stdin:
            content = (project / situation.stdin).read_bytes()
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        done = sc(f"{words} {flags} {output}", **situation.env)
        assert done.code == code, done.stderr
        assert "Traceback" not in done.stderr + done.stdout
        if code == 0:
            assert done.stdout
        else:
            assert done.stderr or code == 2
            assert situation.said in done.stderr + done.stdout
        if output and (code == 0 or code in TELLS_ALL_THE_SAME.get(words, ())):
            valid(words, done)
        elif code not in TELLS_ALL_THE_SAME.get(words, ()) and code != 0:
            assert done.stdout == "", "no result, nothing on stdout"
        if code == 2:
            assert contents(project) == before
    if code not in (0, 4) and here.image:
        assert attachments(here.image) == []


def cases() -> Iterator[object]:
    for words, command in KNOWN.items():
        for option in options(command):
            name = option.opts[0]
            if option.is_flag or name in FREE:
                continue
            # No row at all: the test fails by the empty text.
            for number, (flags, said) in enumerate(BAD.get(f"{words} {name}") or BAD.get(name) or [("", "")]):
                yield pytest.param(words, name, flags, said, id=f"{words} {name}" + (f", {number}" if number else ""))


@pytest.mark.parametrize(("words", "name", "flags", "said"), list(cases()))
def test_a_bad_value_is_refused_before_anything_is_done(
    sc: CommandLine, here: World, project: Path, *, words: str, name: str, flags: str, said: str
) -> None:
    assert flags, f"tests/cli/commands.py: no bad value of {name}"
    # The last way to succeed: of an image, the one that needs the registry.
    right = (
        COMMANDS[words][0][-1 if "{" in COMMANDS[words][0][-1].flags else 0]
        .flags.replace("{image}", "{counted}")
        .replace("{secured}", "{counted}")
    )
    here.write_states(right)
    alone = flags.startswith("only ")
    called = flags.removeprefix("only ") if alone else f"{here.fill(right)} {flags}"
    before = contents(project)
    done = sc(f"{words} {called}")
    assert (done.code, done.stdout) == (2, ""), done.stderr
    assert said in done.stderr
    assert contents(project) == before
    assert not here.proxy or here.proxy.asked == 0, "the registry was asked before"


@pytest.mark.parametrize(
    "words", [words for words, command in KNOWN.items() if any(o.required for o in options(command))]
)
def test_what_must_be_said(sc: CommandLine, words: str) -> None:
    done = sc(words)
    assert (done.code, done.stdout) == (2, "")
    assert "Missing option '--image'" in done.stderr
