"""The containers of a task: the main one and its sidecars, as the JSON that a task definition takes.

The same arguments give the same text, whatever order they came in: a task definition that is written differently is a
new revision, and a deployment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi

from sc_secure.components._wholes import made_of
from sc_secure.components.ecs.args import SecuredEcsServiceArgs

_CONDITIONAL_KEYS = {
    "command": "command",
    "cpu": "cpu",
    "entry_point": "entryPoint",
    "memory": "memory",
    "read_only_root_filesystem": "readonlyRootFilesystem",
    "stop_timeout_seconds": "stopTimeout",
    "user": "user",
    "working_directory": "workingDirectory",
}
"""An argument -> ECS's name for it, where the value is the same."""

_HEALTH_CHECK_KEYS = {
    "interval_seconds": "interval",
    "timeout_seconds": "timeout",
    "retries": "retries",
    "start_period_seconds": "startPeriod",
}

_SIZING = ("cpu", "memory")
"""What a sidecar says of itself, and the service of the whole task."""


@dataclass(frozen=True)
class Container:
    """One container's arguments, and its place in the component."""

    name: str
    path: str
    """The path of its arguments, with its dot; empty for the main container, whose arguments are the service's."""
    verify_name: str
    """The name of its image's `VerifyCommand`."""
    args: Mapping[str, Any]

    @property
    def essential(self) -> bool:
        """Whether the task stops when it does."""
        return self.args.get("essential", True)

    @property
    def volumes(self) -> dict[str, str]:
        """The names of its volumes -> where they are mounted."""
        paths: list[str] = sorted(self.args.get("writable_paths", []))
        return {f"{self.name}-writable-{index}": path for index, path in enumerate(paths)}


def containers_of(name: str, given: SecuredEcsServiceArgs) -> list[Container]:
    """The main container, called as the component, and the sidecars by name."""
    main = {key: value for key, value in given.items() if key not in _SIZING}
    sidecars = [
        Container(each["name"], f"sidecars[{index}].", f"{name}-verify-{each['name']}", each)
        for index, each in enumerate(given.get("sidecars", []))
    ]
    return [Container(name, "", f"{name}-verify", main), *sorted(sidecars, key=lambda each: each.name)]


def container_definitions(
    containers: Sequence[Container],
    images: Mapping[str, pulumi.Output[str]],
    log_options: Mapping[str, pulumi.Input[str]],
    init_process: bool,
) -> pulumi.Output[str]:
    """The task definition's JSON.

    Args:
        containers: see `containers_of`.
        images: the name of each one's `VerifyCommand` -> its image, once it has passed.
        log_options: the options of the log driver.
        init_process: whether a first process reaps the processes that ECS Exec leaves.
    """
    log = {"logDriver": "awslogs", "options": log_options}
    defined = [_definition(each, images[each.verify_name], log, init_process) for each in containers]
    return pulumi.Output.json_dumps(cast(Any, defined), sort_keys=True)


def _definition(
    container: Container, image: pulumi.Output[str], log: Mapping[str, Any], init_process: bool
) -> pulumi.Input[dict[str, Any]]:
    args = container.args
    definition: dict[str, Any] = {
        "name": container.name,
        "image": image,
        "essential": container.essential,
        "logConfiguration": log,
    }
    definition |= {theirs: args[ours] for ours, theirs in _CONDITIONAL_KEYS.items() if ours in args}
    environment: pulumi.Input[Mapping[str, Any]] = args.get("environment", {})
    secrets: pulumi.Input[Mapping[str, Any]] = args.get("secrets", {})
    ulimits: list[Mapping[str, Any]] = args.get("ulimits", [])
    depends_on: list[Mapping[str, Any]] = args.get("depends_on", [])
    lists: dict[str, pulumi.Input[list[dict[str, Any]]]] = {
        "dependsOn": _by("containerName", [_dependency(each) for each in depends_on]),
        "environment": made_of(environment, lambda known: _variables(known, "value")),
        "mountPoints": [_mount_point(volume, path) for volume, path in container.volumes.items()],
        "secrets": made_of(secrets, lambda known: _variables(known, "valueFrom")),
        "ulimits": _by("name", [_ulimit(each) for each in ulimits]),
    }
    definition |= {key: value for key, value in lists.items() if value}
    if "port" in args:
        # In the network mode awsvpc the host's port is the container's.
        port = args["port"]
        definition["portMappings"] = [{"containerPort": port, "hostPort": port, "protocol": "tcp"}]
    if "health_check" in args:
        definition["healthCheck"] = _health_check(args["health_check"])
    if "registry_credentials_arn" in args:
        definition["repositoryCredentials"] = {"credentialsParameter": args["registry_credentials_arn"]}
    linux: dict[str, Any] = {"initProcessEnabled": True} if init_process else {}
    if args.get("drop_capabilities"):
        linux["capabilities"] = {"drop": sorted(args["drop_capabilities"])}
    definition |= {"linuxParameters": linux} if linux else {}
    if not any(isinstance(value, pulumi.Output) for value in lists.values()):
        return definition
    whole = cast("pulumi.Output[dict[str, Any]]", pulumi.Output.from_input(cast(Any, definition)))
    return whole.apply(lambda known: {key: value for key, value in known.items() if key not in lists or value})


def _variables(values: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    return [{"name": name, key: values[name]} for name in sorted(values)]


def _by(key: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: item[key])


def _dependency(args: Mapping[str, Any]) -> dict[str, Any]:
    return {"containerName": args["container"], "condition": args["condition"]}


def _mount_point(volume: str, path: str) -> dict[str, Any]:
    return {"sourceVolume": volume, "containerPath": path, "readOnly": False}


def _ulimit(args: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": args["name"], "softLimit": args["soft"], "hardLimit": args["hard"]}


def _health_check(args: Mapping[str, Any]) -> dict[str, Any]:
    timing = {theirs: args[ours] for ours, theirs in _HEALTH_CHECK_KEYS.items() if ours in args}
    return {"command": args["command"], **timing}
