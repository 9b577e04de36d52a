"""The task definition: what one task of the service is, as a revision that stays."""

import re
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from sc_secure.components._deployment import unique_name
from sc_secure.components.ecs.args import SecuredEcsServiceArgs
from sc_secure.components.ecs.arns import log_group_name, must_parse
from sc_secure.components.ecs.containers import Container, container_definitions
from sc_secure.components.ecs.roles import Roles

DEFAULT_CPU, DEFAULT_MEMORY = 256, 512
"""Fargate's smallest task."""

MAX_NAME = 255
"""Of clusters, services and task definitions' families.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html"""

LOG_BUFFER = "25m"
"""What the log driver keeps of what CloudWatch hasn't taken yet, before it drops lines."""


def task_definition(
    name: str,
    given: SecuredEcsServiceArgs,
    *,
    containers: Sequence[Container],
    images: Mapping[str, pulumi.Output[str]],
    log_group_arn: pulumi.Output[str],
    roles: Roles,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Declares the task definition.

    Args:
        name: the component's name.
        given: its arguments.
        containers: its containers.
        images: the name of each one's `VerifyCommand` -> its image, once it has passed.
        log_group_arn: where the containers log to.
        roles: the task's roles.
        opts: the options of the component's children.

    Returns:
        The revision's ARN.
    """
    log_options: dict[str, pulumi.Input[str]] = {
        # In blocking mode, an application that writes faster than CloudWatch takes it is held up.
        "mode": "non-blocking",
        "max-buffer-size": LOG_BUFFER,
        "awslogs-group": log_group_arn.apply(log_group_name),
        "awslogs-region": log_group_arn.apply(lambda arn: must_parse(arn, "log_group_arn").region),
        "awslogs-stream-prefix": name,
    }
    init_process = given.get("enable_execute_command", False)
    storage = given.get("ephemeral_storage_gib")
    definition = aws.ecs.TaskDefinition(
        f"{name}-task-definition",
        family=_family(name),
        container_definitions=container_definitions(containers, images, log_options, init_process),
        requires_compatibilities=["FARGATE"],
        network_mode="awsvpc",
        cpu=str(given.get("cpu", DEFAULT_CPU)),
        memory=str(given.get("memory", DEFAULT_MEMORY)),
        ephemeral_storage=aws.ecs.TaskDefinitionEphemeralStorageArgs(size_in_gib=storage) if storage else None,
        execution_role_arn=roles.execution_arn,
        task_role_arn=roles.task_arn,
        runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
            cpu_architecture=given.get("cpu_architecture", "X86_64"), operating_system_family="LINUX"
        ),
        volumes=[aws.ecs.TaskDefinitionVolumeArgs(name=volume) for each in containers for volume in each.volumes]
        or None,
        # A new version replaces the task definition. Were the old revision taken away with it, neither the circuit
        # breaker nor a person could go back to it.
        skip_destroy=True,
        tags=given.get("tags"),
        opts=opts,
    )
    return definition.arn


def _family(name: str) -> str:
    """The task definition's name, which Pulumi makes none for: the project's, the stack's and the component's."""
    readable = f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}"
    allowed = re.sub(r"[^A-Za-z0-9_-]", "-", readable)
    return readable if readable == allowed and len(readable) <= MAX_NAME else unique_name(allowed, MAX_NAME)
