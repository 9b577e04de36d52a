"""ECS services, and waiting for their steady state.

A service is steady when its primary deployment is `COMPLETED`. moto starts no tasks: whether they run is what the
server says (tests/clouds/ecs.py).
"""

import time
from typing import Any, ClassVar

import limits
import tagging
import validation
from botocore.exceptions import ClientError
from cloud import AwsResource, Gone, asked, picked, told
from properties import Properties
from resources import AutoName, Operation, PartlyMade

_POLL_SECONDS = 0.2
_STEADY_SECONDS = 20 * 60.0  # the official provider's own limit, unless customTimeouts gives another

_DIRECT = {
    "availabilityZoneRebalancing": "availabilityZoneRebalancing",
    "capacityProviderStrategy": "capacityProviderStrategies",
    "desiredCount": "desiredCount",
    "enableECSManagedTags": "enableEcsManagedTags",
    "enableExecuteCommand": "enableExecuteCommand",
    "healthCheckGracePeriodSeconds": "healthCheckGracePeriodSeconds",
    "placementConstraints": "placementConstraints",
    "placementStrategy": "orderedPlacementStrategies",
    "platformVersion": "platformVersion",
    "propagateTags": "propagateTags",
    "taskDefinition": "taskDefinition",
}
"""What a request has → the input that says it, the same for a new service and a changed one."""
_DEFAULTS = {"deploymentMaximumPercent": 200, "deploymentMinimumHealthyPercent": 100}


class Service(AwsResource):
    token = "aws:ecs/service:Service"
    service = "ecs"
    what = "ECS Service"
    gone = frozenset({"ServiceNotFoundException", "ClusterNotFoundException"})
    tagging = tagging.ECS
    autoname = AutoName(255)
    computed = frozenset(
        {"cluster", "iamRole", "launchType", "platformVersion", "region", "triggers", "availabilityZoneRebalancing"}
    )
    replace_on = frozenset(
        {"name", "cluster", "iamRole", "launchType", "schedulingStrategy", "deploymentController.type"}
    )
    sets = frozenset(
        {
            "capacityProviderStrategies",
            "loadBalancers",
            "networkConfiguration.securityGroups",
            "networkConfiguration.subnets",
            "placementConstraints",
        }
    )
    unsupported = frozenset(
        {"alarms", "deploymentConfiguration", "volumeConfiguration", "vpcLatticeConfigurations", "sigintRollback"}
    )
    validations: ClassVar = {
        "launchType": validation.one_of("EC2", "FARGATE", "EXTERNAL"),
        "name": validation.name(r"[A-Za-z0-9_-]+", 255, "letters, numbers, hyphens and underscores"),
        "propagateTags": validation.one_of("SERVICE", "TASK_DEFINITION", "NONE", ""),
        "schedulingStrategy": validation.one_of("REPLICA", "DAEMON"),
    }

    def replaces(self, path: str, olds: Properties, news: Properties) -> bool:
        if path.startswith("capacityProviderStrategies"):
            both = olds.get("capacityProviderStrategies") and news.get("capacityProviderStrategies")
            return not (news.get("forceNewDeployment") and both)
        return super().replaces(path, olds, news)

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = _request(inputs) | asked(
            inputs,
            cluster="cluster",
            deploymentController="deploymentController",
            launchType="launchType",
            role="iamRole",
            schedulingStrategy="schedulingStrategy",
            serviceName="name",
        )
        limits.service(request, _task(api, inputs))
        return api.create_service(**request, **tagging.ECS.asked(inputs))["service"]["serviceArn"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = _describe(api, name, state)
        if found is None:
            raise Gone
        seen = picked(
            found,
            arn="serviceArn",
            desiredCount="desiredCount",
            launchType="launchType",
            name="serviceName",
            platformVersion="platformVersion",
            schedulingStrategy="schedulingStrategy",
        )
        # In the form that the program uses: an ARN, or a name.
        as_arn = state.get("taskDefinition", "arn:").startswith("arn:")
        task = found.get("taskDefinition", "")
        seen["taskDefinition"] = task if as_arn else task.rpartition("/")[2]
        seen["cluster"] = state.get("cluster", found["clusterArn"])
        if "awsvpcConfiguration" in found.get("networkConfiguration", {}):
            seen["networkConfiguration"] = _seen_network(found["networkConfiguration"]["awsvpcConfiguration"])
        return _DEFAULTS | state | seen | tagging.ECS.seen(found.get("tags"))

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        before, after = _request(olds), _request(news)
        request = {key: value for key, value in after.items() if before.get(key) != value}
        if "loadBalancers" in before and "loadBalancers" not in after:
            request["loadBalancers"] = []
        if not request and not news.get("forceNewDeployment"):
            return
        limits.service(after, _task(api, news))
        force = {"forceNewDeployment": True} if news.get("forceNewDeployment") else {}
        api.update_service(service=name, **asked(olds, cluster="cluster"), **request, **force)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        where = asked(state, cluster="cluster")
        found = _describe(api, name, state)
        if found is None:
            raise Gone
        if found.get("desiredCount") and not state.get("forceDelete"):  # the official provider scales down first
            api.update_service(service=name, desiredCount=0, **where)
        api.delete_service(service=name, force=bool(state.get("forceDelete")), **where)

    def settle(self, operation: Operation, name: str, outputs: Properties) -> None:
        if not outputs.get("waitForSteadyState"):
            return
        api = self.aws.client("ecs", outputs["region"])
        deadline = time.monotonic() + (operation.timeout or _STEADY_SECONDS)
        waiting = f"waiting for ECS Service ({name}) to reach steady state"
        while True:
            with told(waiting):
                found = _describe(api, name, outputs)
            state, reason = _deployment(found or {})
            if state == "COMPLETED":
                return
            if found is None or state == "FAILED":
                raise PartlyMade(f"{waiting}: deployment failed: {reason or 'the service is gone'}", name, outputs)
            if time.monotonic() > deadline:
                raise PartlyMade(f"{waiting}: timeout while waiting for state to become 'tfSTABLE'", name, outputs)
            if self.aws.cancelled.wait(_POLL_SECONDS):
                raise PartlyMade(f"{waiting}: context canceled", name, outputs)


def _deployment(found: dict[str, Any]) -> tuple[str, str]:
    """Return the state of the deployment last asked for, and why it is so."""
    deployments = found.get("deployments", [])
    failed = [each for each in deployments if each.get("rolloutState") == "FAILED"]
    primary = [each for each in deployments if each["status"] == "PRIMARY"]
    last = (failed or primary or [{}])[0]
    return last.get("rolloutState", "COMPLETED"), last.get("rolloutStateReason", "")


def _request(inputs: Properties) -> dict[str, Any]:
    request = asked(inputs, **_DIRECT)
    if inputs.get("schedulingStrategy") != "DAEMON":
        request.setdefault("desiredCount", 0)
        percents = {key: inputs.get(key, default) for key, default in _DEFAULTS.items()}
        request["deploymentConfiguration"] = {
            "maximumPercent": percents["deploymentMaximumPercent"],
            "minimumHealthyPercent": percents["deploymentMinimumHealthyPercent"],
        } | asked(inputs, deploymentCircuitBreaker="deploymentCircuitBreaker")
    if "networkConfiguration" in inputs:
        network = inputs["networkConfiguration"]
        public = "ENABLED" if network.get("assignPublicIp") else "DISABLED"
        request["networkConfiguration"] = {
            "awsvpcConfiguration": {
                "subnets": sorted(network["subnets"]),
                "securityGroups": sorted(network.get("securityGroups", [])),
                "assignPublicIp": public,
            }
        }
    if "loadBalancers" in inputs:
        request["loadBalancers"] = [
            asked(
                balancer,
                containerName="containerName",
                containerPort="containerPort",
                loadBalancerName="elbName",
                targetGroupArn="targetGroupArn",
            )
            for balancer in inputs["loadBalancers"]
        ]
    if "serviceRegistries" in inputs:
        request["serviceRegistries"] = [inputs["serviceRegistries"]]
    if "serviceConnectConfiguration" in inputs:
        request["serviceConnectConfiguration"] = _connect(inputs["serviceConnectConfiguration"])
    return request


def _connect(configuration: Properties) -> dict[str, Any]:
    services = [
        asked(each, portName="portName", discoveryName="discoveryName", ingressPortOverride="ingressPortOverride")
        | {"clientAliases": each.get("clientAlias", [])}
        for each in configuration.get("services", [])
    ]
    request = asked(configuration, enabled="enabled", namespace="namespace", logConfiguration="logConfiguration")
    return request | ({"services": services} if services else {})


def _seen_network(network: dict[str, Any]) -> Properties:
    return {
        "subnets": network.get("subnets", []),
        "securityGroups": network.get("securityGroups", []),
        "assignPublicIp": network.get("assignPublicIp") == "ENABLED",
    }


def _describe(api: Any, name: str, state: Properties) -> dict[str, Any] | None:
    answer = api.describe_services(services=[name], include=["TAGS"], **asked(state, cluster="cluster"))
    found = [each for each in answer["services"] if each["status"] != "INACTIVE"]
    return found[0] if found else None


def _task(api: Any, inputs: Properties) -> dict[str, Any] | None:
    """Return the task definition, if ECS knows it: else ECS says so itself."""
    try:
        return api.describe_task_definition(taskDefinition=inputs.get("taskDefinition", ""))["taskDefinition"]
    except ClientError:
        return None
