"""The policy pack on the real engine: who goes round the gate is stopped before anything is made.

The language host that `make tools` builds is older than the engine's way to start a pack: it would run the project once
more. So it is told to run a program that starts the pack as Pulumi's own `pulumi-analyzer-policy-python` does. Engine,
pack and policy SDK are the real ones.
"""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devtools import cache, venv
from tests.engine.secured_project import SECURITY, SecuredProject
from tests.images import CLEAN, push_image
from tests.project import Run

if TYPE_CHECKING:
    from tests.clouds.aws import Aws

pytestmark = pytest.mark.engine

TASK = """
def run(image):
    containers = lambda image: json.dumps([{"name": "web", "image": image, "memory": 128}])
    containers = pulumi.Output.from_input(image).apply(containers)
    aws.ecs.TaskDefinition("task", family="task", container_definitions=containers)
"""
PROGRAM = f"""
import json
import pulumi
import pulumi_aws as aws
from sc_secure import SecuredImage

config = pulumi.Config()
{SECURITY}
image = SecuredImage("app", {{
    "image_name": config.require("registry") + "/app:1",
    "build": {{"context": "app", "dockerfile": "app/Dockerfile"}},
    "security": security | {{"enabled": config.get("security") != "off"}},
}})
{TASK}
run({{"gate": image.deployable_ref, "early": image.image_ref}}.get(config.get("run"), config.get("run")))
pulumi.export("deployable_ref", image.deployable_ref)
"""
PAGE = (cache.REPOSITORY / "docs/policy-pack.md").read_text()
CONSUMER = f"""
import json
import pulumi
import pulumi_aws as aws
{TASK}
run(pulumi.Config().require("run"))
"""


@dataclass
class Guarded:
    """A project whose runs go through the pack."""

    project: SecuredProject
    aws: "Aws"
    pack: Path

    def run(self, image: str, command: str = "preview", **settings: Any) -> Run:
        """A preview or an update in which the task runs this image."""
        self.project.configure("run", image)
        config = self.project.folder / "pack.json"
        config.write_text(json.dumps(dict.fromkeys(("only-secured-images", "waits-for-the-gate"), settings)))
        options = [f"--policy-pack={self.pack}", f"--policy-pack-config={config}"]
        return self.project.up(*options) if command == "up" else self.project.preview(*options)

    def tasks(self) -> list[str]:
        return self.aws.client("ecs").list_task_definitions()["taskDefinitionArns"]


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def pack(tmp_path: Path, pulumi_env: dict[str, str]) -> Path:
    """The pack, with the name of a runtime for which there is no language host but the program that runs it."""
    folder = tmp_path / "policy"
    shutil.copytree(venv.POLICY_PACK, folder)
    description = (folder / "PulumiPolicy.yaml").read_text()
    assert "runtime: python\n" in description
    (folder / "PulumiPolicy.yaml").write_text(description.replace("runtime: python", "runtime: pack"))
    python, place = shlex.quote(str(venv.policy_pack())), shlex.quote(str(folder))
    # The host runs `python . ENGINE` in the project's folder.
    runs = f'#!/bin/sh\ncd {place} && exec {python} -u -m pulumi.policy "$2" .\n'
    start = write_program(tmp_path / "pack-python", runs)
    host = f'#!/bin/sh\nPULUMI_PYTHON_CMD={shlex.quote(str(start))} exec pulumi-language-python "$@"\n'
    program = write_program(tmp_path / "bin/pulumi-language-pack", host)
    pulumi_env["PATH"] = f"{program.parent}:{pulumi_env['PATH']}"
    return folder


@pytest.fixture
def guarded(pack: Path, new_project: Callable[..., SecuredProject], aws: "Aws") -> Guarded:
    project = new_project(PROGRAM)
    project.environment |= aws.environment
    return Guarded(project, aws, pack)


def test_nobody_goes_round_the_gate(guarded: Guarded) -> None:
    as_the_page_says(guarded)
    refused_before_anything_is_known(guarded)
    run = guarded.run("gate", "up")
    assert run.code == 0, run.text
    assert len(guarded.tasks()) == 1
    assert set(guarded.run("gate", "up", requiredSteps=["scan", "sign"]).steps.values()) == {"same"}
    refused_although_known(guarded)
    another_stacks_image(guarded)
    without_security(guarded)


def as_the_page_says(guarded: Guarded) -> None:
    [settings] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    guarded.project.write("pack.json", settings)
    [commands] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for command in commands.splitlines():
        _, verb, *options = shlex.split(command.replace("--policy-pack policy", f"--policy-pack {guarded.pack}"))
        guarded.project.configure("run", "nginx:latest")
        run = guarded.project.up(*options) if verb == "up" else guarded.project.preview(*options)
        assert run.code != 0
        assert "'nginx:latest' isn't an image by digest" in run.text
    assert guarded.tasks() == []


def refused_before_anything_is_known(guarded: Guarded) -> None:
    run = guarded.run("gate")
    assert run.code == 0, run.text
    run = guarded.run("early")
    assert run.code != 0
    assert "containerDefinitions waits for no step of a SecuredImage" in run.text


def refused_although_known(guarded: Guarded) -> None:
    project = guarded.project
    foreign = push_image(project.environment, project.folder, f"{project.registry}/foreign", CLEAN)
    run = guarded.run(foreign, "up")
    assert run.code != 0
    assert f"{foreign} came out of no SecuredImage of this stack." in run.text
    run = guarded.run("gate", requiredSteps=["scan", "sign", "attest", "verify", "sbom"])
    assert run.code == 0, run.text
    secured = project.stack_outputs()["deployable_ref"]
    run = guarded.run(secured)
    assert run.code != 0
    assert "waits for no step" in run.text
    assert len(guarded.tasks()) == 1


def another_stacks_image(guarded: Guarded) -> None:
    secured = guarded.project.stack_outputs()["deployable_ref"]
    source = guarded.project
    consumer = SecuredProject(
        source.folder.parent.parent / "consumer",
        source.environment,
        source.registry,
        source.folder / "cosign.key",
        CONSUMER,
    )
    consumer.environment["PULUMI_BACKEND_URL"] = source.environment["PULUMI_BACKEND_URL"]
    consumer.write("Pulumi.yaml", "name: consumer\nruntime: python\n")
    consumer.run("pulumi", "stack", "init", "dev")
    other = Guarded(consumer, guarded.aws, guarded.pack)
    run = other.run(secured)
    assert run.code != 0
    assert "came out of no SecuredImage of this stack." in run.text
    run = other.run(secured, allowedStacks=["organization/nothing/dev"])
    assert run.code != 0
    assert "nor of organization/nothing/dev (`pulumi stack export" in run.text
    run = other.run(secured, "up", allowedStacks=["organization/trial/dev"])
    assert run.code == 0, run.text
    assert len(guarded.tasks()) == 2


def without_security(guarded: Guarded) -> None:
    guarded.project.configure("security", "off")
    run = guarded.run("gate", "up")
    assert run.code != 0
    assert "whose security is on" in run.text
