"""The way out to a VPC network: https://cloud.google.com/run/docs/configuring/connecting-vpc"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi
import pulumi_gcp as gcp

from sc_secure.components._problems import Problems
from sc_secure.components._wholes import made_of, now
from sc_secure.components.cloud_run.limits import EGRESS

_CONNECTOR = re.compile(r"projects/[^/\s]+/locations/[^/\s]+/connectors/[^/\s]+")
_TAG = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DIRECT = ("network", "subnetwork", "tags")


def check_vpc(problems: Problems, vpc: Mapping[str, Any] | None) -> None:
    """Directly or by a connector, and not both. An output isn't looked at before its value is known."""
    if vpc is None or isinstance(vpc, pulumi.Output):
        return
    direct = [key for key in _DIRECT if key in vpc]
    if "connector" in vpc:
        if direct:
            problems.add(f"vpc.{direct[0]}", "excludes vpc.connector: traffic leaves directly or through a connector")
    elif "network" not in vpc and "subnetwork" not in vpc:
        problems.add("vpc", "a network or a subnetwork is needed, or a connector")
    connector_reason = "a connector's id is needed: projects/<project>/locations/<location>/connectors/<connector>"
    problems.matches("vpc.connector", vpc.get("connector"), _CONNECTOR, connector_reason)
    problems.one_of("vpc.egress", vpc.get("egress"), EGRESS)
    check_tags(problems, now(vpc.get("tags"), ()))


def check_tags(problems: Problems, tags: Iterable[Any]) -> None:
    """Network tags."""
    for index, tag in enumerate(tags):
        tag_reason = "at most 63 lower-case letters, digits and hyphens, from a letter to no hyphen"
        problems.matches(f"vpc.tags[{index}]", tag, _TAG, tag_reason)


def vpc_args(
    vpc: pulumi.Input[Mapping[str, Any]] | None,
) -> pulumi.Input[gcp.cloudrunv2.ServiceTemplateVpcAccessArgs] | None:
    """The revision's way out; None: there is none."""
    return None if vpc is None else made_of(vpc, _access)


def _access(vpc: Mapping[str, Any]) -> gcp.cloudrunv2.ServiceTemplateVpcAccessArgs:
    egress = vpc.get("egress", EGRESS[0])
    if "connector" in vpc:
        return gcp.cloudrunv2.ServiceTemplateVpcAccessArgs(connector=vpc["connector"], egress=egress)
    interface = gcp.cloudrunv2.ServiceTemplateVpcAccessNetworkInterfaceArgs(
        network=vpc.get("network"), subnetwork=vpc.get("subnetwork"), tags=vpc.get("tags")
    )
    return gcp.cloudrunv2.ServiceTemplateVpcAccessArgs(egress=egress, network_interfaces=[interface])
