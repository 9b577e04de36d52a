"""Which arguments of `SecuredEcsService` need or exclude each other."""

from typing import Any

from sc_secure.components.ecs.args import SecuredEcsServiceArgs
from sc_secure.components.ecs.limits import Problems, arn_form, in_range

_OF_A_GROUP_MADE = (
    "vpc_id",
    "ingress_security_group_ids",
    "ingress_cidr_blocks",
    "egress_cidr_blocks",
)
"""What says how the security group is made."""


MAX_DNS_LABEL = 63


def combination_problems(name: str, given: SecuredEcsServiceArgs) -> Problems:
    """What is given and can have no effect, or lacks what it needs."""
    for made, keys in (
        ("security_group_ids", _OF_A_GROUP_MADE),
        ("log_group_arn", ("log_retention_days", "log_kms_key_arn")),
        ("execution_role_arn", ("secrets_kms_key_arns", "ecr_repository_arns")),
    ):
        for key in keys:
            if made in given and key in given:
                yield key, f"has no effect with {made}, which isn't changed here"
    if {"execution_role_arn", "task_role_arn", "permissions_boundary_arn"} <= given.keys():
        yield "permissions_boundary_arn", "has no effect where both roles are given"
    for key in ("target_group_arn", "ingress_security_group_ids", "ingress_cidr_blocks"):
        if key in given and "port" not in given:
            yield "port", f"missing: {key} needs the port that the main container listens on"
    if "health_check_grace_period_seconds" in given and "target_group_arn" not in given:
        yield "health_check_grace_period_seconds", "has no meaning without target_group_arn"
    if "deployment_timeout_seconds" in given and not given.get("wait_for_steady_state", True):
        yield "deployment_timeout_seconds", "has no meaning without wait_for_steady_state"
    for key in ("ingress_security_group_ids", "ingress_cidr_blocks", "egress_cidr_blocks"):
        values = [value for value in given.get(key, []) if isinstance(value, str)]
        for value in sorted({value for value in values if values.count(value) > 1}):
            yield key, f"{value} is there twice; AWS takes a rule once"
    yield from _discovery(name, given.get("service_discovery"))


def _discovery(name: str, discovery: Any) -> Problems:
    if discovery is None:
        return
    if ("registry_arn" in discovery) == ("namespace_id" in discovery):
        yield "service_discovery", "one of namespace_id and registry_arn is needed"
    elif "registry_arn" in discovery and "ttl_seconds" in discovery:
        yield "service_discovery.ttl_seconds", "has no effect with registry_arn, which isn't changed here"
    if "namespace_id" in discovery and len(name) > MAX_DNS_LABEL:
        yield (
            "service_discovery.namespace_id",
            f"a name in DNS has at most {MAX_DNS_LABEL} characters, as the component's",
        )
    registry, path = discovery.get("registry_arn"), "service_discovery.registry_arn"
    yield from arn_form(path, registry, "servicediscovery", "service/", "a Cloud Map service's")
    yield from in_range("service_discovery.ttl_seconds", discovery.get("ttl_seconds"), 0, 2**31 - 1)
