"""The security policy of a component's arguments, and what it says of how an image is verified."""

from collections.abc import Mapping
from typing import Any, cast

from sc_secure.components._validate import InvalidArgs
from sc_secure.errors import ConfigError
from sc_secure.policy.loading import load_security
from sc_secure.policy.security import SbomFormat, Security, parse_security

SBOM_ATTESTATION: dict[SbomFormat, str] = {"cyclonedx-json": "cyclonedx", "spdx-json": "spdx", "syft-json": "syft"}
"""An SBOM's format -> its kind of attestation."""

SOURCES = ("security", "security_file", "stack")
"""The arguments that say where a policy is; at most one of them is given."""


def policy_of(component: str, given: Mapping[str, Any], prefix: str = "") -> Security | None:
    """The policy, from where the arguments say it is; None: they name none.

    Args:
        component: whose arguments they are.
        given: the arguments.
        prefix: the path of these arguments, with its dot; empty for a component's own.

    Raises:
        InvalidArgs: two sources, a file that won't do, or a policy that isn't one.
    """
    sources = [key for key in SOURCES if key in given]
    if len(sources) > 1:
        raise InvalidArgs(component, [(f"{prefix}{sources[1]}", f"excludes {prefix}{sources[0]}; keep one of them")])
    if not sources:
        return None
    try:
        if "security" in given:
            block = cast(dict[str, Any], given["security"])
        else:
            block = load_security(given.get("security_file"), stack=given.get("stack"))
        return parse_security(block, root=f"{prefix}security", camel=False)
    except ConfigError as error:
        raise InvalidArgs(component, [("", line) for line in error.diagnostics().splitlines()]) from None


def attestation_kinds(security: Security) -> dict[str, str]:
    """What a policy attaches to an image -> its kind of attestation, by the name that verifying takes."""
    kinds: dict[str, str] = {}
    if security.attaches_sbom:
        kinds["sbom"] = SBOM_ATTESTATION[security.sbom.format]
    if security.signing.enabled and security.provenance.enabled:
        kinds["provenance"] = "slsaprovenance1"
    if security.attests_scan:
        kinds["scan"] = "vuln"
    return kinds
