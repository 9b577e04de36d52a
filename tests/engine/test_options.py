"""Pulumi's resource options on `SecuredImage`: each reaches the children that a user expects it on."""

from pathlib import Path
from typing import Any

import pytest

from sc_secure.components._step import GRACE_SECONDS, QUEUE_SECONDS
from tests.components.mocked import REFERENCE
from tests.engine.conftest import NewProject
from tests.engine.secured_project import STEPS, SecuredProject
from tests.images import CLEAN, push_image

pytestmark = pytest.mark.engine

WITH_OPTIONS = """
import pulumi
import pulumi_command as command
import pulumi_docker as docker
from sc_secure import SecuredImage

class Platform(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("test:index:Platform", "platform")

def numbered(args):
    if args.type_ == "command:local:Command" and args.name.startswith("app-"):
        environment = {**args.props["environment"], "BY": "transform"}
        return pulumi.ResourceTransformResult({**args.props, "environment": environment}, args.opts)

before = command.local.Command("before", create="true")
security = {"scan": {}, "sbom": {}, "signing": {"key": "cosign.key"}, "provenance": {}}
args = {"image_name": "registry.example/app:1", "build": {"context": "app"}, "security": security}
SecuredImage("app", args, pulumi.ResourceOptions(
    parent=Platform(),
    providers=[docker.Provider("docker-elsewhere"), command.Provider("command-elsewhere")],
    protect=True,
    retain_on_delete=True,
    depends_on=[before],
    transforms=[numbered],
    custom_timeouts=pulumi.CustomTimeouts(create="1h", update="1h"),
))
"""

COMMANDS = {f"app-{step}" for step in STEPS}


def test_options_reach_the_children(new_project: NewProject) -> None:
    project = new_project(WITH_OPTIONS)
    steps = project.plan()["steps"]
    planned = {name_of(step["urn"]): step["newState"] for step in steps if step["newState"]["custom"]}
    children = {name: planned[name] for name in ("app-image", *COMMANDS)}
    for name, state in children.items():
        assert "::test:index:Platform$sc-secure:index:SecuredImage$" in state["urn"], name
        assert state["protect"] is True, name
        assert state["retainOnDelete"] is True, name
        assert "before" in {name_of(urn) for urn in state["dependencies"]}, name
        provider = "docker" if name == "app-image" else "command"
        assert f"::{provider}-elsewhere::" in state["provider"], name
    assert all(planned[name]["inputs"]["environment"]["BY"] == "transform" for name in COMMANDS)
    # The build has the component's time-out; each step has that of the policy, and Pulumi's is later by its turn.
    assert planned["app-image"]["customTimeouts"] == {"create": 3600, "update": 3600}
    limit = QUEUE_SECONDS + 600 + GRACE_SECONDS
    assert planned["app-scan"]["customTimeouts"] == {"create": limit, "update": limit}


def name_of(urn: str) -> str:
    return urn.rpartition("::")[2]


NAMED = """
import pulumi
from sc_secure import SecuredImage

security = {"sbom": {}, "signing": {"key": "cosign.key", "password_env": "SIGNING_PASSWORD"}}
args = {"image_ref": pulumi.Config().require("image"), "security": security}
SecuredImage("app", args)
"""
RENAMED = NAMED.replace(
    'SecuredImage("app", args)',
    """
class Platform(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("test:index:Platform", "platform")

was = pulumi.Alias(name="app", parent=pulumi.ROOT_STACK_RESOURCE)
SecuredImage("shop", args, pulumi.ResourceOptions(parent=Platform(), aliases=[was]))
""",
)


def test_another_name_and_parent_with_an_alias_change_nothing(new_project: NewProject) -> None:
    project = new_project(NAMED)
    image = push_image(project.environment, project.folder, f"{project.registry}/app", CLEAN)
    project.configure("image", image)
    run = project.up()
    assert run.code == 0, run.text
    lose_all(project, image)
    run = project.up()  # the second attempt of each step that attaches something
    assert run.code == 0, run.text
    assert attempts(project) == {"app-sbom": "1", "app-sign": "2", "app-attest-sbom": "2", "app-verify": "2"}

    project.write("__main__.py", RENAMED)
    (project.folder / "cosign.key").unlink()  # of which the record tells
    run = project.preview()
    assert run.code == 0, run.text
    assert run.steps.pop("platform") == "create"
    assert set(run.steps.values()) == {"same"}, run.steps
    assert set(run.steps) == {"shop-sbom", "shop-sign", "shop-attest-sbom", "shop-verify"}


def attempts(project: SecuredProject) -> dict[str, Any]:
    commands = {name: each for name, each in project.resources().items() if each["type"] == "command:local:Command"}
    return {name: each["outputs"]["environment"]["SC_SECURE_ATTEMPT"] for name, each in commands.items()}


def lose_all(project: SecuredProject, reference: str) -> None:
    repository, digest = reference.split("@")
    done = project.run("crane", "delete", f"{repository}:{digest.replace(':', '-')}")
    assert done.returncode == 0, done.stderr


IN_YAML = f"""
name: trial
runtime: yaml
resources:
  before:
    type: sc-secure:SbomCommand
    properties: {{image: {REFERENCE}}}
  command-elsewhere:
    type: pulumi:providers:command
  platform:
    type: sc-secure:SbomCommand
    properties: {{image: {REFERENCE}}}
  app:
    type: sc-secure:SecuredImage
    properties:
      imageRef: {REFERENCE}
      security: {{sbom: {{}}, signing: {{key: cosign.key}}, timeouts: {{sign: 120}}}}
    options:
      dependsOn: ["${{before}}"]
      parent: ${{platform}}
      protect: true
      retainOnDelete: true
      providers: ["${{command-elsewhere}}"]
"""


def test_options_reach_the_children_from_another_language(new_project: NewProject, plugin: Path) -> None:
    """All but those that Pulumi drops on the way: docs/languages.md."""
    project = new_project()
    (project.folder / "__main__.py").unlink()
    project.write("Pulumi.yaml", IN_YAML)
    project.environment["PATH"] = f"{plugin}:{project.environment['PATH']}"
    plan = project.plan()
    states = [step["newState"] for step in plan["steps"] if step["newState"]["type"] == "command:local:Command"]
    children = {name_of(each["urn"]): each for each in states if name_of(each["urn"]).startswith("app-")}
    assert set(children) == {"app-sbom", "app-sign", "app-attest-sbom", "app-verify"}
    for name, state in children.items():
        assert "$sc-secure:index:SbomCommand$sc-secure:index:SecuredImage$" in state["urn"].replace("::", "$"), name
        assert state["protect"] is True, name
        assert state["retainOnDelete"] is True, name
        assert "::command-elsewhere::" in state["provider"], name
        assert "before" in {name_of(urn) for urn in state["dependencies"]}, name
    limit = QUEUE_SECONDS + 120 + GRACE_SECONDS
    assert children["app-sign"]["customTimeouts"] == {"create": limit, "update": limit}
