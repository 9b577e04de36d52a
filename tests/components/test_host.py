"""What arrives across the provider boundary: Pulumi's own host loses some of it, ours nothing.

In a process of its own: Pulumi's provider and Google's client libraries each bring a google.rpc.Status, and a process
takes only one.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import asyncio, json, sys
import pulumi
from sc_secure import SecuredEcsService, SecuredImage
from sc_secure.components._host import Host
from sc_secure.components._validate import InvalidArgs, validated
from sc_secure.components.args import SecuredImageArgs
from sc_secure.components.ecs.args import SecuredEcsServiceArgs

async def main():
    host = Host([SecuredImage, SecuredEcsService], "sc-secure", None, "1.0.0")
    component, given = json.loads(sys.argv[1])
    def whole(value):  # {"output": x} stands for an output or a secret
        if isinstance(value, list):
            return [whole(each) for each in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"output"}:
            return pulumi.Output.secret(value["output"])
        return {key: whole(each) for key, each in value.items()}
    kind = {"SecuredImage": SecuredImageArgs, "SecuredEcsService": SecuredEcsServiceArgs}[component]
    try:
        mapped = validated(component, kind, host.map_inputs(whole(given), host._component_defs[component]))
    except InvalidArgs as error:
        print(json.dumps({"refused": "; ".join(f"{path}: {reason}" for path, reason in error.problems)}))
    else:
        print(json.dumps({"mapped": mapped}, default=lambda _: "an output"))

asyncio.run(main())
"""
IMAGE: dict[str, Any] = {"imageRef": "r.example/app"}
ECS: dict[str, Any] = {"image": "r.example/app", "subnetIds": ["s"]}
WHOLE = "must be known when the program runs: it can't be an output or a secret as a whole"


def arrived(component: str, given: dict[str, Any]) -> dict[str, Any]:
    argv = [sys.executable, "-c", PROGRAM, json.dumps([component, given])]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("component", "given", "refused"),
    [
        ("SecuredImage", {**IMAGE, "security": {"output": {"scan": {}}}}, f"security: {WHOLE}"),
        ("SecuredImage", {**IMAGE, "security": {"scan": {"output": {}}}}, f"security.scan: {WHOLE}"),
        ("SecuredImage", {**IMAGE, "security": "signing"}, "security: a mapping is expected"),
        ("SecuredImage", {**IMAGE, "security": ["signing"]}, "security: a mapping is expected"),
        (
            "SecuredImage",
            {**IMAGE, "security": {"scan": {"ignore": [{"output": {"id": "CVE-1"}}]}}},
            f"security.scan.ignore[0]: {WHOLE}",
        ),
        ("SecuredImage", {**IMAGE, "security": {"scan": {"failOm": "low"}}}, "security.scan.failOm: "),
        ("SecuredImage", {**IMAGE, "sekurity": {}}, "sekurity: "),
        ("SecuredImage", {**IMAGE, "registry": {"output": {"server": "r"}}}, f"registry: {WHOLE}"),
        ("SecuredEcsService", {**ECS, "verify": {"output": {"key": "k"}}}, f"verify: {WHOLE}"),
        ("SecuredEcsService", {**ECS, "verify": {"key": "k"}, "desiredCount": {"output": 2}}, f"desiredCount: {WHOLE}"),
    ],
)
def test_what_would_be_lost_is_refused(component: str, given: dict[str, Any], refused: str) -> None:
    assert arrived(component, given).get("refused", "").startswith(refused)


def test_what_can_be_an_output_arrives_as_one_and_numbers_as_they_are() -> None:
    registry = {"server": "r.example", "username": "me", "password": {"output": "s3cret"}}
    image = arrived("SecuredImage", {**IMAGE, "registry": registry, "security": {"timeouts": {"scan": 300.0}}})
    assert image["mapped"]["registry"] == {"server": "r.example", "username": "me", "password": "an output"}
    assert repr(image["mapped"]["security"]["timeouts"]["scan"]) == "300"
    given = {**ECS, "verify": {"key": "k"}, "environment": {"A": {"output": "1"}}, "desiredCount": 2.0}
    service = arrived("SecuredEcsService", given)["mapped"]
    assert service["environment"] == {"A": "an output"}
    assert repr(service["desired_count"]) == "2"
