"""`SecuredImage`: builds and pushes an image, then catalogues, scans, signs, attests and verifies it.

image → SBOM → scan (of that SBOM) → sign → attest SBOM, provenance, scan → verify. Each step gets the image from the
one before it as a value that exists only once that one has passed: nothing is signed before the scan has passed, and
`deployable_ref` is there only after every step.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi

from sc_secure.components._build import built, checked_build, installed, recorded
from sc_secure.components._execution import Host, checked_execution, named_files, require_files, require_provenance
from sc_secure.components._launcher import project_root
from sc_secure.components._outputs import Component, joined
from sc_secure.components._policy import policy_of, retry_args, verify_args
from sc_secure.components._signer import FORMAT, SIGNER, signer_words
from sc_secure.components._step import Step, gate, unshared
from sc_secure.components._validate import InvalidArgs, digest_reference, portable_key, validated
from sc_secure.components.args import (
    AttestCommandArgs,
    BuildArgs,
    RegistryArgs,
    SbomCommandArgs,
    ScanCommandArgs,
    SecuredImageArgs,
    SignCommandArgs,
    VerifyCommandArgs,
)
from sc_secure.components.attest import AttestCommand, build_arg_words
from sc_secure.components.sbom import SbomCommand
from sc_secure.components.scan import ScanCommand, scan_args, scanning
from sc_secure.components.sign import SignCommand
from sc_secure.components.verify import VerifyCommand
from sc_secure.policy.security import DEFAULT_TOOLS, Scan, Security, Signing
from sc_secure.steps.result import StepResult

_VERIFY = "security.signing.verify"
_URN_OF_AN_IMAGE = re.compile(r"urn:pulumi:[^:]+::[^:]+::(?:[^:]+:[^:]+:[^:]+\$)*docker:index/image:Image::.+")


class SecuredImage(Component):
    """Builds and pushes a container image, and lets it through only when every step of its security policy has passed.

    With `image_ref` nothing is built; with security off it is a plain build and push, and no step exists.
    """

    image_ref: pulumi.Output[str]
    """The image as `repository@sha256:…`, as soon as it is pushed. Not for deploying: see `deployable_ref`."""
    digest: pulumi.Output[str]
    """The image's digest, as soon as it is pushed."""
    deployable_ref: pulumi.Output[str]
    """The image as `repository@sha256:…`: there only when every step has passed."""
    sbom_path: pulumi.Output[str]
    """The SBOM's path, relative to the project; empty without an SBOM."""
    sbom_sha256: pulumi.Output[str]
    """The SBOM's SHA-256, in hexadecimal; empty without an SBOM."""
    scan_summary: pulumi.Output[dict[str, Any]]
    """How many findings of each severity, the verdict, and the vulnerability database's date; empty without a scan."""
    rekor_uuid: pulumi.Output[str]
    """The signature's transparency-log entry; empty without a log."""
    rekor_log_index: pulumi.Output[str]
    """The signature's index in the transparency log; empty without a log."""
    rekor_log_id: pulumi.Output[str]
    """The transparency log's own name, in hexadecimal; empty without a log."""
    attestations: pulumi.Output[dict[str, Any]]
    """Each attestation's predicate type -> the digest of its manifest in the registry."""
    status: pulumi.Output[str]
    """`secured`; `degraded` after a soft failure; `unsecured` with security off."""
    warnings: pulumi.Output[list[str]]
    """What the steps warn of."""

    def __init__(self, name: str, args: SecuredImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = validated("SecuredImage", SecuredImageArgs, args)
        host = checked_execution("SecuredImage", given)
        security = _security(given, host)
        build, aliases = _build(given), _aliases(given)
        _check_execution(host, security, build)
        # A build host logs in by itself: what this program holds for a registry stays on this machine.
        where = ("execution",) if host else ("registry",)
        self._where = {key: value for key, value in given.items() if key in where}
        reference = digest_reference("SecuredImage", "image_ref", given["image_ref"]) if "image_ref" in given else None
        super().__init__("sc-secure:index:SecuredImage", name, {}, opts)
        self._child_opts = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None)
        # The build has no time-out among the arguments; the steps have, and each sets Pulumi's by it.
        timeouts = pulumi.ResourceOptions(custom_timeouts=opts.custom_timeouts if opts else None)
        before = pulumi.ResourceOptions(aliases=aliases)
        build_opts = pulumi.ResourceOptions.merge(pulumi.ResourceOptions.merge(self._child_opts, timeouts), before)
        if reference is None:
            where = given.get("image_name", "")
            registry = cast(RegistryArgs | None, given.get("registry"))  # a mapping, of outputs where it is one
            reference = built(f"{name}-image", where, cast(BuildArgs, build), registry, build_opts)
        self.image_ref = reference
        steps = self._secured(name, security, build) if security.enabled else _Steps()
        if not steps.all():
            pulumi.log.warn("security is off: the image is neither scanned nor signed", self)
        self._publish(steps)

    def _secured(self, name: str, security: Security, build: BuildArgs | None) -> "_Steps":
        """Declares the steps that are switched on, in their order, each waiting for the one before."""
        image, steps, limits, retry = self.image_ref, _Steps(), security.timeouts, retry_args(security)
        if security.sbom.enabled:
            sbom_args: SbomCommandArgs = {
                "image": image,
                "format": security.sbom.format,
                "timeout_seconds": limits.sbom,
                "required": security.sbom.required,
                "retry": retry,
            }
            if security.sbom.output.local is not None:
                sbom_args["save"] = security.sbom.output.local
            steps.sbom = SbomCommand(
                f"{name}-sbom", cast(SbomCommandArgs, {**sbom_args, **self._where}), self._child_opts
            )
            image = steps.sbom.passed_ref
        if security.scan.enabled:
            scanned = scan_args(security.scan, image, limits.scan)
            scanned = cast(ScanCommandArgs, {**scanned, "retry": retry, **self._where})
            steps.scan = ScanCommand(f"{name}-scan", scanned, self._child_opts)
            image = steps.scan.passed_ref
        if security.signing.enabled:
            self._declare_signing(name, image, security, build, steps)
        return steps

    def _declare_signing(
        self, name: str, image: pulumi.Output[str], security: Security, build: BuildArgs | None, steps: "_Steps"
    ) -> None:
        """Declares signing, attesting and verifying."""
        signer, limits = _signer(security.signing), security.timeouts
        every: dict[str, Any] = {**signer, "drift": security.drift, "retry": retry_args(security)} | self._where
        sign_args = {**every, "image": image, "timeout_seconds": limits.sign, "required": security.signing.required}
        steps.sign = SignCommand(f"{name}-sign", cast(SignCommandArgs, sign_args), self._child_opts)
        image = steps.sign.passed_ref
        for attest_args in _attested(security, build):
            attest_args["image"] = image
            attest_args["timeout_seconds"] = limits.attest
            if attest_args["predicate"] == "scan" and steps.scan:
                attest_args["scan_run"] = _scan_run(steps.scan, security.scan)
            predicate, every_arg = attest_args["predicate"], cast(AttestCommandArgs, {**every, **attest_args})
            steps.attests[predicate] = AttestCommand(f"{name}-attest-{predicate}", every_arg, self._child_opts)
        if security.signing.verifies:
            verify = verify_args("SecuredImage", security, _VERIFY)
            verify["image"], verify["drift"] = gate(image, steps.all()), security.drift
            steps.verify = VerifyCommand(
                f"{name}-verify", cast(VerifyCommandArgs, {**verify, **self._where}), self._child_opts
            )

    def _publish(self, steps: "_Steps") -> None:
        sbom, scan, sign = steps.sbom, steps.scan, steps.sign
        attested = [attest.step.result for attest in steps.attests.values()]
        results = [step.result for step in steps.all()]
        self.publish(
            {
                "image_ref": lambda: self.image_ref,
                "digest": lambda: joined([self.image_ref], lambda got: got[0].split("@", 1)[1]),
                "deployable_ref": lambda: gate(self.image_ref, steps.all()),
                "sbom_path": lambda: sbom.sbom_path if sbom else _nothing(),
                "sbom_sha256": lambda: sbom.sbom_sha256 if sbom else _nothing(),
                "scan_summary": lambda: scan.scan_summary if scan else pulumi.Output.from_input({}),
                "rekor_uuid": lambda: sign.rekor_uuid if sign else _nothing(),
                "rekor_log_index": lambda: sign.rekor_log_index if sign else _nothing(),
                "rekor_log_id": lambda: sign.rekor_log_id if sign else _nothing(),
                "attestations": lambda: joined(attested, _attestations),
                "status": lambda: joined(results, _status),
                "warnings": lambda: joined(results, _warnings),
            }
        )


def _nothing() -> pulumi.Output[str]:
    return pulumi.Output.from_input("")


@dataclass
class _Steps:
    """The steps of one image that are switched on."""

    sbom: SbomCommand | None = None
    scan: ScanCommand | None = None
    sign: SignCommand | None = None
    attests: dict[str, AttestCommand] = field(default_factory=dict[str, AttestCommand])
    verify: VerifyCommand | None = None

    def all(self) -> list[Step]:
        """All of them, in their order: what the gate waits for."""
        declared = [self.sbom, self.scan, self.sign, *self.attests.values(), self.verify]
        return [component.step for component in declared if component is not None]


def _signer(signing: Signing) -> dict[str, Any]:
    """Who signs, as the arguments of the steps that do."""
    said = {name: value for name in SIGNER if (value := getattr(signing, name)) is not None}
    return said | ({FORMAT: signing.format} if signing.format != "bundle" else {})


def _attested(security: Security, build: BuildArgs | None) -> list[AttestCommandArgs]:
    """What is attested, each with the arguments of its own; the image and who signs are still to be added."""
    attested: list[AttestCommandArgs] = []
    if security.attaches_sbom:
        sbom: AttestCommandArgs = {"image": "", "predicate": "sbom", "format": security.sbom.format}
        attested.append({**sbom, "required": security.demands("sbom")})
    if security.provenance.enabled:
        provenance: AttestCommandArgs = {
            "image": "",
            "predicate": "provenance",
            "include_git": security.provenance.include_git,
            "include_dockerfile": security.provenance.include_dockerfile,
            "required": security.demands("provenance"),
        }
        if security.provenance.output.local is not None:
            provenance["save"] = security.provenance.output.local
        if security.provenance.build_args:
            provenance["build_args"] = list(security.provenance.build_args)
        if security.provenance.builder_id is not None:
            provenance["builder_id"] = security.provenance.builder_id
        if build:
            provenance["build"] = recorded(build)
        attested.append(provenance)
    if security.attests_scan:
        attested.append({"image": "", "predicate": "scan", "required": security.demands("scan")})
    return attested


def _attestations(results: Sequence[StepResult]) -> dict[str, Any]:
    """Predicate type -> manifest's digest, without those that failed softly, which have no predicate type."""
    pairs = [(result.outputs.get("predicateType"), result.outputs.get("attestationDigest", "")) for result in results]
    return {str(kind): digest for kind, digest in pairs if kind}


def _scan_run(scan: ScanCommand, policy: Scan) -> pulumi.Output[str]:
    """What tells the facts that are attested from the last ones: the scan's run, and which scanners look."""
    tools = tuple(tool.name for tool in policy.running)
    others = "" if tools == DEFAULT_TOOLS else f" {', '.join(tools)}"
    return scan.step.attempt.apply(lambda number: f"{number}{others}")


def _warnings(results: Sequence[StepResult]) -> list[str]:
    """Each warning once, in the steps' order."""
    return list(dict.fromkeys(warning for result in results for warning in result.warnings))


def _status(results: Sequence[StepResult]) -> str:
    if not results:
        return "unsecured"
    return "degraded" if any(result.status == "soft_failed" for result in results) else "secured"


def _security(given: SecuredImageArgs, host: Host | None) -> Security:
    """The policy, from where the arguments say it is. None at all means off.

    Raises:
        InvalidArgs: two sources, a file that won't do, or a policy that this version can't carry out.
    """
    security = policy_of("SecuredImage", given) or Security(enabled=False)
    if security.enabled:
        parts = {"sbom": security.sbom, "scan": security.scan, "provenance": security.provenance}
        kept = [(f"security.{name}.output.local", part.output.local) for name, part in parts.items() if part.enabled]
        unshared("SecuredImage", kept)
    if security.enabled and security.scan.enabled:
        scanning("SecuredImage", security.scan, "security.scan.", host)
    if security.enabled and security.signing.enabled:
        signer_words("SecuredImage", _signer(security.signing), "security.signing.")
        portable_key("SecuredImage", f"{_VERIFY}.key", security.signing.verify.key or "", project_root())
        if security.signing.verifies:
            verify_args("SecuredImage", security, _VERIFY)
        args = given.get("build", {}).get("args", {})
        build_arg_words("SecuredImage", args, security.provenance.build_args, "security.provenance.")
    return security


def _check_execution(host: Host | None, security: Security, build: BuildArgs | None) -> None:
    """Refuses a build host that can't run the policy's steps.

    Raises:
        InvalidArgs: it hasn't got what the policy names.
    """
    named: list[tuple[str, str]] = []
    if security.enabled and security.scan.enabled:
        named += named_files(security.scan.model_dump(), "security.scan.")
    if security.enabled and security.signing.enabled:
        named += named_files(security.signing.model_dump(), "security.signing.")
        named += named_files(security.signing.verify.model_dump(), f"{_VERIFY}.") if security.signing.verifies else []
        if security.provenance.enabled:
            provenance = security.provenance.model_dump()
            require_provenance("SecuredImage", host, provenance, build, "security.provenance.")
    require_files("SecuredImage", host, named)


def _build(given: SecuredImageArgs) -> BuildArgs | None:
    """How to build, with paths relative to the project; None where an image is given.

    Raises:
        InvalidArgs: neither or both of `build` and `image_ref`, no `image_name`, or what `checked_build` refuses.
    """
    build = given.get("build")
    if "image_ref" in given:
        given_too = [key for key in ("build", "image_name", "image_aliases") if key in given]
        if given_too:
            raise InvalidArgs("SecuredImage", [(given_too[0], "excludes image_ref, an image that exists")])
        return None
    if build is None:
        raise InvalidArgs(
            "SecuredImage", [("build", "missing: say how to build, or give an image that exists as image_ref")]
        )
    if not given.get("image_name"):
        raise InvalidArgs("SecuredImage", [("image_name", "missing: where to push the image, as repository:tag")])
    checked = checked_build("SecuredImage", build)
    installed("SecuredImage", checked)
    return checked


def _aliases(given: SecuredImageArgs) -> list[str | pulumi.Alias]:
    """What the image was called before: a name is that of a resource of the stack's own, without a component around it.

    Raises:
        InvalidArgs: an empty name, or the URN of something else than a `docker.Image`.
    """
    aliases: list[str | pulumi.Alias] = []
    for index, old in enumerate(given.get("image_aliases", [])):
        if not old or (old.startswith("urn:") and not _URN_OF_AN_IMAGE.match(old)):
            reason = "the name or the URN of a docker.Image of this stack; `pulumi stack --show-urns` lists them"
            raise InvalidArgs("SecuredImage", [(f"image_aliases[{index}]", f"expected: {reason}")])
        # An alias that says no parent would get this resource's own.
        root = pulumi.ROOT_STACK_RESOURCE
        aliases.append(old if old.startswith("urn:") else pulumi.Alias(name=old, parent=root))
    return aliases
