"""docs/configuration.md: its examples run, and its table is that of the models."""

import json
import os
import re
import shlex
from pathlib import Path

import jsonschema
import pytest
import yaml

from devtools import configuration
from sc_secure.policy.schema import file_schema
from tests.command_line import CommandLine, in_process

PAGE = configuration.PAGE.read_text()
ENV = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def sc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line in a project with the page's two files of the part on inheritance."""
    _, baseline, client = blocks("yaml")
    for name, text in ((".sc/parent-stacks/baseline.yaml", baseline), (".sc/stacks/web/client.yaml", client)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    return in_process(ENV, tmp_path, monkeypatch, capsys)


def test_the_table_is_that_of_the_models() -> None:
    assert configuration.page() == PAGE, "run python -m devtools.configuration"


def test_the_files_are_valid(sc: CommandLine) -> None:
    whole, baseline, client = blocks("yaml")
    for text in (whole, baseline, client):
        jsonschema.validate(yaml.safe_load(text), file_schema())
    Path("whole.yaml").write_text(whole)
    assert sc("config validate --file whole.yaml").code == 0


def test_the_editor_s_line_leads_to_the_schema() -> None:
    (path,) = re.findall(r"yaml-language-server: \$schema=(\S+)", blocks("yaml")[0])
    client = configuration.REPOSITORY / ".sc/stacks/web/client.yaml"
    assert Path(os.path.normpath(client.parent / path)) == configuration.SCHEMA


def test_what_show_prints(sc: CommandLine) -> None:
    shown, _ = blocks("text")
    assert sc("config show --stack web").stdout == shown


def test_the_commands(sc: CommandLine) -> None:
    (commands,) = blocks("sh")
    for command in commands.splitlines():
        program, *words = shlex.split(command)
        done = sc(shlex.join(words))
        assert (program, done.code, done.stderr) == ("sc-secure", 0, "")
        assert "json" not in words or json.loads(done.stdout)["files"]


def test_what_validate_says(sc: CommandLine) -> None:
    _, said = blocks("text")
    for name, right, wrong in (
        (".sc/stacks/web/client.yaml", "failOn: high", "failOn: hihg"),
        (".sc/parent-stacks/baseline.yaml", "format: cyclonedx-json", "formt: cyclonedx-json"),
    ):
        assert right in Path(name).read_text()
        Path(name).write_text(Path(name).read_text().replace(right, wrong))
    done = sc("config validate --stack web")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == f"sc-secure: {said}"
