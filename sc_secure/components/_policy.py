"""The security policy of a component's arguments, and what it says of how an image is verified."""

from collections.abc import Mapping
from typing import Any, cast

from sc_secure.components._validate import InvalidArgs
from sc_secure.components.args import RetryArgs, VerifyCommandArgs
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
    """What a policy demands to be attached -> its kind of attestation, by the name that verifying takes."""
    kinds: dict[str, str] = {}
    if security.attaches_sbom and security.demands("sbom"):
        kinds["sbom"] = SBOM_ATTESTATION[security.sbom.format]
    if security.signing.enabled and security.provenance.enabled and security.demands("provenance"):
        kinds["provenance"] = "slsaprovenance1"
    if security.attests_scan and security.demands("scan"):
        kinds["scan"] = "vuln"
    return kinds


def retry_args(security: Security) -> RetryArgs:
    """How a policy's steps try again, as an argument of theirs."""
    return {"attempts": security.retry.attempts, "base_delay": security.retry.base_delay}


def verify_args(component: str, security: Security, path: str) -> VerifyCommandArgs:
    """How an image is verified that was secured by a policy: by whom it was signed, and all that must be attached.

    Args:
        component: whose arguments they are.
        security: the policy; it signs.
        path: of the arguments that say it.

    Raises:
        InvalidArgs: it signs without a key, and doesn't say who must have signed.
    """
    signing = security.signing
    args: VerifyCommandArgs = {"image": "", "attestations": list(attestation_kinds(security).values())}
    args["timeout_seconds"] = security.timeouts.verify
    args["retry"] = retry_args(security)
    if signing.verify.builder_id is not None:
        args["builder_id"] = signing.verify.builder_id
    if signing.verify.source_uri is not None:
        args["source_uri"] = signing.verify.source_uri
    if signing.trusted_root is not None and (signing.keyless or signing.logged):
        args["trusted_root"] = signing.trusted_root
    if signing.keyless:
        if signing.verify.identity_regexp is None or signing.verify.oidc_issuer is None:
            reason = "the policy signs without a key: its signing.verify must name identity_regexp and oidc_issuer"
            raise InvalidArgs(component, [(path, f"{reason}, who must have signed")])
        args["identity_regexp"], args["oidc_issuer"] = signing.verify.identity_regexp, signing.verify.oidc_issuer
        if not signing.logged:
            args["transparency_log"] = False
        return args
    args["key"] = signing.verify.key or signing.key or ""
    if signing.verify.key is None and signing.password_env is not None:
        args["password_env"] = signing.password_env
    if signing.verify.keys:
        args["keys"] = list(signing.verify.keys)
    if signing.logged:
        args["transparency_log"] = True
    return args
