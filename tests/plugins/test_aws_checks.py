"""What the offline `aws` plugin refuses, and what it takes for a change; the plugin alone, without an engine."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clouds.aws import Aws
from tests.plugins.client import Plugin, running

pytestmark = pytest.mark.engine

SERVICE = "aws:ecs/service:Service"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
ROLE = "aws:iam/role:Role"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@pytest.fixture(scope="module")
def plugin(services: dict[str, object], aws_server: Aws) -> Iterator[Plugin]:
    with running("aws", str(services["pulumi_home"]), aws_server.environment) as started:
        yield started


def _containers(**changes: Any) -> str:
    return json.dumps([{"name": "web", "image": "web"} | changes])


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("aws:ecs/cluster:Cluster", {"nam": "x"}, "nam", "isn't known"),
    (TASK, {"family": "x"}, "containerDefinitions", "is required"),
    (SERVICE, {"desiredCount": "2"}, "desiredCount", "must be of type integer"),
    (SERVICE, {"desiredCount": 1.5}, "desiredCount", "must be of type integer"),
    (SERVICE, {"waitForSteadyState": "yes"}, "waitForSteadyState", "must be of type boolean"),
    (SERVICE, {"networkConfiguration": {"subnets": ["s"], "public": True}}, "networkConfiguration.public", "known"),
    (SERVICE, {"networkConfiguration": {}}, "networkConfiguration.subnets", "is required"),
    (SERVICE, {"networkConfiguration": {"subnets": "s"}}, "networkConfiguration.subnets", "must be of type array"),
    (SERVICE, {"loadBalancers": [{"containerName": "x"}]}, "loadBalancers[0].containerPort", "is required"),
    (SERVICE, {"alarms": {"alarmNames": ["a"], "enable": True, "rollback": True}}, "alarms", "isn't done by"),
    (SERVICE, {"launchType": "LAMBDA"}, "launchType", "expected launchType to be one of"),
    (TASK, {"family": "x y", "containerDefinitions": _containers()}, "family", "letters, numbers"),
    (TASK, {"family": "x", "containerDefinitions": "{"}, "containerDefinitions", "is invalid"),
    (TASK, {"family": "x", "containerDefinitions": "[{}]"}, "containerDefinitions", "supplied at index (0)"),
    (
        TASK,
        {"family": "x", "containerDefinitions": _containers(enviroment=[])},
        "containerDefinitions",
        "[0].enviroment isn't known to ECS",
    ),
    (
        TASK,
        {"family": "x", "containerDefinitions": _containers(portMappings=[{"containerPort": "80"}])},
        "containerDefinitions",
        "[0].portMappings[0].containerPort must be of type integer",
    ),
    (
        TASK,
        {"family": "x", "containerDefinitions": _containers(), "executionRoleArn": "role"},
        "executionRoleArn",
        "invalid ARN",
    ),
    (ROLE, {"assumeRolePolicy": "not json"}, "assumeRolePolicy", "invalid JSON policy"),
    (ROLE, {"assumeRolePolicy": "{}", "name": "a b"}, "name", "must match"),
    (ROLE, {"assumeRolePolicy": "{}", "name": "r" * 65}, "name", "in the range (1 - 64)"),
    ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 31}, "retentionInDays", "to be one of"),
    ("aws:ecr/repository:Repository", {"name": "Web"}, "name", "ECR repository name"),
    ("aws:lb/targetGroup:TargetGroup", {"name": "t" * 33}, "name", "in the range (1 - 32)"),
    ("aws:ec2/securityGroup:SecurityGroup", {"name": "sg-web"}, "name", "cannot begin with sg-"),
]


@pytest.mark.parametrize(("token", "inputs", "path", "reason"), REFUSED)
def test_a_bad_input_is_refused(plugin: Plugin, token: str, inputs: dict[str, Any], path: str, reason: str) -> None:
    failures = plugin.check(token, inputs)
    assert list(failures) == [path]
    assert reason in failures[path]


def test_a_name_that_would_be_too_long_is_refused(plugin: Plugin) -> None:
    failures = plugin.check(ROLE, {"assumeRolePolicy": "{}"}, name="r" * 57)
    assert "is longer than maximum length 64" in failures["name"]


@pytest.mark.parametrize("token", [SERVICE, ROLE])
def test_what_is_not_known_yet_is_taken(plugin: Plugin, token: str) -> None:
    inputs = {"networkConfiguration": UNKNOWN} if token == SERVICE else {"assumeRolePolicy": UNKNOWN}
    assert plugin.check(token, inputs) == {}


POLICY = {"Effect": "Allow", "Action": ["a:B", "a:A"], "Resource": "*"}


def _policy(**changes: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [POLICY | changes]})


SAME: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (ROLE, {"assumeRolePolicy": _policy()}, {"assumeRolePolicy": _policy(Action=["a:A", "a:B"], Resource=["*"])}),
    (SERVICE, {"networkConfiguration": {"subnets": ["a", "b"]}}, {"networkConfiguration": {"subnets": ["b", "a"]}}),
    (
        TASK,
        {"networkMode": "awsvpc", "containerDefinitions": _containers(portMappings=[{"containerPort": 80}])},
        {
            "networkMode": "awsvpc",
            "containerDefinitions": _containers(
                essential=True,
                cpu=0,
                environment=[],
                portMappings=[{"protocol": "tcp", "hostPort": 80, "containerPort": 80}],
            ),
        },
    ),
    (
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        {"policy": '{"rules": [{"a": 1, "b": 2}]}'},
        {"policy": '{"rules":[{"b":2,"a":1}]}'},
    ),
]


@pytest.mark.parametrize(("token", "old", "new"), SAME)
def test_what_means_the_same_is_no_change(plugin: Plugin, token: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert plugin.diff(token, old, new) == {}


CHANGED: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, str]]] = [
    (ROLE, {"name": "a"}, {"name": "b"}, {"name": "UPDATE_REPLACE"}),
    (
        ROLE,
        {"assumeRolePolicy": _policy()},
        {"assumeRolePolicy": _policy(Effect="Deny")},
        {"assumeRolePolicy": "UPDATE"},
    ),
    (TASK, {"cpu": "256"}, {"cpu": "512"}, {"cpu": "UPDATE_REPLACE"}),
    (TASK, {"tags": {"a": "1"}}, {"tags": {"a": "2"}}, {"tags.a": "UPDATE"}),
    (
        TASK,
        {"containerDefinitions": _containers()},
        {"containerDefinitions": _containers(image="other")},
        {"containerDefinitions": "UPDATE_REPLACE"},
    ),
    (SERVICE, {"desiredCount": 1}, {"desiredCount": 2}, {"desiredCount": "UPDATE"}),
    (SERVICE, {"cluster": "a"}, {"cluster": UNKNOWN}, {"cluster": "UPDATE_REPLACE"}),
    (SERVICE, {"launchType": "FARGATE"}, {}, {"launchType": "DELETE_REPLACE"}),
    (
        SERVICE,
        {"capacityProviderStrategies": [{"capacityProvider": "FARGATE"}]},
        {"capacityProviderStrategies": [{"capacityProvider": "FARGATE_SPOT"}]},
        {"capacityProviderStrategies[0].capacityProvider": "UPDATE_REPLACE"},
    ),
    (
        SERVICE,
        {"capacityProviderStrategies": [{"capacityProvider": "FARGATE"}]},
        {"capacityProviderStrategies": [{"capacityProvider": "FARGATE_SPOT"}], "forceNewDeployment": True},
        {"capacityProviderStrategies[0].capacityProvider": "UPDATE", "forceNewDeployment": "ADD"},
    ),
    (RULE, {"cidrIpv4": "10.0.0.0/8"}, {"cidrIpv4": "10.0.0.0/16"}, {"cidrIpv4": "UPDATE"}),
    (
        RULE,
        {"cidrIpv4": "10.0.0.0/8"},
        {"referencedSecurityGroupId": "sg-1"},
        {"cidrIpv4": "DELETE_REPLACE", "referencedSecurityGroupId": "ADD_REPLACE"},
    ),
    ("aws:cloudwatch/logGroup:LogGroup", {"region": "a"}, {"region": "b"}, {"region": "UPDATE_REPLACE"}),
]


@pytest.mark.parametrize(("token", "old", "new", "changes"), CHANGED)
def test_a_change_is_an_update_or_a_replacement(
    plugin: Plugin, token: str, old: dict[str, Any], new: dict[str, Any], changes: dict[str, str]
) -> None:
    assert plugin.diff(token, old, new) == changes
