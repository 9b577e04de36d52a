"""Binary Authorization: https://cloud.google.com/binary-authorization/docs/run/overview"""

import re
from collections.abc import Mapping
from typing import Any

import pulumi_gcp as gcp

from sc_secure.components._problems import Problems

_POLICY = re.compile(r"projects/[^/\s]+/platforms/cloudRun/[^/\s]+")


def check_authorization(problems: Problems, given: Mapping[str, Any] | None) -> None:
    """Exactly one policy, and a justification with a reason in it."""
    if given is None:
        return
    if ("use_default" in given) == ("policy" in given):
        problems.add("binary_authorization", "either use_default: true or a policy is needed")
    if given.get("use_default") is False:
        problems.add("binary_authorization.use_default", "true, or leave binary_authorization out")
    policy_reason = "a policy's full name is needed: projects/<project>/platforms/cloudRun/<policy>"
    problems.matches("binary_authorization.policy", given.get("policy"), _POLICY, policy_reason)
    if not given.get("breakglass_justification", "reason").strip():
        problems.add("binary_authorization.breakglass_justification", "say why: the audit log keeps it")


def authorization_args(given: Mapping[str, Any] | None) -> gcp.cloudrunv2.ServiceBinaryAuthorizationArgs | None:
    """The service's setting; None: there is none."""
    if given is None:
        return None
    return gcp.cloudrunv2.ServiceBinaryAuthorizationArgs(
        use_default=given.get("use_default"),
        policy=given.get("policy"),
        breakglass_justification=given.get("breakglass_justification"),
    )
