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
from google.protobuf import json_format, struct_pb2
from pulumi.errors import InputPropertyError
from pulumi.runtime import rpc
from sc_secure import SecuredCloudRunService, SecuredEcsService, SecuredImage
from sc_secure.components._host import Host
from sc_secure.components._validate import InvalidArgs, validated
from sc_secure.components.args import SecuredImageArgs
from sc_secure.components.cloud_run.args import SecuredCloudRunServiceArgs
from sc_secure.components.ecs.args import SecuredEcsServiceArgs

async def main():
    # As Pulumi's plugin does: a value of the engine's wire, as the host gets it.
    pulumi.runtime.settings.reset_options(preview=True)
    host = Host([SecuredImage, SecuredEcsService, SecuredCloudRunService], "sc-secure", None, "1.0.0")
    def wire(value):  # {"output": x}, {"secret": x} and "?" stand for an output, a secret, and what isn't known
        if value == "?":
            return rpc.UNKNOWN
        if isinstance(value, list):
            return [wire(each) for each in value]
        if not isinstance(value, dict):
            return value
        if set(value) in ({"output"}, {"secret"}):
            [(kind, inner)] = value.items()
            signed = {rpc._special_sig_key: rpc._special_output_value_sig, "secret": kind == "secret"}
            return signed | ({} if inner == "?" else {"value": wire(inner)})
        return {key: wire(each) for key, each in value.items()}
    async def seen(value):
        if isinstance(value, dict):
            return {key: await seen(each) for key, each in value.items()}
        if isinstance(value, list):
            return [await seen(each) for each in value]
        if not isinstance(value, pulumi.Output):
            return value
        kind = "secret" if await value.is_secret() else "output"
        return {kind: await value.future() if await value.is_known() else "?"}
    kinds = {"SecuredImage": SecuredImageArgs, "SecuredEcsService": SecuredEcsServiceArgs}
    kinds["SecuredCloudRunService"] = SecuredCloudRunServiceArgs
    for component, given in json.loads(sys.stdin.read()):
        struct = json_format.ParseDict(wire(given), struct_pb2.Struct())
        arrived = rpc.deserialize_properties(struct, keep_unknowns=True)
        try:
            inputs = host.map_inputs(arrived, host._component_defs[component])
            answer = {"mapped": await seen(validated(component, kinds[component], inputs))}
        except InvalidArgs as error:
            answer = {"refused": "; ".join(f"{path}: {reason}" for path, reason in error.problems)}
        except InputPropertyError as error:
            answer = {"refused": f"{error.property_path}: {error.reason}"}
        print(json.dumps(answer))

asyncio.run(main())
"""
IMAGE: dict[str, Any] = {"imageRef": "r.example/app"}
ECS: dict[str, Any] = {"image": "r.example/app", "subnetIds": ["s"]}
WHOLE = "must be known when the program runs: it can't be an output"
PLAIN = "is a secret, and would be kept in the state as plain text"


def arrived(cases: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    argv, given = [sys.executable, "-c", PROGRAM], json.dumps(cases)
    done = subprocess.run(argv, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("SecuredImage", {**IMAGE, "security": {"output": "?"}}, f"security: {WHOLE}"),
    ("SecuredImage", {**IMAGE, "security": {"secret": "?"}}, f"security: {WHOLE}"),
    ("SecuredImage", {**IMAGE, "security": "?"}, f"security: {WHOLE}"),
    ("SecuredImage", {**IMAGE, "security": {"scan": {"output": "?"}}}, f"security.scan: {WHOLE}"),
    ("SecuredImage", {**IMAGE, "security": {"secret": {"scan": "?"}}}, f"security.scan: {WHOLE}"),
    (
        "SecuredImage",
        {**IMAGE, "security": {"output": {"scan": {"failOn": "?"}}}},
        f"security.scan.fail_on: {WHOLE}",
    ),
    ("SecuredImage", {**IMAGE, "security": "signing"}, "security: a mapping is expected"),
    ("SecuredImage", {**IMAGE, "security": ["signing"]}, "security: a mapping is expected"),
    ("SecuredImage", {**IMAGE, "security": {"secret": "signing"}}, "security: a mapping is expected"),
    ("SecuredImage", {**IMAGE, "registry": {"secret": ["me", "pass"]}}, "registry: a mapping is expected"),
    (
        "SecuredImage",
        {**IMAGE, "security": {"scan": {"ignore": [{"output": "?"}]}}},
        f"security.scan.ignore[0]: {WHOLE}",
    ),
    ("SecuredImage", {**IMAGE, "security": {"scan": {"failOm": "low"}}}, "security.scan.failOm: "),
    (
        "SecuredImage",
        {**IMAGE, "security": {"secret": {"scan": {"failOm": "low"}}}},
        "security.scan.failOm: unknown",
    ),
    (
        "SecuredImage",
        {**IMAGE, "registry": {"secret": {"server": "r", "pasword": "p"}}},
        "registry.pasword: unknown",
    ),
    ("SecuredImage", {**IMAGE, "registry": {"secret": {"username": "me"}}}, "registry.server: Missing required"),
    ("SecuredImage", {**IMAGE, "sekurity": {}}, "sekurity: "),
    (
        "SecuredImage",
        {**IMAGE, "security": {"secret": {"signing": {"key": "k"}}}},
        f"security.signing.key: {PLAIN}",
    ),
    ("SecuredImage", {**IMAGE, "security": {"scan": {"vex": {"secret": ["v"]}}}}, f"security.scan.vex[0]: {PLAIN}"),
    ("SecuredImage", {"build": {"secret": {"context": "app"}}}, f"build.context: {PLAIN}"),
    ("SecuredImage", {**IMAGE, "stack": {"secret": "dev"}}, f"stack: {PLAIN}"),
    ("SecuredEcsService", {**ECS, "verify": {"output": "?"}}, f"verify: {WHOLE}"),
    (
        "SecuredEcsService",
        {**ECS, "verify": {"key": "k"}, "desiredCount": {"output": "?"}},
        f"desired_count: {WHOLE}",
    ),
]


@pytest.fixture(scope="module")
def refusals() -> list[dict[str, Any]]:
    return arrived([(component, given) for component, given, _ in REFUSED])


@pytest.mark.parametrize("index", range(len(REFUSED)), ids=[refused for _, _, refused in REFUSED])
def test_what_would_be_lost_is_refused(refusals: list[dict[str, Any]], index: int) -> None:
    assert str(refusals[index].get("refused", refusals[index])).startswith(REFUSED[index][2])


LOGIN = {"server": "r.example", "username": "me", "password": "s3cret"}


ARRIVED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"registry": {**LOGIN, "password": {"secret": "s3cret"}}},
        {"registry": {**LOGIN, "password": {"secret": "s3cret"}}},
    ),
    ({"registry": {"output": LOGIN}}, {"registry": LOGIN}),
    ({"registry": {"secret": LOGIN}}, {"registry": {key: {"secret": value} for key, value in LOGIN.items()}}),
    (
        {"registry": {"secret": {**LOGIN, "username": None}}},
        {"registry": {key: {"secret": LOGIN[key]} for key in ("server", "password")}},
    ),
    (
        {"registry": {"secret": {**LOGIN, "password": "?"}}},
        {
            "registry": {
                "server": {"secret": "r.example"},
                "username": {"secret": "me"},
                "password": {"secret": "?"},
            }
        },
    ),
    ({"registry": {"secret": "?"}}, {"registry": {key: {"secret": "?"} for key in LOGIN}}),
    ({"registry": {"output": "?"}}, {"registry": {key: {"output": "?"} for key in LOGIN}}),
    ({"registry": "?"}, {"registry": {key: {"output": "?"} for key in LOGIN}}),
    (
        {"build": {"context": "app", "args": {"secret": {"TOKEN": "t"}}}},
        {"build": {"context": "app", "args": {"TOKEN": {"secret": "t"}}}},
    ),
    (
        {"build": {"output": {"context": "app", "cacheFrom": ["a"], "args": {"A": {"secret": "1"}}}}},
        {"build": {"context": "app", "cache_from": ["a"], "args": {"A": {"secret": "1"}}}},
    ),
    (
        {"build": {"context": "app", "registries": [{"secret": LOGIN}]}},
        {"build": {"context": "app", "registries": [{key: {"secret": value} for key, value in LOGIN.items()}]}},
    ),
    (
        {"build": {"context": "app", "args": {"secret": "?"}, "secrets": "?", "cacheFrom": {"output": "?"}}},
        {
            "build": {
                "context": "app",
                "args": {"secret": "?"},
                "secrets": {"output": "?"},
                "cache_from": {"output": "?"},
            }
        },
    ),
    (
        {"build": {"context": "app", "cacheFrom": {"secret": ["a"]}, "registries": [{"output": "?"}]}},
        {
            "build": {
                "context": "app",
                "cache_from": {"secret": ["a"]},
                "registries": [{key: {"output": "?"} for key in LOGIN}],
            }
        },
    ),
    ({"security": {"timeouts": {"scan": 300.0}}}, {"security": {"timeouts": {"scan": 300}}}),
    (
        {"security": {"secret": {"timeouts": {"scan": 300.0}, "scan": {"failOn": "low", "kev": True}}}},
        {"security": {"timeouts": {"scan": 300}, "scan": {"fail_on": "low", "kev": True}}},
    ),
    (
        {"security": {"output": {"scan": {"ignore": [{"id": "C", "expires": "2030-01-01", "reason": "r"}]}}}},
        {"security": {"scan": {"ignore": [{"id": "C", "expires": "2030-01-01", "reason": "r"}]}}},
    ),
    (
        {"execution": {"remote": {"secret": {"host": "h", "hostKey": "k", "port": 2222.0}}}},
        {"execution": {"remote": {"host": {"secret": "h"}, "host_key": {"secret": "k"}, "port": {"secret": 2222}}}},
    ),
]


@pytest.fixture(scope="module")
def arrivals() -> list[dict[str, Any]]:
    return arrived([("SecuredImage", IMAGE | given) for given, _ in ARRIVED])


@pytest.mark.parametrize("index", range(len(ARRIVED)))
def test_a_whole_arrives_with_all_that_is_in_it_and_as_secret_as_it_was(
    arrivals: list[dict[str, Any]], index: int
) -> None:
    assert "mapped" in arrivals[index], arrivals[index]
    expected = {"image_ref": IMAGE["imageRef"], **ARRIVED[index][1]}
    assert json.dumps(arrivals[index]["mapped"], sort_keys=True) == json.dumps(expected, sort_keys=True)


def test_a_service_s_maps_and_numbers_arrive() -> None:
    given: dict[str, Any] = {
        **ECS,
        "verify": {"output": {"key": "k"}},
        "environment": {"secret": {"A": "1"}},
        "desiredCount": 2.0,
    }
    given |= {"tags": {"output": {"team": "shop"}}, "cpu": {"secret": 512.0}}
    service = arrived([("SecuredEcsService", given)])[0]["mapped"]
    assert service["verify"] == {"key": "k"}
    assert service["environment"] == {"A": {"secret": "1"}}
    assert service["tags"] == {"team": "shop"}
    assert repr([service["desired_count"], service["cpu"]]) == "[2, 512]"


def test_a_network_and_secrets_of_cloud_run_arrive() -> None:
    common = {"image": "r.example/app", "location": "l"}
    vpc, db = {"network": "n", "egress": "ALL_TRAFFIC"}, {"secret": "db", "version": "1"}
    members = ("network", "subnetwork", "tags", "connector", "egress")
    services = [
        {"vpc": {"secret": vpc}, "secrets": {"A": {"output": db}, "B": {"secret": "?"}}},
        {"vpc": "?", "environment": {"output": "?"}, "command": {"secret": "?"}},
    ]
    known, unknown = [each["mapped"] for each in arrived([("SecuredCloudRunService", common | it) for it in services])]
    assert known["vpc"] == {"network": {"secret": "n"}, "egress": "ALL_TRAFFIC"}
    assert known["secrets"]["A"] == db
    assert known["secrets"]["B"] == {"secret": {"secret": "?"}, "version": {"secret": "?"}}
    assert unknown["vpc"] == {key: {"output": "?"} for key in members}
    assert (unknown["environment"], unknown["command"]) == ({"output": "?"}, {"secret": "?"})
