"""Application and network load balancers, their target groups and listeners."""

from typing import Any, ClassVar

import tagging
import validation
from cloud import AwsResource, Gone, asked, picked
from properties import Properties
from resources import AutoName, Operation

_NAME = validation.name(r"(?!-)[A-Za-z0-9-]+(?<!-)", 32, "only alphanumeric characters and hyphens, none at its ends")


class _Elb(AwsResource):
    service = "elbv2"
    tagging = tagging.ELB
    _ATTRIBUTES: ClassVar[dict[str, str]] = {}
    """Inputs that the API keeps as attributes, by their names there."""

    def tags(self, api: Any, name: str) -> Properties:
        found = api.describe_tags(ResourceArns=[name])["TagDescriptions"]
        return tagging.ELB.seen(found[0]["Tags"] if found else [])

    def attributes(self, answer: dict[str, Any], state: Properties) -> Properties:
        """Return the outputs that the API keeps as attributes: those that the program gave or that have a default."""
        given = {each["Key"]: each["Value"] for each in answer["Attributes"]}
        wanted = {ours: theirs for ours, theirs in self._ATTRIBUTES.items() if ours in state or ours in self.computed}
        return {ours: _value(given[theirs]) for ours, theirs in wanted.items() if theirs in given}

    def arn(self, name: str, state: Properties) -> str:
        return name


class LoadBalancer(_Elb):
    token = "aws:lb/loadBalancer:LoadBalancer"
    what = "ELBv2 Load Balancer"
    gone = frozenset({"LoadBalancerNotFound"})
    autoname = AutoName(32)
    computed = frozenset({"internal", "ipAddressType", "namePrefix", "region", "securityGroups", "subnets"})
    replace_on = frozenset({"internal", "loadBalancerType", "name"})
    sets = frozenset({"securityGroups", "subnets"})
    validations: ClassVar = {"name": _NAME}
    _ATTRIBUTES: ClassVar = {
        "clientKeepAlive": "client_keep_alive.seconds",
        "desyncMitigationMode": "routing.http.desync_mitigation_mode",
        "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
        "enableDeletionProtection": "deletion_protection.enabled",
        "enableHttp2": "routing.http2.enabled",
        "idleTimeout": "idle_timeout.timeout_seconds",
        "preserveHostHeader": "routing.http.preserve_host_header.enabled",
    }
    supported = frozenset(
        {"internal", "ipAddressType", "loadBalancerType", "name", "securityGroups", "subnets", *_ATTRIBUTES}
    )

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, Name="name", Type="loadBalancerType", SecurityGroups="securityGroups")
        request |= asked(inputs, Subnets="subnets", IpAddressType="ipAddressType")
        request["Scheme"] = "internal" if inputs.get("internal") else "internet-facing"
        made = api.create_load_balancer(**request, **tagging.ELB.asked(inputs))["LoadBalancers"][0]["LoadBalancerArn"]
        self._set(api, made, inputs)
        return made

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_load_balancers(LoadBalancerArns=[name])["LoadBalancers"][0]
        seen = picked(found, arn="LoadBalancerArn", dnsName="DNSName", loadBalancerType="Type", name="LoadBalancerName")
        seen |= picked(found, vpcId="VpcId", zoneId="CanonicalHostedZoneId", ipAddressType="IpAddressType")
        seen["arnSuffix"] = name.partition(":loadbalancer/")[2]
        seen["internal"] = found["Scheme"] == "internal"
        seen["securityGroups"] = found.get("SecurityGroups", [])
        seen["subnets"] = [zone["SubnetId"] for zone in found.get("AvailabilityZones", [])]
        seen |= self.attributes(api.describe_load_balancer_attributes(LoadBalancerArn=name), state)
        return state | seen | self.tags(api, name)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        if "securityGroups" in news and set(news["securityGroups"]) != set(olds.get("securityGroups", [])):
            api.set_security_groups(LoadBalancerArn=name, SecurityGroups=news["securityGroups"])
        if "subnets" in news and set(news["subnets"]) != set(olds["subnets"]):
            api.set_subnets(LoadBalancerArn=name, Subnets=news["subnets"])
        if "ipAddressType" in news and news["ipAddressType"] != olds.get("ipAddressType"):
            api.set_ip_address_type(LoadBalancerArn=name, IpAddressType=news["ipAddressType"])
        self._set(api, name, news)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_load_balancer(LoadBalancerArn=name)

    def _set(self, api: Any, name: str, inputs: Properties) -> None:
        if attributes := _attributes(inputs, self._ATTRIBUTES):
            api.modify_load_balancer_attributes(LoadBalancerArn=name, Attributes=attributes)


class TargetGroup(_Elb):
    token = "aws:lb/targetGroup:TargetGroup"
    what = "ELBv2 Target Group"
    gone = frozenset({"TargetGroupNotFound"})
    autoname = AutoName(32)
    computed = frozenset(
        {"healthCheck", "ipAddressType", "loadBalancingAlgorithmType", "namePrefix", "protocolVersion", "region"}
    )
    replace_on = frozenset({"ipAddressType", "name", "port", "protocol", "protocolVersion", "targetType", "vpcId"})
    validations: ClassVar = {
        "deregistrationDelay": validation.between(0, 3600),
        "name": _NAME,
        "port": validation.between(1, 65535),
        "targetType": validation.one_of("instance", "ip", "lambda", "alb"),
    }
    _ATTRIBUTES: ClassVar = {
        "deregistrationDelay": "deregistration_delay.timeout_seconds",
        "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
        "slowStart": "slow_start.duration_seconds",
    }
    _HEALTH: ClassVar = {
        "HealthCheckEnabled": "enabled",
        "HealthCheckIntervalSeconds": "interval",
        "HealthCheckPath": "path",
        "HealthCheckPort": "port",
        "HealthCheckProtocol": "protocol",
        "HealthCheckTimeoutSeconds": "timeout",
        "HealthyThresholdCount": "healthyThreshold",
        "UnhealthyThresholdCount": "unhealthyThreshold",
    }
    supported = frozenset(
        {
            "healthCheck",
            "name",
            "port",
            "protocol",
            "protocolVersion",
            "stickiness",
            "targetType",
            "vpcId",
            *_ATTRIBUTES,
        }
    )

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, Name="name", Port="port", Protocol="protocol", ProtocolVersion="protocolVersion")
        request |= asked(inputs, TargetType="targetType", VpcId="vpcId") | self._health(inputs)
        made = api.create_target_group(**request, **tagging.ELB.asked(inputs))["TargetGroups"][0]["TargetGroupArn"]
        self._set(api, made, inputs)
        return made

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_target_groups(TargetGroupArns=[name])["TargetGroups"][0]
        seen = picked(found, arn="TargetGroupArn", name="TargetGroupName", port="Port", protocol="Protocol")
        seen |= picked(found, targetType="TargetType", vpcId="VpcId", loadBalancerArns="LoadBalancerArns")
        seen["protocolVersion"] = found.get("ProtocolVersion")
        seen["arnSuffix"] = name.rpartition(":")[2]
        health = picked(found, **{ours: theirs for theirs, ours in self._HEALTH.items()})
        health["matcher"] = found.get("Matcher", {}).get("HttpCode")
        seen["healthCheck"] = {key: value for key, value in health.items() if value is not None}
        seen |= self.attributes(api.describe_target_group_attributes(TargetGroupArn=name), state)
        return state | seen | self.tags(api, name)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        if (health := self._health(news)) != self._health(olds):
            api.modify_target_group(TargetGroupArn=name, **health)
        self._set(api, name, news)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_target_group(TargetGroupArn=name)

    def _health(self, inputs: Properties) -> dict[str, Any]:
        check = inputs.get("healthCheck", {})
        matcher = {"Matcher": {"HttpCode": check["matcher"]}} if "matcher" in check else {}
        return asked(check, **self._HEALTH) | matcher

    def _set(self, api: Any, name: str, inputs: Properties) -> None:
        attributes = _attributes(inputs, self._ATTRIBUTES)
        sticky = inputs.get("stickiness", {})
        names = {
            "enabled": "stickiness.enabled",
            "type": "stickiness.type",
            "cookieDuration": "stickiness.lb_cookie.duration_seconds",
        }
        attributes += _attributes(sticky, names)
        if attributes:
            api.modify_target_group_attributes(TargetGroupArn=name, Attributes=attributes)


class Listener(_Elb):
    token = "aws:lb/listener:Listener"
    what = "ELBv2 Listener"
    gone = frozenset({"ListenerNotFound", "LoadBalancerNotFound"})
    computed = frozenset({"mutualAuthentication", "protocol", "region", "sslPolicy", "tcpIdleTimeoutSeconds"})
    replace_on = frozenset({"loadBalancerArn"})
    supported = frozenset({"certificateArn", "defaultActions", "loadBalancerArn", "port", "protocol", "sslPolicy"})
    validations: ClassVar = {"loadBalancerArn": validation.arn, "port": validation.between(1, 65535)}

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = _listener(inputs) | {"LoadBalancerArn": inputs["loadBalancerArn"]}
        return api.create_listener(**request, **tagging.ELB.asked(inputs))["Listeners"][0]["ListenerArn"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        listeners = api.describe_listeners(ListenerArns=[name])["Listeners"]
        if not listeners:
            raise Gone
        seen = picked(listeners[0], arn="ListenerArn", port="Port", protocol="Protocol", sslPolicy="SslPolicy")
        seen["loadBalancerArn"] = listeners[0]["LoadBalancerArn"]
        return state | seen | self.tags(api, name)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        api.modify_listener(ListenerArn=name, **_listener(news))

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_listener(ListenerArn=name)


def _listener(inputs: Properties) -> dict[str, Any]:
    request = asked(inputs, Port="port", Protocol="protocol", SslPolicy="sslPolicy")
    if "certificateArn" in inputs:
        request["Certificates"] = [{"CertificateArn": inputs["certificateArn"]}]
    return request | {"DefaultActions": [_action(action) for action in inputs["defaultActions"]]}


def _action(action: Properties) -> dict[str, Any]:
    request = asked(action, Type="type", Order="order", TargetGroupArn="targetGroupArn")
    if "fixedResponse" in action:
        names = {"ContentType": "contentType", "MessageBody": "messageBody", "StatusCode": "statusCode"}
        request["FixedResponseConfig"] = asked(action["fixedResponse"], **names)
    if "redirect" in action:
        names = {key: key.lower() for key in ("Host", "Path", "Port", "Protocol", "Query")} | {
            "StatusCode": "statusCode"
        }
        request["RedirectConfig"] = asked(action["redirect"], **names)
    if "forward" in action:
        groups = [asked(each, TargetGroupArn="arn", Weight="weight") for each in action["forward"]["targetGroups"]]
        request["ForwardConfig"] = {"TargetGroups": groups}
    return request


def _attributes(inputs: Properties, names: dict[str, str]) -> list[dict[str, str]]:
    given = {names[ours]: inputs[ours] for ours in sorted(names) if ours in inputs}
    return [{"Key": key, "Value": str(value).lower()} for key, value in given.items()]


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text
