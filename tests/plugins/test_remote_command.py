"""What `remote.Command` does, on the real engine and a real sshd: as the official plugin's source (1.2) says it.

That is its connection.go and commandOutputs.go. A run of the engine is a fixture: it costs seconds, a test none.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.project import Project, Run
from tests.ssh_host import SshHost

pytestmark = pytest.mark.engine

PROGRAM = """
import json
from pathlib import Path
import pulumi
from pulumi_command import remote

for name, args in json.loads(Path("commands.json").read_text()).items():
    remote.Command(name, args=remote.CommandArgs(connection=remote.ConnectionArgs(**args.pop("connection")), **args))
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    host = SshHost(tmp_path_factory.mktemp("host"), {"PATH": os.defpath, "WHERE": "there"})
    yield host
    host.stop()


def commands(host: SshHost, second: bool = False) -> dict[str, dict[str, Any]]:
    here = {"host": "127.0.0.1", "port": host.port, "user": host.user, "private_key": host.private_key}
    plain = {"connection": here | {"host_key": host.host_key}, "logging": "none"}
    return {
        "plain": plain | {"create": 'echo "$WHERE"; echo; echo err >&2; pwd >> ran'},
        "stdin": plain | {"create": "cat; echo stdin >> ran", "stdin": "counted=2" if second else "counted=1"},
        "any-host-key": {"connection": here, "create": "echo in"},
        "goes": plain | {"create": "echo 1", "delete": "echo gone >> ran"},
        "long": plain | {"create": "head -c 71680 /dev/zero | tr '\\0' x"},
    } | ({"fails": plain | {"create": "echo said; echo cried >&2; exit 3"}} if second else {})


@dataclass
class Phase:
    run: Run
    ran: list[str]
    resources: dict[str, dict[str, Any]]
    state: str

    def stdout(self, name: str) -> Any:
        return self.resources[name]["outputs"]["stdout"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, pulumi_env: dict[str, str]) -> Project:
    return Project(tmp_path_factory.mktemp("remote"), pulumi_env, PROGRAM)


def phase(project: Project, host: SshHost, run: Run) -> Phase:
    ran = host.home / "ran"
    lines = ran.read_text().splitlines() if ran.exists() else []
    return Phase(run, lines, project.resources(), project._pulumi("stack", "export", "--stack", "dev").stdout)


@pytest.fixture(scope="module")
def previewed(project: Project, host: SshHost) -> Phase:
    project.write("commands.json", commands(host))
    return phase(project, host, project.preview())


@pytest.fixture(scope="module")
def made(project: Project, host: SshHost, previewed: Phase) -> Phase:
    return phase(project, host, project.up())


@pytest.fixture(scope="module")
def changed(project: Project, host: SshHost, made: Phase) -> Phase:
    project.write("commands.json", {name: args for name, args in commands(host, True).items() if name != "goes"})
    return phase(project, host, project.up())


def test_a_preview_runs_nothing(previewed: Phase) -> None:
    assert previewed.run.code == 0, previewed.run.text
    assert previewed.ran == []


def test_a_command_runs_in_the_home_of_the_host(made: Phase, host: SshHost) -> None:
    assert made.run.code == 0, made.run.text
    assert str(host.home) in made.ran
    assert made.stdout("plain") == "there\n"
    assert made.resources["plain"]["outputs"]["stderr"] == "err"
    assert made.stdout("stdin") == "counted=1"
    assert made.stdout("any-host-key") == "in"
    assert len(made.stdout("long")) == 71680


def test_the_connection_is_a_secret(made: Phase, host: SshHost) -> None:
    assert "PRIVATE KEY" not in made.state
    assert str(host.port) not in made.state
    assert made.resources["plain"]["inputs"]["connection"]["4dabf18193072939515e22adb298388d"]


def test_a_changed_input_runs_it_again_in_place(changed: Phase) -> None:
    assert changed.run.steps["stdin"] == "update"
    assert changed.stdout("stdin") == "counted=2"
    assert changed.run.steps["plain"] == "same"
    assert changed.ran.count("stdin") == 2


def test_a_failure_says_the_command_and_its_output_and_leaves_nothing(changed: Phase) -> None:
    assert changed.run.code != 0
    assert "Process exited with status 3: running " in changed.run.text
    assert "said" in changed.run.text
    assert "cried" in changed.run.text
    assert "fails" not in changed.resources
    # Nothing is deleted after a failure; see the next test.
    assert "goes" in changed.resources


def test_another_host_key_is_refused_after_the_retries(
    tmp_path: Path, pulumi_env: dict[str, str], host: SshHost
) -> None:
    project = Project(tmp_path, pulumi_env, PROGRAM)
    plain = commands(host)["plain"]
    plain["connection"] |= {"host_key": host.other_key, "dial_error_limit": 1}
    project.write("commands.json", {"plain": plain})
    run = project.up()
    assert run.code != 0
    assert "after 1 failed attempts" in run.text
    assert "PRIVATE KEY" not in run.text
    assert "plain" not in project.resources()


def test_deleting_runs_the_delete(project: Project, host: SshHost, changed: Phase) -> None:
    project.write("commands.json", {})
    run = project.up()
    assert run.code == 0, run.text
    assert phase(project, host, run).ran[-1] == "gone"


def test_a_variable_that_the_server_does_not_accept_is_an_error(
    tmp_path: Path, pulumi_env: dict[str, str], host: SshHost
) -> None:
    project = Project(tmp_path, pulumi_env, PROGRAM)
    project.write("commands.json", {"plain": commands(host)["plain"] | {"environment": {"A": "1"}}})
    run = project.up()
    assert run.code != 0
    assert "could not set environment variable" in run.text
