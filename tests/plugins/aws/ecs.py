"""Clusters and task definitions."""

from typing import Any, ClassVar

import containers
import limits
import tagging
import validation
from cloud import AwsResource, Gone, asked, picked
from properties import Properties
from resources import AutoName, Operation

_NAME = r"[A-Za-z0-9_-]+"


class Cluster(AwsResource):
    token = "aws:ecs/cluster:Cluster"
    service = "ecs"
    what = "ECS Cluster"
    gone = frozenset({"ClusterNotFoundException"})
    tagging = tagging.ECS
    autoname = AutoName(255)
    computed = frozenset({"settings", "region"})
    replace_on = frozenset({"name"})
    sets = frozenset({"settings"})
    validations: ClassVar = {"name": validation.name(_NAME, 255, "letters, numbers, hyphens and underscores")}

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, clusterName="name", settings="settings", configuration="configuration")
        request |= asked(inputs, serviceConnectDefaults="serviceConnectDefaults")
        return api.create_cluster(**request, **tagging.ECS.asked(inputs))["cluster"]["clusterArn"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_clusters(clusters=[name], include=["TAGS", "SETTINGS", "CONFIGURATIONS"])["clusters"]
        if not found or found[0]["status"] == "INACTIVE":
            raise Gone
        cluster = found[0]
        seen = picked(cluster, arn="clusterArn", name="clusterName", settings="settings")
        return seen | tagging.ECS.seen(cluster.get("tags"))

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        request = asked(news, settings="settings", configuration="configuration")
        request |= asked(news, serviceConnectDefaults="serviceConnectDefaults")
        if request:
            api.update_cluster(cluster=name, **request)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_cluster(cluster=name)


class ClusterCapacityProviders(AwsResource):
    token = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
    service = "ecs"
    what = "ECS Cluster Capacity Providers"
    gone = frozenset({"ClusterNotFoundException"})
    computed = frozenset({"region"})
    replace_on = frozenset({"clusterName"})
    sets = frozenset({"capacityProviders", "defaultCapacityProviderStrategies"})

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        self._put(api, inputs["clusterName"], inputs)
        return inputs["clusterName"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_clusters(clusters=[name])["clusters"]
        if not found or found[0]["status"] == "INACTIVE":
            raise Gone
        return {
            "clusterName": found[0]["clusterName"],
            "capacityProviders": found[0].get("capacityProviders", []),
            "defaultCapacityProviderStrategies": found[0].get("defaultCapacityProviderStrategy", []),
        }

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        self._put(api, name, news)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        self._put(api, name, {})

    def _put(self, api: Any, cluster: str, inputs: Properties) -> None:
        api.put_cluster_capacity_providers(
            cluster=cluster,
            capacityProviders=inputs.get("capacityProviders", []),
            defaultCapacityProviderStrategy=inputs.get("defaultCapacityProviderStrategies", []),
        )


class TaskDefinition(AwsResource):
    token = "aws:ecs/taskDefinition:TaskDefinition"
    service = "ecs"
    what = "ECS Task Definition"
    gone = frozenset({"ClientException"})
    tagging = tagging.ECS
    computed = frozenset({"networkMode", "region"})
    sets = frozenset({"requiresCompatibilities", "placementConstraints", "volumes"})
    unsupported = frozenset({"enableFaultInjection", "proxyConfiguration"})
    validations: ClassVar = {
        "containerDefinitions": containers.valid,
        "executionRoleArn": validation.arn,
        "family": validation.name(_NAME, 255, "letters, numbers, hyphens and underscores"),
        "networkMode": validation.one_of("bridge", "host", "awsvpc", "none"),
        "taskRoleArn": validation.arn,
    }
    _updated = frozenset({"tags", "skipDestroy", "trackLatest"})

    def replaces(self, path: str, olds: Properties, news: Properties) -> bool:
        return not path.startswith(tuple(self._updated))

    def compared(self, inputs: Properties) -> Properties:
        compared = super().compared(inputs)
        if "containerDefinitions" in compared:
            awsvpc = inputs.get("networkMode") == "awsvpc"
            compared["containerDefinitions"] = containers.same(inputs["containerDefinitions"], awsvpc=awsvpc)
        return compared

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        given = ("family", "cpu", "memory", "networkMode", "executionRoleArn", "taskRoleArn", "requiresCompatibilities")
        given += ("ephemeralStorage", "ipcMode", "pidMode", "placementConstraints", "runtimePlatform")
        request = {name: inputs[name] for name in given if name in inputs}
        request["containerDefinitions"] = containers.read(inputs["containerDefinitions"])
        if "volumes" in inputs:
            request["volumes"] = [_volume(volume) for volume in inputs["volumes"]]
        if "ephemeralStorage" in request:
            request["ephemeralStorage"] = {"sizeInGiB": inputs["ephemeralStorage"]["sizeInGib"]}
        limits.task_definition(request)
        return api.register_task_definition(**request, **tagging.ECS.asked(inputs))["taskDefinition"]["family"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        wanted = name if state.get("trackLatest") or "arn" not in state else state["arn"]  # the family's latest
        answer = api.describe_task_definition(taskDefinition=wanted, include=["TAGS"])
        found = answer["taskDefinition"]
        if found.get("status") == "INACTIVE":
            raise Gone
        arn = found["taskDefinitionArn"]
        seen = picked(found, family="family", revision="revision", networkMode="networkMode")
        seen |= {"arn": arn, "arnWithoutRevision": arn.rpartition(":")[0]}
        return seen | tagging.ECS.seen(answer.get("tags"))

    def remove(self, api: Any, name: str, state: Properties) -> None:
        if not state.get("skipDestroy"):
            api.deregister_task_definition(taskDefinition=state["arn"])


def _volume(volume: Properties) -> dict[str, Any]:
    kinds = {key: value for key, value in volume.items() if key not in ("name", "hostPath")}
    host = {"host": {"sourcePath": volume["hostPath"]}} if "hostPath" in volume else {}
    return {"name": volume["name"], **host, **kinds}
