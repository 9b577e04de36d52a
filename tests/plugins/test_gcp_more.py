"""More of what the `gcp` plugin does: what needs no long-lived stack."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clouds.google.server import REGION, Google
from tests.project import Project

pytestmark = pytest.mark.engine

# Apart from the others: to import the SDK's `compute` takes a program more than a second.
NETWORK = """
from pulumi_gcp import compute

network = compute.Network("network", auto_create_subnetworks=False)
compute.Subnetwork("inner", network=network.id, ip_cidr_range="10.0.0.0/26", private_ip_google_access=True)
"""


def test_networks(tmp_path: Path, pulumi_env: dict[str, str], google: Google) -> None:
    project = Project(tmp_path, pulumi_env | google.environment, NETWORK)
    created = project.up()
    assert created.code == 0, created.text
    network, inner = project.outputs("network"), project.outputs("inner")
    assert network["name"].startswith("network-")
    assert not network["autoCreateSubnetworks"]
    assert inner["network"] == network["selfLink"]
    assert (inner["region"], inner["gatewayAddress"]) == (REGION, "10.0.0.1")
    assert next(iter(google.compute.subnetworks.values())).private_ip_google_access
    looked = project.up("--refresh")
    assert set(looked.steps.values()) == {"same"}, looked.text
    destroyed = project.destroy()
    assert destroyed.code == 0, destroyed.text
    assert not google.compute.networks


SECRETLESS = """
from pulumi_gcp import cloudrunv2

container = {
    "image": "example.com/app",
    "envs": [{"name": "TOKEN", "value_source": {"secret_key_ref": {"secret": "token", "version": "latest"}}}],
}
cloudrunv2.Service("app", location="europe-west1", template={"containers": [container]}, deletion_protection=False)
"""


def test_a_service_that_does_not_start_is_there(tmp_path: Path, pulumi_env: dict[str, str], google: Google) -> None:
    project = Project(tmp_path, pulumi_env | google.environment, SECRETLESS)
    created = project.up()
    assert created.code != 0
    assert "Error waiting to create Service: Error waiting for Creating Service: Error code 9, message" in created.text
    assert "Permission denied on secret" in created.text
    (name,) = google.cloud_run.services
    assert project.resources()["app"]["id"] == name
    assert "uri" not in project.outputs("app")
    again = project.up()
    assert again.steps["app"] == "update"
    assert not [call for call in google.calls() if call.startswith("PATCH")]


# In a process of its own, as a plugin is: its modules have short names.
EVERY_INPUT = """
import sys
sys.path.insert(0, sys.argv[1])
from cloud_run import Service
from google_api import Google
from resources import ProviderError

NOT_SENT = {"location", "name", "project", "deletionPolicy", "deletionProtection"}
service = Service(Google())

def leaves(schema, path=()):
    if "properties" in schema:
        for key, below in schema["properties"].items():
            yield from leaves(below, (*path, key))
    elif schema.get("type") == "array":
        yield from leaves(schema["items"], (*path, None))
    else:
        yield path, schema

def value_of(name, schema):
    if name in service.choices:
        return service.choices[name][0]
    if name.endswith("timeout"):
        return "1s"
    if name.endswith("medium"):
        return "MEMORY"
    return {"integer": 1, "boolean": True, "object": {"a": "b"}}.get(schema["type"], "1")

for path, schema in leaves(service.inputs):
    name = ".".join(key for key in path if key)
    if any(name == each or name.startswith(f"{each}.") for each in service.unsupported | NOT_SENT):
        continue
    value = value_of(name, schema)
    for key in reversed(path):
        value = [value] if key is None else {key: value}
    try:
        sent = service._message({"template": {}} | value)
    except ProviderError as error:
        print(name, error)
    else:
        if sent == service._message({"template": {}}):
            print(name, "isn't sent")
"""


CHECKS = """
import sys
sys.path.insert(0, sys.argv[1])
from cloud_run import Service
from google_api import Google
from resources import InvalidInput, Operation
from service_account import Account

for kind, inputs in (
    (Service, {"name": "a", "ingress": "EVERYBODY"}),
    (Service, {"name": "a", "traffics": [{"type": "LATEST"}]}),
    (Service, {"name": "a", "template": {"containers": [{"sandboxLauncher": True}]}}),
    (Account, {"accountId": "app"}),
    (Account, {}),
):
    try:
        kind(Google()).check(Operation(urn="urn:pulumi:dev::trial::t::" + "long" * 10), {}, inputs)
    except InvalidInput as error:
        print(error)
"""


def _plugin(folder: Path, script: str) -> list[str]:
    for part in ("shared", "gcp"):  # a copy: beside it, the plugin keeps what it learns of the SDK
        shutil.copytree(Path(__file__).parent / part, folder, dirs_exist_ok=True)
    command = [sys.executable, "-c", script, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_every_input_of_a_service_is_sent_or_refused(tmp_path: Path) -> None:
    assert not _plugin(tmp_path, EVERY_INPUT)


def test_values_that_the_official_provider_refuses_in_a_preview(tmp_path: Path) -> None:
    ingress, kind, launcher, account, longest = _plugin(tmp_path, CHECKS)
    assert 'expected ingress to be one of ["INGRESS_TRAFFIC_ALL" ' in ingress
    assert kind.startswith("traffics.type: expected traffics.type to be one of")
    assert launcher == "template.containers.sandboxLauncher: isn't supported by the offline gcp plugin"
    assert account.startswith('accountId: "accountId" ("app") must match regex')
    assert longest.endswith("plus 7 random chars is longer than maximum length 30")
