"""Updates whose engine is killed, and two updates at once: the next one converges, and nothing is signed twice."""

import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devtools.processes import Process
from tests.engine.secured_project import SecuredProject
from tests.waiting import wait_until

pytestmark = pytest.mark.engine
HOST = "pulumi-language-python"
NewProject = Callable[..., SecuredProject]


def command_line(process: Process) -> str:
    return Path(f"/proc/{process.pid}/cmdline").read_text().replace("\0", " ")


@pytest.mark.parametrize("seed", range(2))
def test_the_engine_is_killed_at_any_time(new_project: NewProject, seed: int) -> None:
    project = new_project()
    chance = random.Random(seed)  # noqa: S311 - to be had again
    process = project.start("up", "--yes", "--skip-preview")
    time.sleep(chance.uniform(4, 14))
    engine = Process.of(process.pid)
    family = [engine, *engine.descendants()] if engine else []
    for member in family[:1]:  # the engine alone: its plugins and our steps have to notice
        member.signal(signal.SIGKILL)
    process.wait(timeout=20)
    for member in family:
        if member.alive() and HOST in command_line(member):
            member.end()  # Pulumi's own: it waits for its engine for minutes
    wait_until(lambda: not [command_line(member) for member in family if member.alive()])
    project.run("pulumi", "cancel", "--yes", "--stack", "dev")  # the file backend's lock
    run = project.up()
    assert run.code == 0, run.text
    assert project.stack_outputs()["app_status"] == "secured"
    assert len(project.attached(project.stack_outputs()["app_deployable_ref"])) == 4
    assert project.changed() == {}


def test_two_updates_of_one_image_at_once(new_project: NewProject) -> None:
    first, second = new_project(), new_project()
    second.registry = first.registry
    second.configure("registry", first.registry)
    with ThreadPoolExecutor() as both:
        runs = list(both.map(SecuredProject.up, (first, second)))
    assert [run.code for run in runs] == [0, 0], "\n".join(run.text for run in runs)
    refs = [project.stack_outputs()["app_deployable_ref"] for project in (first, second)]
    for project, ref in zip((first, second), refs, strict=True):
        assert project.stack_outputs()["app_status"] == "secured"
        # the provenances name two builds: those may be two
        assert len(project.attached(ref)) <= 5
        assert project.changed() == {}
