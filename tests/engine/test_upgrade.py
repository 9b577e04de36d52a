"""What an upgrade of sc-secure does to a stack: nothing. Each kept state was made by the version in its name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sc_secure import __version__
from tests.engine.make_state import FIXTURES, PROGRAM
from tests.engine.secured_project import STEPS, SecuredProject

pytestmark = pytest.mark.engine
COMMANDS = {f"app-{step}" for step in STEPS} | {"again"}
STATES = sorted(FIXTURES.glob("state-*.json"))


@pytest.mark.parametrize("file", STATES, ids=lambda file: file.stem)
def test_no_step_runs_again_over_a_state_of(new_project: Callable[..., SecuredProject], file: Path) -> None:
    state: dict[str, Any] = json.loads(file.read_text())
    resources = state["deployment"]["resources"]
    assert {each["urn"].split("::")[-1] for each in resources if each["type"] == "command:local:Command"} == COMMANDS
    outputs = next(each["outputs"] for each in resources if each["type"] == "pulumi:pulumi:Stack")

    project = new_project(PROGRAM)
    for key in ("cosign.key", "cosign.pub"):  # another pair than the one that signed
        (project.folder / key).unlink()
    project.configure("imageRef", outputs["deployable_ref"])
    imported = project.run("pulumi", "stack", "import", "--stack", "dev", "--file", str(file), "--non-interactive")
    assert imported.returncode == 0, imported.stderr
    assert project.changed() == {}
    run = project.up()
    assert run.code == 0, run.text
    assert {name: op for name, op in run.steps.items() if name in COMMANDS} == dict.fromkeys(COMMANDS, "same")
    assert project.stack_outputs() == outputs

    project.configure("failOn", "high")  # and the state is one that is really read
    assert set(project.changed()) == {"app-scan"}


def test_a_state_of_this_version_is_kept() -> None:
    assert FIXTURES / f"state-{__version__}.json" in STATES, "make it: see tests/engine/make_state.py"
