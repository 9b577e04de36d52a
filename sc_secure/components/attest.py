"""`AttestCommand`: attaches a signed statement about the image (its SBOM, provenance or scan) in the registry."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi

from sc_secure.components._build import build_words, check_build
from sc_secure.components._drift import checked_drift, gone_from_registry
from sc_secure.components._execution import checked_execution, named_files, require_files, require_provenance
from sc_secure.components._held import held
from sc_secure.components._outputs import Component
from sc_secure.components._signer import signer_words
from sc_secure.components._step import Step, Word, checked_timeout, failure_words, saved_words
from sc_secure.components._validate import InvalidArgs, digest_reference, policy_checked, validated
from sc_secure.components._wholes import names_of
from sc_secure.components.args import AttestCommandArgs

PREDICATES: Mapping[str, frozenset[str]] = {
    "sbom": frozenset({"format"}),
    "provenance": frozenset({"builder_id", "include_git", "include_dockerfile", "build", "build_args", "save"}),
    "scan": frozenset({"scan_run"}),
}
"""What can be attached, and the arguments that belong to it alone."""
_POLICY = ("builder_id", "include_git", "include_dockerfile", "build_args")
"""The arguments of provenance that are the policy's."""


class AttestCommand(Component):
    """Attests something about an image. Attaching it again adds nothing; destroying this leaves the attestation."""

    passed_ref: pulumi.Output[str]
    """The image, once this step has passed: the input of the steps that wait for it."""
    status: pulumi.Output[str]
    """passed, reused or soft_failed."""
    predicate_type: pulumi.Output[str]
    """The statement's predicate type, a URI."""
    attestation_digest: pulumi.Output[str]
    """The digest of the attestation's manifest in the registry."""

    def __init__(self, name: str, args: AttestCommandArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = validated("AttestCommand", AttestCommandArgs, args)
        what = _predicate_words(given)
        signer = signer_words("AttestCommand", given)
        timeout = checked_timeout("AttestCommand", given.get("timeout_seconds"), 300)
        drift = checked_drift("AttestCommand", given.get("drift"), "heal")
        failure = failure_words("AttestCommand", given)
        host = checked_execution("AttestCommand", given)
        require_files("AttestCommand", host, named_files(given))
        if given["predicate"] == "provenance":
            require_provenance("AttestCommand", host, given, given.get("build"))
        image = digest_reference("AttestCommand", "image", given["image"])
        credentials = held("AttestCommand", name, given, opts)
        super().__init__("sc-secure:index:AttestCommand", name, {}, opts)
        words = [*what, *signer.words, *timeout.words, *failure]
        self.step = Step(
            name,
            image,
            words,
            parent=self,
            timeout=timeout,
            opts=opts,
            files=signer.files,
            reruns_on={"SC_SECURE_SCAN": given["scan_run"]} if "scan_run" in given else {},
            again=gone_from_registry(self, drift, credentials),
            held=credentials,
            host=host,
        )
        self.publish(self.step.outputs(predicate_type="predicateType", attestation_digest="attestationDigest"))


def build_arg_words(component: str, args: Any, recorded: Sequence[str], prefix: str = "") -> list[Word]:
    """The words for the build's arguments: names only, since a value may be what its user takes for a secret.

    Args:
        component: whose arguments they are.
        args: the build's arguments, or an output of them: their names are words once they are known.
        recorded: the names of those whose values are recorded too.
        prefix: the path of `recorded`, with its dot; empty for `AttestCommand`'s own arguments.

    Raises:
        InvalidArgs: a value that is to be recorded isn't known when the program runs, as a secret never is.
    """
    if isinstance(args, pulumi.Output):
        if recorded:
            reason = "build.args is an output as a whole, so no value of it is recorded: remove it here, or give a map"
            raise InvalidArgs(component, [(f"{prefix}build_args", f"{reason} with this value as a plain text")])
        return [cast("pulumi.Output[list[str]]", names_of(args)).apply(_name_words)]
    words: list[Word] = []
    for name, value in sorted(cast(Mapping[str, Any], args).items()):
        if name not in recorded:
            words += _name_words([name])
        elif isinstance(value, str):
            words += ["--build-arg", f"{name}={value}"]
        else:
            reason = "its value is an output or a secret, so it isn't recorded: remove it here, or give a plain text"
            raise InvalidArgs(component, [(f"{prefix}build_args[{recorded.index(name)}]", reason)])
    return words


def _name_words(names: Sequence[str]) -> list[str]:
    return [word for name in names for word in ("--build-arg-name", name)]


def _predicate_words(given: AttestCommandArgs) -> list[Word]:
    """The command's words for what is attached.

    Raises:
        InvalidArgs: an unknown predicate, an argument of another predicate, or a value out of range.
    """
    predicate = given["predicate"]
    if predicate not in PREDICATES:
        raise InvalidArgs("AttestCommand", [("predicate", f"one of {', '.join(PREDICATES)}")])
    foreign = [key for other, keys in PREDICATES.items() if other != predicate for key in sorted(keys) if key in given]
    if foreign:
        raise InvalidArgs("AttestCommand", [(key, f"has no meaning for the predicate {predicate}") for key in foreign])
    if predicate == "sbom":
        sbom = policy_checked("AttestCommand", "sbom", {"format": given.get("format", "cyclonedx-json")}, {})
        return ["sbom", "attach", "--format", sbom.format]
    if predicate == "scan":
        return ["scan", "attach"]
    wanted = {key: value for key, value in given.items() if key in _POLICY}
    provenance = policy_checked("AttestCommand", "provenance", wanted, {})
    words: list[Word] = ["provenance", "attach"]
    if provenance.builder_id is not None:
        words += ["--builder-id", provenance.builder_id]
    if not provenance.include_git:
        words.append("--no-include-git")
    if not provenance.include_dockerfile:
        words.append("--no-include-dockerfile")
    if "build" in given:
        check_build("AttestCommand", given["build"])
    build = cast(Mapping[str, Any], given.get("build", {}))
    words += build_words(build)
    words += build_arg_words("AttestCommand", build.get("args", {}), given.get("build_args", []))
    return [*words, *saved_words("AttestCommand", given)]
