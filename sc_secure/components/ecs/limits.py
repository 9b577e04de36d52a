"""What AWS documents of a Fargate service's limits, checked in a preview rather than told by AWS in an update.

Each check yields `(path, reason)` for each problem, with what is allowed. Values that are known only later are left to
AWS.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pulumi

from sc_secure.components.ecs.args import EcsAutoscalingArgs, EcsCapacityProviderStrategyArgs, SecuredEcsServiceArgs
from sc_secure.components.ecs.arns import parse_arn

Problems = Iterator[tuple[str, str]]

FARGATE_MEMORY: dict[int, range | tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
"""CPU units -> the memory, in MiB, that a task of that size can have.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"""

LOG_RETENTION_DAYS = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html; 0: for ever."""

MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 50, 128, 256
MAX_SUBNETS, MAX_SECURITY_GROUPS = 16, 5
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html"""

RANGES = {
    "port": (1, 65535),
    "ephemeral_storage_gib": (21, 200),
    "desired_count": (0, 5000),
    "deployment_minimum_healthy_percent": (0, 100),
    "deployment_maximum_percent": (100, 400),
    "deployment_timeout_seconds": (60, 86400),
    "health_check_grace_period_seconds": (0, 2**31 - 1),
}

_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,199}$")
_TAG = re.compile(r"^[\w\s+\-=.:/@]*$")
_PLATFORM_VERSION = re.compile(r"^(LATEST|1\.([4-9]|\d\d+)\.\d+)$")

_ARN_FORMS = {
    "cluster_arn": ("ecs", "cluster/", "a cluster's"),
    "execution_role_arn": ("iam", "role/", "a role's"),
    "task_role_arn": ("iam", "role/", "a role's"),
    "permissions_boundary_arn": ("iam", "policy/", "a policy's"),
    "log_group_arn": ("logs", "log-group:", "a log group's"),
    "log_kms_key_arn": ("kms", "key/", "a KMS key's"),
    "target_group_arn": ("elasticloadbalancing", "targetgroup/", "a target group's"),
}


def service_problems(name: str, given: SecuredEcsServiceArgs) -> Problems:
    """What won't do of the service's own arguments; `container_limits` looks at the containers."""
    if not _NAME.match(name) or name.lower().startswith("sg-"):
        yield "", f"the name {name!r} won't do: letters, digits, _ and -, at most 200, and not sg- first"
    yield from _size(given.get("cpu", 256), given.get("memory", 512))
    for key, limits in RANGES.items():
        yield from in_range(key, given.get(key), *limits)
    for key, (service, resource, whose) in _ARN_FORMS.items():
        yield from arn_form(key, given.get(key), service, resource, whose)
    yield from one_of("cpu_architecture", given.get("cpu_architecture"), ("X86_64", "ARM64"))
    if not _PLATFORM_VERSION.match(given.get("platform_version", "LATEST")):
        yield "platform_version", "LATEST, or 1.4.0 and later: older ones lack what these tasks use"
    if given.get("log_retention_days", 30) not in LOG_RETENTION_DAYS:
        yield "log_retention_days", f"one of {', '.join(map(str, LOG_RETENTION_DAYS))} (0: for ever)"
    if (given.get("deployment_minimum_healthy_percent"), given.get("deployment_maximum_percent")) in _STUCK:
        yield "deployment_maximum_percent", "more than 100: with all tasks kept and none added, none can be replaced"
    for key, problems in WHOLES.items():
        if key in given and not isinstance(given[key], pulumi.Output):
            yield from problems(given[key])
    yield from _strategies(given.get("capacity_provider_strategies"))
    yield from _scaling(given)


_STUCK = ((100, 100), (None, 100))


def _size(cpu: int, memory: int) -> Problems:
    if cpu not in FARGATE_MEMORY:
        yield "cpu", f"one of {', '.join(map(str, FARGATE_MEMORY))} CPU units: what Fargate has"
    elif memory not in FARGATE_MEMORY[cpu]:
        allowed = FARGATE_MEMORY[cpu]
        if isinstance(allowed, range):
            said = f"{allowed[0]} to {allowed[-1]} in steps of {allowed.step}"
        else:
            said = ", ".join(map(str, allowed))
        yield "memory", f"{said} MiB: what Fargate has for {cpu} CPU units"


def in_range(path: str, value: Any, lowest: int, highest: int) -> Problems:
    """A whole number out of its range; None is left out."""
    if value is not None and not lowest <= value <= highest:
        yield path, f"between {lowest} and {highest}"


def one_of(path: str, value: Any, allowed: Sequence[str]) -> Problems:
    """A word that isn't one of those allowed; None is left out."""
    if value is not None and value not in allowed:
        yield path, f"one of {', '.join(allowed)}"


def arn_form(path: str, value: Any, service: str, resource: str, whose: str) -> Problems:
    """A known value that isn't an ARN of this service and kind of resource."""
    if not isinstance(value, str):
        return
    arn = parse_arn(value)
    if arn is None or arn.service != service or not arn.resource.startswith(resource):
        yield path, f"{whose} ARN is needed (arn:aws:{service}:…:{resource}…)"


def _arns(path: str, service: str, resource: str, whose: str, value: Sequence[Any]) -> Problems:
    for index, each in enumerate(value):
        yield from arn_form(f"{path}[{index}]", each, service, resource, whose)


def _list_length(path: str, longest: int, value: Sequence[Any]) -> Problems:
    if not 1 <= len(value) <= longest:
        yield path, f"1 to {longest} of them"


def tag_problems(tags: Mapping[str, Any]) -> Problems:
    """What AWS takes in no tag. https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""
    if len(tags) > MAX_TAGS:
        yield "tags", f"at most {MAX_TAGS} tags"
    for key, value in tags.items():
        if not 1 <= len(key) <= MAX_TAG_KEY or not _TAG.match(key) or key.lower().startswith("aws:"):
            reason = (
                f"a tag's name has 1 to {MAX_TAG_KEY} letters, digits, spaces and + - = . _ : / @, and not aws: first"
            )
            yield f"tags.{key}", reason
        if isinstance(value, str) and (len(value) > MAX_TAG_VALUE or not _TAG.match(value)):
            yield (
                f"tags.{key}",
                f"a tag's value has at most {MAX_TAG_VALUE} letters, digits, spaces and + - = . _ : / @",
            )


WHOLES: Mapping[str, Callable[[Any], Problems]] = {
    "secrets_kms_key_arns": partial(_arns, "secrets_kms_key_arns", "kms", "key/", "a KMS key's"),
    "ecr_repository_arns": partial(_arns, "ecr_repository_arns", "ecr", "repository/", "an ECR repository's"),
    "subnet_ids": partial(_list_length, "subnet_ids", MAX_SUBNETS),
    "security_group_ids": partial(_list_length, "security_group_ids", MAX_SECURITY_GROUPS),
    "tags": tag_problems,
}
"""The service's lists and maps that may be an output as a whole -> what won't do of one."""


def _strategies(strategies: list[EcsCapacityProviderStrategyArgs] | None) -> Problems:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html"""
    if strategies is None:
        return
    path, providers = "capacity_provider_strategies", [each["capacity_provider"] for each in strategies]
    for index, each in enumerate(strategies):
        where = f"{path}[{index}]"
        yield from one_of(f"{where}.capacity_provider", each["capacity_provider"], ("FARGATE", "FARGATE_SPOT"))
        yield from in_range(f"{where}.weight", each.get("weight"), 0, 1000)
        yield from in_range(f"{where}.base", each.get("base"), 0, 100_000)
    if len(set(providers)) < len(providers):
        yield path, "each capacity provider once"
    if sum(each.get("base", 0) > 0 for each in strategies) > 1:
        yield path, "only one of them can have a base"
    if not any(each.get("weight", 1) > 0 for each in strategies):
        yield path, "one of them at least needs a weight above 0"


def _scaling(given: SecuredEcsServiceArgs) -> Problems:
    scaling = given.get("autoscaling")
    if scaling is None:
        return
    lowest, highest = scaling["min_capacity"], scaling["max_capacity"]
    yield from in_range("autoscaling.max_capacity", highest, 1, 5000)
    yield from in_range("autoscaling.min_capacity", lowest, 0, highest)
    if lowest <= highest:
        yield from in_range("desired_count", given.get("desired_count"), lowest, highest)
    for key in ("cpu_target_percent", "memory_target_percent"):
        yield from in_range(f"autoscaling.{key}", scaling.get(key), 1, 100)
    yield from in_range("autoscaling.requests_per_target", scaling.get("requests_per_target"), 1, 2**31 - 1)
    for key in ("scale_in_cooldown_seconds", "scale_out_cooldown_seconds"):
        yield from in_range(f"autoscaling.{key}", scaling.get(key), 0, 86400)
    if not {"cpu_target_percent", "memory_target_percent", "requests_per_target"} & set(scaling):
        yield "autoscaling", "a target is needed: cpu_target_percent, memory_target_percent or requests_per_target"
    yield from _requests(scaling, "target_group_arn" in given)


def _requests(scaling: EcsAutoscalingArgs, has_target_group: bool) -> Problems:
    path, balancer = "autoscaling.load_balancer_arn", scaling.get("load_balancer_arn")
    yield from arn_form(path, balancer, "elasticloadbalancing", "loadbalancer/app/", "an application load balancer's")
    if "requests_per_target" in scaling:
        if balancer is None:
            yield path, "missing: requests_per_target counts what this load balancer sends"
        if not has_target_group:
            yield "target_group_arn", "missing: autoscaling.requests_per_target counts what its targets get"
    elif balancer is not None:
        yield path, "has no meaning without requests_per_target"
