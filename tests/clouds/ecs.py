"""What moto's ECS leaves out, and what of it the tests need: tasks that run, and what CreateService is told.

moto starts no tasks and drops half of CreateService. Here the tasks of a service run at once: its deployment is
`COMPLETED`, unless `failing` names the service's task family: then it is `FAILED`, and with a circuit breaker that
rolls back the service runs the old task definition again, as ECS has it.
"""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from moto.core.utils import camelcase_to_underscores
from moto.ecs.models import EC2ContainerServiceBackend, Service
from moto.ecs.responses import EC2ContainerServiceResponse

_DROPPED = (
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "serviceConnectConfiguration",
)
failing: set[str] = set()
"""Families of task definitions whose tasks never start."""


@contextlib.contextmanager
def completed() -> Iterator[None]:
    """Have moto do what it leaves out."""
    create, update = EC2ContainerServiceResponse.create_service, EC2ContainerServiceBackend.update_service

    def create_service(response: EC2ContainerServiceResponse) -> Any:
        result = create(response)
        parameters = response._get_params()  # moto has no other way to the request
        service = response.ecs_backend._get_service(parameters.get("cluster", "default"), parameters["serviceName"])
        for name in _DROPPED:
            if name in parameters:
                setattr(service, camelcase_to_underscores(name), parameters[name])
        _deploy(service, before=None)
        return result

    def update_service(backend: EC2ContainerServiceBackend, properties: dict[str, Any]) -> Service:
        known = backend._get_service(properties.get("cluster", "default"), properties["service"].split("/")[-1])
        before = known.task_definition
        service = update(backend, properties)
        _deploy(service, before=before)
        return service

    with (
        patch.object(EC2ContainerServiceResponse, "create_service", create_service),
        patch.object(EC2ContainerServiceBackend, "update_service", update_service),
    ):
        yield


def _deploy(service: Service, before: str | None) -> None:
    """Give the service the deployments that it has after its tasks have started, or have failed to."""
    wanted = service.task_definition or ""
    family = wanted.rpartition("/")[2].partition(":")[0]
    started = family not in failing
    service.deployments = [_deployment(service, wanted, "PRIMARY", "COMPLETED" if started else "FAILED")]
    breaker = getattr(service, "deployment_configuration", {}).get("deploymentCircuitBreaker", {})
    if not started and before and breaker.get("enable") and breaker.get("rollback"):
        service.deployments[0]["status"] = "INACTIVE"
        service.deployments.append(_deployment(service, before, "PRIMARY", "COMPLETED"))
        service.task_definition = before
        started = True
    service.running_count = service.desired_count if started else 0
    service.pending_count = 0


def _deployment(service: Service, task: str, status: str, state: str) -> dict[str, Any]:
    name = f"ecs-svc/{uuid4().int % 10**19}"
    ended = "completed" if state == "COMPLETED" else "failed: tasks failed to start"
    return {
        "id": name,
        "desiredCount": service.desired_count,
        "failedTasks": 0 if state == "COMPLETED" else service.desired_count,
        "launchType": service.launch_type,
        "pendingCount": 0,
        "rolloutState": state,
        "rolloutStateReason": f"ECS deployment {name} {ended}.",
        "runningCount": service.desired_count if state == "COMPLETED" else 0,
        "status": status,
        "taskDefinition": task,
    }
