"""Where a service's tasks are, who may connect to them, and how they are found."""

from typing import Any

import pulumi
import pytest

from tests.components.aws_mocked import ACCOUNT, REGION, VPC, declared, later

TARGET_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web/0123456789abcdef"


def test_a_load_balancer() -> None:
    web = declared(target_group_arn=TARGET_GROUP, port=8080, ingress_cidr_blocks=["10.0.0.0/8"])["Service web-service"]
    assert web["loadBalancers"] == [{"targetGroupArn": TARGET_GROUP, "containerName": "web", "containerPort": 8080}]
    assert web["healthCheckGracePeriodSeconds"] == 60
    longer = declared(
        target_group_arn=TARGET_GROUP, port=80, health_check_grace_period_seconds=5, security_group_ids=["sg-1"]
    )
    assert longer["Service web-service"]["healthCheckGracePeriodSeconds"] == 5


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, True),
        ({"ingress_security_group_ids": ["sg-1"]}, False),
        ({"ingress_cidr_blocks": ["10.0.0.0/8"]}, False),
        ({"security_group_ids": ["sg-1"]}, False),
    ],
)
def test_a_load_balancer_that_cannot_reach_the_tasks_is_warned_of(
    changes: dict[str, Any], warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, *_: said.append(message))
    declared(target_group_arn=TARGET_GROUP, port=80, **changes)
    assert any("ingress_security_group_ids" in message for message in said) is warned


def test_the_security_group_lets_in_only_who_is_named() -> None:
    made = declared(
        port=8080,
        vpc_id="vpc-9",
        ingress_security_group_ids=["sg-9", later("sg-10")],
        ingress_cidr_blocks=["10.0.0.0/8", "fd00::/8", later("10.1.0.0/16"), later("fd01::/16")],
        egress_cidr_blocks=["10.0.0.0/8"],
    )
    assert made["SecurityGroup web-tasks"] == {"description": "The tasks of web", "vpcId": "vpc-9"}
    port = {"ipProtocol": "tcp", "fromPort": 8080, "toPort": 8080, "securityGroupId": "web-tasks-id"}
    rules = {
        name.split()[1]: inputs for name, inputs in made.items() if "GroupIngress" in name or "GroupEgress" in name
    }
    assert rules == {
        "web-ingress-sg-9": {"referencedSecurityGroupId": "sg-9", **port},
        "web-ingress-1": {"referencedSecurityGroupId": "sg-10", **port},
        "web-ingress-10.0.0.0-8": {"cidrIpv4": "10.0.0.0/8", **port},
        "web-ingress-fd00---8": {"cidrIpv6": "fd00::/8", **port},
        "web-ingress-2": {"cidrIpv4": "10.1.0.0/16", **port},
        "web-ingress-3": {"cidrIpv6": "fd01::/16", **port},
        "web-egress-10.0.0.0-8": {"cidrIpv4": "10.0.0.0/8", "ipProtocol": "-1", "securityGroupId": "web-tasks-id"},
    }


def test_the_vpc_is_that_of_the_first_subnet() -> None:
    assert declared()["SecurityGroup web-tasks"]["vpcId"] == VPC
    assert declared(subnet_ids=later(["subnet-1", "subnet-2"]))["SecurityGroup web-tasks"]["vpcId"] == VPC
    egress = declared()["SecurityGroupEgressRule web-egress-ipv4"]
    assert egress == {"cidrIpv4": "0.0.0.0/0", "ipProtocol": "-1", "securityGroupId": "web-tasks-id"}


def test_service_discovery() -> None:
    made = declared(service_discovery={"namespace_id": later("ns-1"), "ttl_seconds": 5})
    assert made["Service web-discovery"] == {
        "name": "web",
        "dnsConfig": {
            "namespaceId": "ns-1",
            "dnsRecords": [{"type": "A", "ttl": 5}],
            "routingPolicy": "MULTIVALUE",
        },
        "healthCheckCustomConfig": {"failureThreshold": 1},
    }
    registry = f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:service/srv-web"
    assert made["Service web-service"]["serviceRegistries"] == {"registryArn": registry}
    made = declared(service_discovery={"registry_arn": registry})
    assert "Service web-discovery" not in made
    assert made["Service web-service"]["serviceRegistries"] == {"registryArn": registry}
