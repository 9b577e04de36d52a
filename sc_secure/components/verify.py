"""`VerifyCommand`: reads the signature and attestations back from the registry, and checks them."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi

from sc_secure.components._drift import checked_drift, gone_from_registry
from sc_secure.components._execution import checked_execution, named_files, require_files
from sc_secure.components._held import held
from sc_secure.components._launcher import project_root
from sc_secure.components._outputs import Component
from sc_secure.components._step import Step, Timeout, checked_timeout, failure_words, key_file, key_words
from sc_secure.components._validate import InvalidArgs, digest_reference, portable_key, portable_path, validated
from sc_secure.components.args import VerifyCommandArgs
from sc_secure.policy.source import check_builder, check_commit, check_source

ATTESTATION_TYPES = ("cyclonedx", "spdx", "syft", "slsaprovenance1", "vuln")
"""The kinds of attestation, by the names that `image verify --attestation` takes."""

_ORIGIN = {"builder_id": check_builder, "source_uri": check_source, "source_commit": check_commit}
"""The arguments that say what the provenance must name, and what each has to be."""

_IDENTITY = ("identity_regexp", "oidc_issuer", "trusted_root", "transparency_log")
"""The arguments that belong to an identity; the last two also to a key whose signatures are logged."""


@dataclass(frozen=True)
class Verification:
    """What is verified, as the words of its command."""

    words: tuple[str, ...]
    timeout: Timeout
    trusted_root: str
    """The trusted root's path, relative to the project; empty: the public one."""


def verification(component: str, given: VerifyCommandArgs, prefix: str = "") -> Verification:
    """What these arguments ask for, checked before anything is registered.

    Args:
        component: whose arguments they are.
        given: the arguments; the image doesn't matter.
        prefix: the path of these arguments, with its dot; empty for `VerifyCommand`'s own.

    Raises:
        InvalidArgs: nobody is named who must have signed, or two are, or a value won't do.
    """
    attestations = given.get("attestations", [])
    unknown = [
        (f"{prefix}attestations[{index}]", f"one of {', '.join(ATTESTATION_TYPES)}")
        for index, kind in enumerate(attestations)
        if kind not in ATTESTATION_TYPES
    ]
    if unknown:
        raise InvalidArgs(component, unknown)
    timeout = checked_timeout(component, given.get("timeout_seconds"), 300, prefix)
    words = ["image", "verify", *_signer_words(component, given, prefix)]
    for kind in dict.fromkeys(attestations):
        words += ["--attestation", kind]
    for key, check in _ORIGIN.items():
        value = given.get(key)
        if not isinstance(value, str):
            continue
        try:
            words += [f"--{key.replace('_', '-')}", check(value)]
        except ValueError as error:
            raise InvalidArgs(component, [(f"{prefix}{key}", str(error))]) from None
    trusted_root = words[words.index("--trusted-root") + 1] if "trusted_root" in given else ""
    return Verification((*words, *timeout.words, *failure_words(component, given, prefix)), timeout, trusted_root)


def _signer_words(component: str, given: VerifyCommandArgs, prefix: str) -> list[str]:
    """The words that say who must have signed.

    Raises:
        InvalidArgs: see `verification`.
    """
    identity = [key for key in _IDENTITY if key in given]
    if "key" in given:
        return _key_words(component, given, prefix)
    for lonely in ("password_env", "keys"):
        if lonely in given:
            raise InvalidArgs(component, [(f"{prefix}{lonely}", "has no meaning without a key")])
    if not identity:
        reason = "missing: say who must have signed, by a key or by identity_regexp and oidc_issuer"
        raise InvalidArgs(component, [(f"{prefix}key", reason)])
    missing = [key for key in ("identity_regexp", "oidc_issuer") if not given.get(key)]
    if missing:
        reason = "missing: an identity is identity_regexp and the oidc_issuer that issued it"
        raise InvalidArgs(component, [(f"{prefix}{key}", reason) for key in missing])
    regexp, issuer = given.get("identity_regexp", ""), given.get("oidc_issuer", "")
    words = ["--certificate-identity-regexp", regexp, "--certificate-oidc-issuer", issuer]
    words += _root_words(component, given, prefix)
    return [*words, *([] if given.get("transparency_log", True) else ["--no-transparency-log"])]


def _key_words(component: str, given: VerifyCommandArgs, prefix: str) -> list[str]:
    """The words for a key, and for the log that must have recorded its signature, if any.

    Raises:
        InvalidArgs: an argument of an identity, or the key won't do.
    """
    log = given.get("transparency_log", False)
    foreign = [key for key in _IDENTITY if key in given and key not in ("transparency_log", *(["trusted_root"] * log))]
    if foreign:
        reason = f"excludes {prefix}key: an image is verified by a key or by an identity"
        if foreign[0] == "trusted_root":
            reason = f"goes with {prefix}transparency_log: a key is trusted by itself"
        raise InvalidArgs(component, [(f"{prefix}{foreign[0]}", reason)])
    words = key_words(component, given["key"], given.get("password_env"), prefix, log=log)  # type: ignore[typeddict-item]
    for index, key in enumerate(given.get("keys", [])):
        words += ["--key", portable_key(component, f"{prefix}keys[{index}]", key, project_root())]
    return [*words, *_root_words(component, given, prefix)]


def _root_words(component: str, given: VerifyCommandArgs, prefix: str) -> list[str]:
    if "trusted_root" not in given:
        return []
    return ["--trusted-root", portable_path(component, f"{prefix}trusted_root", given["trusted_root"], project_root())]


class VerifyCommand(Component):
    """Verifies an image's signature, and each attestation that is asked for, by a key or an identity.

    What isn't verified fails it.
    """

    passed_ref: pulumi.Output[str]
    """The image, once this step has passed: the input of what deploys it."""
    status: pulumi.Output[str]
    """passed, reused or soft_failed."""
    verified: pulumi.Output[dict[str, Any]]
    """`signature`, and each predicate type -> the digest of the manifest that was verified."""

    def __init__(self, name: str, args: VerifyCommandArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = validated("VerifyCommand", VerifyCommandArgs, args)
        what = verification("VerifyCommand", given)
        drift = checked_drift("VerifyCommand", given.get("drift"), "off")
        host = checked_execution("VerifyCommand", given)
        require_files("VerifyCommand", host, named_files(given))
        image = digest_reference("VerifyCommand", "image", given["image"])
        credentials = held("VerifyCommand", name, given, opts)
        super().__init__("sc-secure:index:VerifyCommand", name, {}, opts)
        reruns_on = {"SC_SECURE_DEPLOYMENT": given["deployment"]} if "deployment" in given else {}
        files = key_file(what.words) | ({"SC_SECURE_TRUSTED_ROOT": what.trusted_root} if what.trusted_root else {})
        self.step = Step(
            name,
            image,
            what.words,
            parent=self,
            timeout=what.timeout,
            opts=opts,
            reruns_on=reruns_on,
            files=files,
            again=gone_from_registry(self, drift, credentials),
            held=credentials,
            host=host,
        )
        self.publish({**self.step.outputs(), "verified": partial(self.step.output, "verified", {})})
