"""What AWS refuses and moto doesn't: from AWS's documentation, with AWS's codes and words.

Sources: docs.aws.amazon.com/AmazonECS/latest/developerguide/ (task-cpu-memory-error, task_definition_parameters,
fargate-tasks-services, task_execution_IAM_role), …/AmazonECS/latest/APIReference/ (API_ContainerDefinition,
API_CreateService, API_RegisterTaskDefinition).
"""

import re
from typing import Any

_GB = 1024  # MiB
_FARGATE = {
    256: (512, 1 * _GB, 2 * _GB),
    512: tuple(range(1 * _GB, 4 * _GB + 1, _GB)),
    1024: tuple(range(2 * _GB, 8 * _GB + 1, _GB)),
    2048: tuple(range(4 * _GB, 16 * _GB + 1, _GB)),
    4096: tuple(range(8 * _GB, 30 * _GB + 1, _GB)),
    8192: tuple(range(16 * _GB, 60 * _GB + 1, 4 * _GB)),
    16384: tuple(range(32 * _GB, 120 * _GB + 1, 8 * _GB)),
}
"""CPU units → MiB of memory."""
_ECR = re.compile(r"\d{12}\.dkr[.-]ecr\.")
_AWSLOGS_NEEDED = ("awslogs-group", "awslogs-region", "awslogs-stream-prefix")
_CONTAINER_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_FARGATE_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
_CONTAINERS = 10
_STOP_SECONDS = 120
_HIGHEST_PORT = 65535


class Refused(Exception):
    """AWS would have refused it, with this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def task_definition(request: dict[str, Any]) -> None:
    """Refuse a RegisterTaskDefinition request that ECS would."""
    containers = request["containerDefinitions"]
    if not containers:
        raise Refused("ClientException", "Task definition must have at least one container definition.")
    if len(containers) > _CONTAINERS:
        raise Refused("ClientException", "Too many containers in task definition.")
    if not any(container.get("essential", True) for container in containers):
        raise Refused("ClientException", "At least one container in a task definition must be marked as essential.")
    names = [container.get("name", "") for container in containers]
    for name in names:
        if not _CONTAINER_NAME.fullmatch(name):
            raise Refused("ClientException", f"Container name '{name}' is invalid.")
        if names.count(name) > 1:
            raise Refused("ClientException", "Container names must be unique within a task definition.")
    fargate = "FARGATE" in request.get("requiresCompatibilities", ())
    if fargate:
        _fargate(request)
    for container in containers:
        _container(container, request, names, fargate=fargate)


def _fargate(request: dict[str, Any]) -> None:
    if request.get("networkMode") != "awsvpc":
        raise Refused("ClientException", "Fargate only supports network mode 'awsvpc'.")
    cpu, memory = _cpu_units(request.get("cpu")), _mebibytes(request.get("memory"))
    if cpu is None:
        raise Refused("ClientException", "Fargate requires that 'cpu' be defined at the task level.")
    if memory is None:
        raise Refused("ClientException", "Fargate requires that 'memory' be defined at the task level.")
    if memory not in _FARGATE.get(cpu, ()):
        raise Refused("ClientException", "No Fargate configuration exists for given values.")
    if "executionRoleArn" not in request:
        for container in request["containerDefinitions"]:
            driver = container.get("logConfiguration", {}).get("logDriver")
            asks_for = "ECR images" if _ECR.match(container.get("image", "")) else ""
            asks_for = asks_for or ("log driver awslogs" if driver == "awslogs" else "")
            if asks_for:
                message = f"Fargate requires task definition to have execution role ARN to support {asks_for}."
                raise Refused("ClientException", message)


def _cpu_units(written: str | None) -> int | None:
    """Return CPU units of `256` or `0.25 vCPU`."""
    if written is None:
        return None
    number, _, unit = written.partition(" ")
    try:
        return int(float(number) * 1024) if unit.lower() == "vcpu" else int(written)
    except ValueError:
        raise Refused("ClientException", "Invalid 'cpu' setting for task.") from None


def _mebibytes(written: str | None) -> int | None:
    """Return the MiB of `512`, `1GB` or `0.5 GB`."""
    if written is None:
        return None
    match = re.fullmatch(r"([\d.]+) ?(GB)?", written, re.IGNORECASE)
    if match is None:
        raise Refused("ClientException", "Invalid 'memory' setting for task.")
    return int(float(match[1]) * _GB) if match[2] else int(float(match[1]))


def _container(container: dict[str, Any], request: dict[str, Any], names: list[str], *, fargate: bool) -> None:
    if not container.get("image"):
        raise Refused("ClientException", "Container.image should not be null or empty.")
    if container.get("secrets") and "executionRoleArn" not in request:
        message = "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        raise Refused("ClientException", message)
    _environment(container)
    _ports(container, awsvpc=request.get("networkMode") == "awsvpc")
    for dependency in container.get("dependsOn", ()):
        if dependency["containerName"] not in names:
            message = f"Container '{container['name']}' depends on unknown container '{dependency['containerName']}'."
            raise Refused("ClientException", message)
    if fargate and container.get("stopTimeout", 0) > _STOP_SECONDS:
        raise Refused("ClientException", "The maximum stopTimeout value is 120 seconds for tasks that use Fargate.")
    if fargate and container.get("privileged"):
        raise Refused("ClientException", "Tasks using the Fargate launch type do not support privileged containers.")
    if "healthCheck" in container:
        _health_check(container["healthCheck"])
    if "logConfiguration" in container:
        _logs(container["logConfiguration"], fargate=fargate)
    volumes = {volume.get("name") for volume in request.get("volumes", ())}
    for mount in container.get("mountPoints", ()):
        if mount.get("sourceVolume") not in volumes:
            raise Refused("ClientException", f"Unknown volume '{mount.get('sourceVolume')}'.")


def _ports(container: dict[str, Any], *, awsvpc: bool) -> None:
    for mapping in container.get("portMappings", ()):
        port = mapping.get("containerPort", 0)
        if not 0 < port <= _HIGHEST_PORT:
            raise Refused("ClientException", f"Invalid container port {port} for container {container['name']}.")
        if awsvpc and mapping.get("hostPort") not in (None, 0, port):
            message = "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
            raise Refused("ClientException", message)


def _environment(container: dict[str, Any]) -> None:
    names = [each.get("name") for kind in ("environment", "secrets") for each in container.get(kind, ())]
    for name in names:
        if not name:
            raise Refused("ClientException", "The environment variable name must not be empty.")
        if names.count(name) > 1:
            message = (
                "The secret name must be unique and not shared with any new or existing environment variables set on "
                f"the container, such as '{name}'."
            )
            raise Refused("ClientException", message)
    for secret in container.get("secrets", ()):
        if not secret.get("valueFrom"):
            raise Refused("ClientException", "Invalid secret: valueFrom must not be empty.")


def _health_check(check: dict[str, Any]) -> None:
    ranges = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
    if not check.get("command") or check["command"][0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise Refused("ClientException", "Invalid health check command: it must begin with CMD or CMD-SHELL.")
    for name, (lowest, highest) in ranges.items():
        if name in check and not lowest <= check[name] <= highest:
            message = f"Health check {name} must be between {lowest} and {highest}, got {check[name]}."
            raise Refused("ClientException", message)


def _logs(configuration: dict[str, Any], *, fargate: bool) -> None:
    driver, options = configuration.get("logDriver"), configuration.get("options", {})
    if not driver:
        raise Refused("ClientException", "Log driver must not be empty.")
    if not fargate:
        return
    if driver not in _FARGATE_LOG_DRIVERS:
        raise Refused("ClientException", f"Fargate compatible task definitions do not support log driver {driver}.")
    missing = [option for option in _AWSLOGS_NEEDED if driver == "awslogs" and option not in options]
    if missing:
        raise Refused("ClientException", f"Log driver awslogs requires options: {', '.join(missing)}")


def service(request: dict[str, Any], task: dict[str, Any] | None) -> None:
    """Refuse a CreateService or UpdateService request that ECS would, for the task definition that it runs."""

    def refuse(message: str) -> None:
        raise Refused("InvalidParameterException", message)

    network = request.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if task is not None and task.get("networkMode") == "awsvpc" and not network:
        refuse("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if request.get("launchType") and request.get("capacityProviderStrategy"):
        refuse(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    if request.get("launchType") == "FARGATE" and task is not None and "FARGATE" not in task["compatibilities"]:
        refuse("Task definition does not support launch_type FARGATE.")
    breaker = request.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {})
    if breaker.get("enable") and request.get("deploymentController", {}).get("type", "ECS") != "ECS":
        refuse("Deployment circuit breaker can only be used with the ECS deployment controller.")
    containers = {each["name"]: each for each in (task or {}).get("containerDefinitions", ())}
    for balancer in request.get("loadBalancers", ()):
        name, port = balancer["containerName"], balancer["containerPort"]
        if name not in containers:
            refuse(f"The container {name} does not exist in the task definition.")
        if port not in [mapping["containerPort"] for mapping in containers[name].get("portMappings", ())]:
            refuse(f"The container {name} did not have a container port {port} defined.")
    if request.get("healthCheckGracePeriodSeconds") and not request.get("loadBalancers"):
        refuse("Health check grace period is only valid for services configured to use load balancers")
