"""AWS's own limits that moto doesn't check."""

from typing import Any

import pytest

from tests.plugins.aws import limits

ROLE = "arn:aws:iam::123456789012:role/exec"
LOGS = {"awslogs-group": "web", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "web"}


def _task(*containers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    fargate = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
    made = [{"name": "web", "image": "web"} | container for container in containers or ({},)]
    request = fargate | {"containerDefinitions": made, "executionRoleArn": ROLE} | changes
    return {key: value for key, value in request.items() if value is not None}


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [("256", "512"), ("256", "2048"), ("1 vCPU", "2 GB"), (".5 vCPU", "1GB"), ("4096", "30720"), ("16384", "122880")],
)
def test_fargates_pairs_of_cpu_and_memory_are_taken(cpu: str, memory: str) -> None:
    limits.task_definition(_task(cpu=cpu, memory=memory))


REFUSED: list[tuple[dict[str, Any], str]] = [
    (_task(cpu="256", memory="4096"), "No Fargate configuration exists for given values."),
    (_task(cpu="300"), "No Fargate configuration exists for given values."),
    (_task(cpu="8192", memory="17408"), "No Fargate configuration exists for given values."),
    (_task(cpu="some"), "Invalid 'cpu' setting for task."),
    (_task(memory="some"), "Invalid 'memory' setting for task."),
    (_task(cpu=None), "'cpu' be defined at the task level"),
    (_task(memory=None), "'memory' be defined at the task level"),
    (_task(networkMode="bridge"), "Fargate only supports network mode"),
    (_task({"image": ""}), "Container.image should not be null or empty."),
    (_task({"name": "a b"}), "Container name 'a b' is invalid."),
    (_task({}, {}), "must be unique"),
    (_task({"essential": False}), "must be marked as essential"),
    (
        _task({"secrets": [{"name": "A", "valueFrom": "arn"}]}, executionRoleArn=None),
        "specify a value for 'executionRole",
    ),
    (
        _task({"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web"}, executionRoleArn=None),
        "support ECR images.",
    ),
    (_task({"logConfiguration": {"logDriver": "awslogs", "options": LOGS}}, executionRoleArn=None), "driver awslogs."),
    (_task({"logConfiguration": {"logDriver": "awslogs", "options": {}}}), "awslogs-group, awslogs-region"),
    (_task({"logConfiguration": {"logDriver": "syslog"}}), "do not support log driver syslog"),
    (_task({"environment": [{"name": "A"}], "secrets": [{"name": "A", "valueFrom": "x"}]}), "must be unique"),
    (_task({"secrets": [{"name": "A", "valueFrom": ""}]}), "valueFrom must not be empty"),
    (_task({"portMappings": [{"containerPort": 0}]}), "Invalid container port 0"),
    (_task({"portMappings": [{"containerPort": 80, "hostPort": 81}]}), "must match"),
    (_task({"dependsOn": [{"containerName": "db", "condition": "START"}]}), "unknown container 'db'"),
    (_task({"stopTimeout": 121}), "maximum stopTimeout value is 120"),
    (_task({"privileged": True}), "do not support privileged"),
    (_task({"healthCheck": {"command": ["curl"]}}), "must begin with CMD"),
    (_task({"healthCheck": {"command": ["CMD", "x"], "interval": 1}}), "interval must be between 5 and 300"),
    (_task({"mountPoints": [{"sourceVolume": "data"}]}), "Unknown volume 'data'."),
    (_task(containerDefinitions=[]), "at least one container definition"),
    (_task(*({"name": f"c{number}"} for number in range(11))), "Too many containers"),
]


@pytest.mark.parametrize(("request_", "message"), REFUSED)
def test_a_task_definition_that_ecs_refuses_is_refused(request_: dict[str, Any], message: str) -> None:
    with pytest.raises(limits.Refused) as refused:
        limits.task_definition(request_)
    assert message in str(refused.value)
    assert refused.value.code == "ClientException"


TASK = {
    "networkMode": "awsvpc",
    "compatibilities": ["EC2"],
    "containerDefinitions": [{"name": "web", "portMappings": [{"containerPort": 8080}]}],
}
NETWORK = {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}}
BALANCER = {"containerName": "web", "containerPort": 8080}
BREAKER = {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}}
SERVICES: list[tuple[dict[str, Any], str]] = [
    ({}, "Network Configuration must be provided"),
    ({**NETWORK, "launchType": "FARGATE"}, "does not support launch_type FARGATE"),
    ({**NETWORK, "launchType": "EC2", "capacityProviderStrategy": [{}]}, "both a launch type and capacity provider"),
    ({**NETWORK, **BREAKER, "deploymentController": {"type": "EXTERNAL"}}, "Deployment circuit breaker"),
    ({**NETWORK, "loadBalancers": [BALANCER | {"containerName": "db"}]}, "container db does not exist"),
    ({**NETWORK, "loadBalancers": [BALANCER | {"containerPort": 80}]}, "did not have a container port 80"),
    ({**NETWORK, "healthCheckGracePeriodSeconds": 5}, "Health check grace period"),
]


@pytest.mark.parametrize(("request_", "message"), SERVICES)
def test_a_service_that_ecs_refuses_is_refused(request_: dict[str, Any], message: str) -> None:
    with pytest.raises(limits.Refused, match=message) as refused:
        limits.service(request_, TASK)
    assert refused.value.code == "InvalidParameterException"


def test_a_service_that_ecs_takes_is_taken() -> None:
    balanced = {"loadBalancers": [BALANCER], "healthCheckGracePeriodSeconds": 5}
    limits.service({**NETWORK, **BREAKER, **balanced}, TASK)
