"""The arguments of `SecuredEcsService`. See `sc_secure.components.args` for how they are written, and why.

What a sidecar and the main container have in common stands here twice: Pulumi's schema inference takes a field's
description from the source of the class itself, and finds none of a base class's.
"""

from typing import NotRequired, TypedDict

import pulumi

from sc_secure.components.args import DeploymentVerifyArgs


class EcsHealthCheckArgs(TypedDict):
    """How ECS asks a container whether it is well. The image's own HEALTHCHECK isn't looked at by ECS."""

    command: list[str]
    """`CMD` and a program with its arguments, or `CMD-SHELL` and a shell's command."""
    interval_seconds: NotRequired[int]
    """Between two checks: 5 to 300. 30 when not said."""
    timeout_seconds: NotRequired[int]
    """How long one may take: 2 to 60. 5 when not said."""
    retries: NotRequired[int]
    """How many may fail in a row: 1 to 10. 3 when not said."""
    start_period_seconds: NotRequired[int]
    """How long failures don't count after the start: 0 to 300. 0 when not said."""


class EcsUlimitArgs(TypedDict):
    """One of the kernel's limits for a container's processes."""

    name: str
    """The limit's name, as `nofile`."""
    soft: int
    """The soft limit."""
    hard: int
    """The hard limit, at least the soft one."""


class EcsDependencyArgs(TypedDict):
    """What must have happened to another container of the task before this one starts."""

    container: str
    """The other container's name; the main container's is the component's."""
    condition: str
    """START, COMPLETE (ended), SUCCESS (ended well) or HEALTHY (needs its health check)."""


class EcsContainerArgs(TypedDict):
    """A further container of the task, with a gate of its own."""

    name: str
    """The container's name."""
    image: pulumi.Input[str]
    """The image, by digest."""
    verify: NotRequired[DeploymentVerifyArgs]
    """How the image is verified. As the service's when not said."""
    essential: NotRequired[bool]
    """The task stops when this container does. On when not said."""
    cpu: NotRequired[int]
    """How many of the task's CPU units are this container's."""
    memory: NotRequired[int]
    """How much of the task's memory this container may use, in MiB: it is killed beyond that."""
    port: NotRequired[int]
    """The TCP port that the container listens on."""
    command: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """In place of the image's CMD."""
    entry_point: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """In place of the image's ENTRYPOINT."""
    working_directory: NotRequired[str]
    """In place of the image's WORKDIR."""
    environment: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables, which anyone who may describe the task definition can read: no place for secrets."""
    secrets: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables from secrets: name -> ARN of a Secrets Manager secret or an SSM parameter."""
    health_check: NotRequired[EcsHealthCheckArgs]
    """How ECS asks the container whether it is well."""
    depends_on: NotRequired[list[EcsDependencyArgs]]
    """What must have happened to other containers before this one starts."""
    read_only_root_filesystem: NotRequired[bool]
    """The container can't write to its image's files."""
    writable_paths: NotRequired[list[str]]
    """Folders of a read-only container that it can write to: an empty volume each, gone with the task."""
    user: NotRequired[str]
    """In place of the image's USER, as `1000:1000`."""
    stop_timeout_seconds: NotRequired[int]
    """From the signal to end to the kill: 2 to 120. 30 when not said."""
    ulimits: NotRequired[list[EcsUlimitArgs]]
    """The kernel's limits for the container's processes."""
    drop_capabilities: NotRequired[list[str]]
    """Linux capabilities that the container doesn't get: `ALL`, or names as `NET_RAW`."""
    registry_credentials_arn: NotRequired[pulumi.Input[str]]
    """For a private registry that isn't ECR: the ARN of the Secrets Manager secret with its user name and password."""


class EcsServiceDiscoveryArgs(TypedDict):
    """A name for the service in Cloud Map's DNS: a namespace to make it in, or a Cloud Map service that exists."""

    namespace_id: NotRequired[pulumi.Input[str]]
    """The namespace. The name in it is the component's."""
    registry_arn: NotRequired[pulumi.Input[str]]
    """The Cloud Map service that exists. Excludes `namespace_id`."""
    ttl_seconds: NotRequired[int]
    """How long an answer may be kept. 10 when not said. Only with `namespace_id`."""


class EcsCapacityProviderStrategyArgs(TypedDict):
    """How many of the tasks run on a capacity provider."""

    capacity_provider: str
    """FARGATE, or FARGATE_SPOT, which is cheaper and may be taken away with two minutes' warning."""
    weight: NotRequired[int]
    """Its share of the tasks beyond all bases: 0 to 1000. 1 when not said."""
    base: NotRequired[int]
    """How many tasks run here first. Only one provider can have a base."""


class EcsAutoscalingArgs(TypedDict):
    """How the number of tasks follows the load. At least one target is needed."""

    min_capacity: int
    """The fewest tasks."""
    max_capacity: int
    """The most tasks."""
    cpu_target_percent: NotRequired[int]
    """The CPU use to keep, over all tasks: 1 to 100."""
    memory_target_percent: NotRequired[int]
    """The memory use to keep, over all tasks: 1 to 100."""
    requests_per_target: NotRequired[int]
    """The requests a minute to keep for each task. Needs `load_balancer_arn` and the service's `target_group_arn`."""
    load_balancer_arn: NotRequired[pulumi.Input[str]]
    """The application load balancer of the target group."""
    scale_in_cooldown_seconds: NotRequired[int]
    """From one removal of tasks to the next. 300 when not said."""
    scale_out_cooldown_seconds: NotRequired[int]
    """From one addition of tasks to the next. 60 when not said."""


class SecuredEcsServiceArgs(TypedDict):
    """The arguments of `SecuredEcsService`. What isn't given of the infrastructure is made."""

    image: pulumi.Input[str]
    """The main container's image, by digest: a `SecuredImage`'s `deployable_ref`."""
    subnet_ids: pulumi.Input[list[pulumi.Input[str]]]
    """The subnets that the tasks run in, all of one VPC."""
    verify: NotRequired[DeploymentVerifyArgs]
    """How the image is verified just before it is deployed. Required; `{enabled: false}` switches it off."""
    cluster_arn: NotRequired[pulumi.Input[str]]
    """The cluster. One is made, with Container Insights, when not given."""
    cpu: NotRequired[int]
    """The task's CPU units, 1024 to a CPU: 256, 512, 1024, 2048, 4096, 8192 or 16384. 256 when not said."""
    memory: NotRequired[int]
    """The task's memory in MiB, one of those that Fargate has for that CPU. 512 when not said."""
    cpu_architecture: NotRequired[str]
    """X86_64 (when not said) or ARM64."""
    ephemeral_storage_gib: NotRequired[int]
    """The task's disk: 21 to 200 GiB. Fargate's 20 GiB when not said."""
    platform_version: NotRequired[str]
    """Fargate's platform version. LATEST when not said."""
    desired_count: NotRequired[int]
    """How many tasks run. 1 when not said. With `autoscaling` how many there are at first: `min_capacity` then."""
    port: NotRequired[int]
    """The TCP port that the main container listens on."""
    command: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """In place of the image's CMD."""
    entry_point: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """In place of the image's ENTRYPOINT."""
    working_directory: NotRequired[str]
    """In place of the image's WORKDIR."""
    environment: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables, which anyone who may describe the task definition can read: no place for secrets."""
    secrets: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables from secrets: name -> ARN of a Secrets Manager secret or an SSM parameter."""
    secrets_kms_key_arns: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The KMS keys of your own that the secrets are encrypted with."""
    health_check: NotRequired[EcsHealthCheckArgs]
    """How ECS asks the main container whether it is well."""
    depends_on: NotRequired[list[EcsDependencyArgs]]
    """What must have happened to sidecars before the main container starts."""
    read_only_root_filesystem: NotRequired[bool]
    """The main container can't write to its image's files. Excludes `enable_execute_command`."""
    writable_paths: NotRequired[list[str]]
    """Folders of a read-only container that it can write to: an empty volume each, gone with the task."""
    user: NotRequired[str]
    """In place of the image's USER, as `1000:1000`."""
    stop_timeout_seconds: NotRequired[int]
    """From the signal to end to the kill: 2 to 120. 30 when not said."""
    ulimits: NotRequired[list[EcsUlimitArgs]]
    """The kernel's limits for the main container's processes."""
    drop_capabilities: NotRequired[list[str]]
    """Linux capabilities that the main container doesn't get: `ALL`, or names as `NET_RAW`."""
    registry_credentials_arn: NotRequired[pulumi.Input[str]]
    """For a private registry that isn't ECR: the ARN of the Secrets Manager secret with its user name and password."""
    sidecars: NotRequired[list[EcsContainerArgs]]
    """Further containers of the task, each by digest and each verified."""
    ecr_repository_arns: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The ECR repositories that the execution role may pull from. The images' own when not said."""
    execution_role_arn: NotRequired[pulumi.Input[str]]
    """The role with which ECS starts the task. One is made, with the fewest rights, when not given."""
    task_role_arn: NotRequired[pulumi.Input[str]]
    """The role that the application has. One without rights is made when not given: attach policies to it."""
    permissions_boundary_arn: NotRequired[pulumi.Input[str]]
    """The policy that bounds the roles that are made."""
    security_group_ids: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The tasks' security groups. One is made when not given."""
    vpc_id: NotRequired[pulumi.Input[str]]
    """The VPC of the security group that is made. Looked up by the first subnet when not given."""
    ingress_security_group_ids: NotRequired[list[pulumi.Input[str]]]
    """Whose members may connect to the port. Nobody may when neither this nor `ingress_cidr_blocks` is given."""
    ingress_cidr_blocks: NotRequired[list[pulumi.Input[str]]]
    """The addresses that may connect to the port."""
    egress_cidr_blocks: NotRequired[list[pulumi.Input[str]]]
    """The addresses that tasks may connect to. All when not given."""
    assign_public_ip: NotRequired[bool]
    """Tasks get public addresses. Off when not said."""
    log_group_arn: NotRequired[pulumi.Input[str]]
    """The log group. One is made when not given."""
    log_retention_days: NotRequired[int]
    """How long the log is kept, 0 for ever. 30 when not said."""
    log_kms_key_arn: NotRequired[pulumi.Input[str]]
    """The KMS key that the log is encrypted with. CloudWatch's own when not given."""
    target_group_arn: NotRequired[pulumi.Input[str]]
    """The load balancer's target group, of target type `ip`, that the tasks are registered in. Needs `port`."""
    health_check_grace_period_seconds: NotRequired[int]
    """How long the load balancer's health check doesn't count after a task's start. 60 when not said."""
    service_discovery: NotRequired[EcsServiceDiscoveryArgs]
    """A name for the service in Cloud Map's DNS."""
    capacity_provider_strategies: NotRequired[list[EcsCapacityProviderStrategyArgs]]
    """How the tasks are divided between Fargate and Fargate Spot. All on Fargate when not said."""
    autoscaling: NotRequired[EcsAutoscalingArgs]
    """How the number of tasks follows the load."""
    deployment_minimum_healthy_percent: NotRequired[int]
    """How many of the tasks run at least during a deployment: 0 to 100. 100 when not said."""
    deployment_maximum_percent: NotRequired[int]
    """How many tasks run at most during a deployment: 100 and more. 200 when not said."""
    wait_for_steady_state: NotRequired[bool]
    """An update ends when the new tasks run, and fails when they don't. On when not said."""
    deployment_timeout_seconds: NotRequired[int]
    """How long to wait for that. 1200 when not said."""
    enable_execute_command: NotRequired[bool]
    """Allow ECS Exec: a shell in a running container. Off when not said."""
    tags: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Tags on everything that takes them, the tasks included."""
