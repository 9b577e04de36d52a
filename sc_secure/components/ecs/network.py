"""The tasks' security group, where none is given, and their name in Cloud Map."""

from typing import Any, cast

import pulumi
import pulumi_aws as aws

from sc_secure.components._deployment import physical_name
from sc_secure.components.ecs.args import SecuredEcsServiceArgs

MAX_GROUP_NAME = 255
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html"""

EVERYWHERE = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}
"""Both families of addresses, whole."""


def security_group(
    name: str, given: SecuredEcsServiceArgs, parent: pulumi.Resource, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """A group that lets in only what the arguments say, and out everything unless they say otherwise.

    Each rule is a resource of its own: rules that are part of the group can't be added to by anybody else.

    Returns:
        The group's id.
    """
    group = aws.ec2.SecurityGroup(
        f"{name}-tasks",
        name=physical_name(f"{name}-tasks", MAX_GROUP_NAME),
        description=f"The tasks of {name}",
        vpc_id=given["vpc_id"] if "vpc_id" in given else _vpc_of(given["subnet_ids"], parent),
        tags=given.get("tags"),
        opts=opts,
    )
    common: dict[str, Any] = {"security_group_id": group.id, "tags": given.get("tags"), "opts": opts}
    port = given.get("port")
    to_port: dict[str, Any] = {"ip_protocol": "tcp", "from_port": port, "to_port": port}
    for index, source in enumerate(given.get("ingress_security_group_ids", [])):
        rule = f"{name}-ingress-{_label(source, index)}"
        aws.vpc.SecurityGroupIngressRule(rule, referenced_security_group_id=source, **to_port, **common)
    for index, block in enumerate(given.get("ingress_cidr_blocks", [])):
        aws.vpc.SecurityGroupIngressRule(f"{name}-ingress-{_label(block, index)}", **_cidr(block), **to_port, **common)
    egress: dict[str, pulumi.Input[str]] = {**EVERYWHERE}
    if "egress_cidr_blocks" in given:
        egress = {_label(block, index): block for index, block in enumerate(given["egress_cidr_blocks"])}
    for label, block in egress.items():
        aws.vpc.SecurityGroupEgressRule(f"{name}-egress-{label}", ip_protocol="-1", **_cidr(block), **common)
    return group.id


def _vpc_of(subnet_ids: pulumi.Input[Any], parent: pulumi.Resource) -> pulumi.Output[str]:
    """The VPC of the first subnet, as AWS tells it."""
    first = pulumi.Output.from_input(subnet_ids).apply(lambda ids: ids[0])
    return aws.ec2.get_subnet_output(id=first, opts=pulumi.InvokeOutputOptions(parent=parent)).vpc_id


def _label(value: pulumi.Input[str], index: int) -> str:
    """A rule's name, by what it is about where that is known: taking one away then leaves the others as they are."""
    return value.replace("/", "-").replace(":", "-") if isinstance(value, str) else str(index)


def _cidr(block: pulumi.Input[str]) -> dict[str, pulumi.Input[Any]]:
    """A block of addresses, of either family."""
    if isinstance(block, str):
        return {"cidr_ipv6" if ":" in block else "cidr_ipv4": block}
    known = pulumi.Output.from_input(block)
    return {
        "cidr_ipv4": known.apply(lambda text: None if ":" in text else text),
        "cidr_ipv6": known.apply(lambda text: text if ":" in text else None),
    }


def service_registry(
    name: str, given: SecuredEcsServiceArgs, opts: pulumi.ResourceOptions
) -> aws.ecs.ServiceServiceRegistriesArgs | None:
    """Where the service's tasks are registered under a name; None: nowhere."""
    discovery = given.get("service_discovery")
    if discovery is None:
        return None
    if "registry_arn" in discovery:
        return aws.ecs.ServiceServiceRegistriesArgs(registry_arn=discovery["registry_arn"])
    made = aws.servicediscovery.Service(
        f"{name}-discovery",
        name=name,
        dns_config=aws.servicediscovery.ServiceDnsConfigArgs(
            namespace_id=discovery.get("namespace_id", ""),
            dns_records=[
                aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type="A", ttl=discovery.get("ttl_seconds", 10))
            ],
            # More than one address an answer, healthy ones only.
            routing_policy="MULTIVALUE",
        ),
        # ECS itself says which tasks are well. The provider sends no empty block, and AWS's answer is 1; as a plain
        # mapping, since the SDK's class warns at each run that no other threshold is supported.
        health_check_custom_config={"failure_threshold": 1},
        tags=cast(Any, given.get("tags")),
        opts=opts,
    )
    return aws.ecs.ServiceServiceRegistriesArgs(registry_arn=made.arn)
