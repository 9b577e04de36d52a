"""Where each kind of workload names its images: the engine's tests run one kind for real, here are all."""

import importlib.util
import json
from types import ModuleType
from typing import Any

import pytest

from devtools.venv import POLICY_PACK

A, B = ("registry.example/app@sha256:" + letter * 64 for letter in "ab")


def load(name: str) -> ModuleType:
    """A module of the pack, which is no package: Pulumi runs its folder."""
    spec = importlib.util.spec_from_file_location(f"policy_pack_{name}", POLICY_PACK / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


workloads, steps = load("workloads"), load("steps")

CONTAINERS = [{"name": "web", "image": A}, {"name": "side", "image": B}]
KINDS = {
    "aws:ecs/taskDefinition:TaskDefinition": {"containerDefinitions": json.dumps(CONTAINERS)},
    "aws-native:ecs:TaskDefinition": {"containerDefinitions": CONTAINERS},
    "gcp:cloudrunv2/service:Service": {"template": {"containers": CONTAINERS}},
    "gcp:cloudrunv2/workerPool:WorkerPool": {"template": {"containers": CONTAINERS}},
    "gcp:cloudrunv2/job:Job": {"template": {"template": {"containers": CONTAINERS}}},
    "gcp:cloudrun/service:Service": {"template": {"spec": {"containers": CONTAINERS}}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_its_images_are_found(kind: str) -> None:
    assert set(KINDS) == set(workloads.WORKLOADS)
    assert workloads.images(kind, KINDS[kind]) == [A, B]
    assert workloads.images(kind, {}) == []


def test_what_runs_nothing() -> None:
    assert workloads.images("aws:s3/bucket:Bucket", {"containerDefinitions": "[{}]"}) == []


@pytest.mark.parametrize("containers", ["{", '"text"', "[1]", "7"])
def test_what_cannot_be_read_is_no_pass(containers: str) -> None:
    with pytest.raises(ValueError, match="containerDefinitions can't be read"):
        workloads.images("aws:ecs/taskDefinition:TaskDefinition", {"containerDefinitions": containers})


def test_a_container_without_an_image_is_seen() -> None:
    assert workloads.images("aws-native:ecs:TaskDefinition", {"containerDefinitions": [{"name": "x"}]}) == [None]


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ("sc-secure:index:SecuredImage$sc-secure:index:ScanCommand$command:local:Command", "scan"),
        ("my:own:Thing$sc-secure:index:SecuredImage$sc-secure:index:SignCommand$command:local:Command", "sign"),
        ("sc-secure:index:SecuredImage$sc-secure:index:VerifyCommand$command:remote:Command", "verify"),
        ("sc-secure:index:ScanCommand$command:local:Command", None),
        ("sc-secure:index:SecuredEcsService$sc-secure:index:VerifyCommand$command:local:Command", None),
        ("command:local:Command", None),
        ("sc-secure:index:SecuredImage$command:local:Command", None),
    ],
)
def test_a_step_is_one_by_its_parents(types: str, expected: str | None) -> None:
    assert steps.step(f"urn:pulumi:dev::trial::{types}::app-scan") == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f".sc/bin/sc-secure image scan --image {A} --fail-on high", A),
        (".sc/bin/sc-secure image scan --image registry.example/app:1", None),
        (f".sc/bin/sc-secure image scan --ignore '--image {A}'", None),
        (".sc/bin/sc-secure image scan --image", None),
        (f"sc-secure image scan --image {A} 'never ends", None),
    ],
)
def test_what_a_step_is_about(command: str, expected: str | None) -> None:
    properties: dict[str, Any] = {"create": command}
    assert steps.subject(properties) == expected
