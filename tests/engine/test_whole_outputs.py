"""Whole maps, lists and objects that are outputs or secrets, in a Python program on the real engine."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.ecs_project import EcsProject
from tests.engine.secured_project import SECURITY, SecuredProject

if TYPE_CHECKING:
    from tests.clouds.aws import Aws
    from tests.clouds.google.server import Google

pytestmark = pytest.mark.engine

BUILD, VARIABLE = "build-s3ntinel-9f8", "variable-s3ntinel-9f9"
# `way`: in parts; as one output, which a preview doesn't know before the command has run; or as what won't do.
PROGRAM = f"""
import json
import pulumi
from pulumi_command import local
from sc_secure import SecuredCloudRunService, SecuredEcsService, SecuredImage

config = pulumi.Config()
way = config.require("way")
{SECURITY}
more = config.get_object("more") or {{}}
earlier = local.Command("earlier", create="echo earlier").stdout

def given(value):
    return value if way == "parts" else earlier.apply(lambda _: value)

def secrets(key):
    found = config.require_secret_object(key)
    if way != "parts":
        return pulumi.Output.all(earlier, found).apply(lambda got: got[1])
    return {{name: found.apply(lambda known, name=name: known[name]) for name in ("TOKEN", "OTHER")}}

image = SecuredImage("app", {{
    "image_name": config.require("registry") + "/app:1",
    "build": {{"context": "app", "dockerfile": "app/Dockerfile", "args": secrets("args")}},
    "security": security,
}})
common = {{"image": image.deployable_ref, "verify": {{"security": security}}, "environment": secrets("environment")}}
SecuredEcsService("ecs", common | {{
    "subnet_ids": given(config.require_object("subnets")),
    "secrets": given({{"PASSWORD": config.require("database")}}),
    "tags": given({{"team": "shop"}} | more),
}})
run = SecuredCloudRunService("run", common | {{
    "location": "europe-west1",
    "labels": given({{"team": "shop"}}),
    "args": given(["--fast"]),
    "vpc": given({{"network": "net", "tags": ["web"]}}),
    "deletion_protection": False,
}})
pulumi.export("deployable_ref", image.deployable_ref)
pulumi.export("status", image.status)
pulumi.export("service_name", run.service_name)
"""


@pytest.fixture
def ecs(new_project: Callable[..., SecuredProject], aws: "Aws", google: "Google") -> EcsProject:
    made = EcsProject(new_project(PROGRAM), aws)
    made.project.environment |= google.environment
    secret = aws.client("secretsmanager").create_secret(Name="database", SecretString="p")
    made.configure(database=secret["ARN"], way="whole")
    for key, sentinel in (("args", BUILD), ("environment", VARIABLE)):
        value = json.dumps({"TOKEN": sentinel, "OTHER": f"{sentinel}-2"})
        made.project._pulumi("config", "set", "--secret", key, value, "--stack", "dev")
    return made


def test_they_arrive_and_no_secret_is_left_in_clear(ecs: EcsProject, google: "Google") -> None:
    project = ecs.project
    preview = project.preview("--diff")
    assert preview.code == 0, preview.text
    run = project.up("--diff")
    assert run.code == 0, run.text
    assert project.stack_outputs()["status"] == "secured"
    check_what_the_clouds_have(ecs, google)
    check_provenance(project)
    texts = [preview.text, run.text, project.export()]

    again = project.up("--diff")
    assert set(again.steps.values()) == {"same"}, again.text
    ecs.configure(way="parts")
    parts = project.up("--diff")
    assert set(parts.steps.values()) == {"same"}, parts.text
    texts += [again.text, parts.text, project.export()]

    for text in texts:
        assert BUILD not in text, text
        assert VARIABLE not in text, text
    shown = json.loads(project.export("--show-secrets"))["deployment"]["resources"]
    holders = {
        key: {each["urn"].split("::")[-1] for each in shown if key in json.dumps(each)} for key in (BUILD, VARIABLE)
    }
    assert holders == {BUILD: {"app-image"}, VARIABLE: {"ecs-task-definition", "run"}}
    files = [file for file in (project.folder / ".sc").rglob("*") if file.is_file()]
    assert not [file for file in files if b"s3ntinel" in file.read_bytes()]
    check_refusal_leaves_all_as_it_was(ecs)


def check_what_the_clouds_have(ecs: EcsProject, google: "Google") -> None:
    environment = [("OTHER", f"{VARIABLE}-2"), ("TOKEN", VARIABLE)]
    [container] = ecs.task_definition()["containerDefinitions"]
    assert [(each["name"], each["value"]) for each in container["environment"]] == environment
    assert [each["name"] for each in container["secrets"]] == ["PASSWORD"]
    service = ecs.service()
    assert service["tags"] == [{"key": "team", "value": "shop"}]
    assert service["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == ecs.subnets
    made = google.service(ecs.project.stack_outputs()["service_name"])
    [container] = made.template.containers
    assert [(each.name, each.value) for each in container.env] == environment
    assert (list(container.args), dict(made.labels)["team"]) == (["--fast"], "shop")
    [interface] = made.template.vpc_access.network_interfaces
    assert (interface.network, list(interface.tags)) == ("net", ["web"])


def check_provenance(project: SecuredProject) -> None:
    folder = (
        project.folder / ".sc/artifacts" / project.stack_outputs()["deployable_ref"].split("@")[1].replace(":", "-")
    )
    parameters: dict[str, Any] = json.loads((folder / "provenance.slsa.json").read_text())["buildDefinition"]
    assert parameters["externalParameters"]["buildArgNames"] == ["OTHER", "TOKEN"]


def check_refusal_leaves_all_as_it_was(ecs: EcsProject) -> None:
    """By its path, in a preview that knows the value and in an update, before anything is asked of AWS."""
    ecs.configure(way="whole", more='{"aws:reserved": "x"}')
    asked = ecs.asked()
    for run in (ecs.project.preview(), ecs.project.up()):
        assert run.code != 0, run.text
        assert "  tags.aws:reserved: a tag's name has" in run.text, run.text
        assert "Traceback" not in run.text, run.text
    assert ecs.asked() == asked
