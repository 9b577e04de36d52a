"""Cloud Map: private DNS namespaces and the services in them."""

import time
from typing import Any

import tagging
from cloud import AwsResource, asked, pascal, picked
from properties import Properties
from resources import AutoName, Operation, ProviderError

_POLL_SECONDS = 0.2
_SECONDS = 300.0


class PrivateDnsNamespace(AwsResource):
    token = "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace"
    service = "servicediscovery"
    what = "Service Discovery Private DNS Namespace"
    gone = frozenset({"NamespaceNotFound"})
    tagging = tagging.DISCOVERY
    autoname = AutoName(255)
    computed = frozenset({"region"})
    replace_on = frozenset({"name", "vpc"})

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, Name="name", Description="description", Vpc="vpc") | tagging.DISCOVERY.asked(inputs)
        made = api.create_private_dns_namespace(**request)["OperationId"]
        return _done(self, api, made)["NAMESPACE"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.get_namespace(Id=name)["Namespace"]
        seen = picked(found, arn="Arn", description="Description", name="Name")
        seen["hostedZone"] = found.get("Properties", {}).get("DnsProperties", {}).get("HostedZoneId")
        return state | seen | tagging.DISCOVERY.seen(api.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"])

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        if olds.get("description") != news.get("description"):
            changes = {"Description": news.get("description", "")}
            _done(self, api, api.update_private_dns_namespace(Id=name, Namespace=changes)["OperationId"])

    def remove(self, api: Any, name: str, state: Properties) -> None:
        _done(self, api, api.delete_namespace(Id=name)["OperationId"])


class Service(AwsResource):
    token = "aws:servicediscovery/service:Service"
    service = "servicediscovery"
    what = "Service Discovery Service"
    gone = frozenset({"ServiceNotFound"})
    tagging = tagging.DISCOVERY
    autoname = AutoName(255)
    computed = frozenset({"namespaceId", "region", "type"})
    replace_on = frozenset(
        {"dnsConfig.namespaceId", "dnsConfig.routingPolicy", "healthCheckCustomConfig", "name", "namespaceId", "type"}
    )

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, Name="name", Description="description", NamespaceId="namespaceId", Type="type")
        names = {"DnsConfig": "dnsConfig", "HealthCheckConfig": "healthCheckConfig"}
        names["HealthCheckCustomConfig"] = "healthCheckCustomConfig"
        request |= pascal(asked(inputs, **names))
        for record in request.get("DnsConfig", {}).get("DnsRecords", []):
            record["TTL"] = record.pop("Ttl")
        return api.create_service(**request, **tagging.DISCOVERY.asked(inputs))["Service"]["Id"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.get_service(Id=name)["Service"]
        seen = picked(found, arn="Arn", description="Description", name="Name")
        seen["namespaceId"] = found.get("NamespaceId") or found.get("DnsConfig", {}).get("NamespaceId")
        return state | seen | tagging.DISCOVERY.seen(api.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"])

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        changes: dict[str, Any] = asked(news, Description="description")
        if "dnsConfig" in news:
            records = [{"Type": each["type"], "TTL": each["ttl"]} for each in news["dnsConfig"]["dnsRecords"]]
            changes["DnsConfig"] = {"DnsRecords": records}
        if "healthCheckConfig" in news:
            changes["HealthCheckConfig"] = pascal(news["healthCheckConfig"])
        if changes:
            _done(self, api, api.update_service(Id=name, Service=changes)["OperationId"])

    def remove(self, api: Any, name: str, state: Properties) -> None:
        if state.get("forceDestroy"):
            for instance in api.list_instances(ServiceId=name)["Instances"]:
                api.deregister_instance(ServiceId=name, InstanceId=instance["Id"])
        api.delete_service(Id=name)


def _done(resource: AwsResource, api: Any, operation: str) -> dict[str, str]:
    """Wait for an operation and return its targets."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = api.get_operation(OperationId=operation)["Operation"]
        if found["Status"] == "SUCCESS":
            return found.get("Targets", {})
        if found["Status"] == "FAIL":
            raise ProviderError(f"{resource.what}: {found.get('ErrorCode')}: {found.get('ErrorMessage')}")
        if resource.aws.cancelled.wait(_POLL_SECONDS):
            break
    raise ProviderError(f"{resource.what}: operation {operation} didn't come to its end")
