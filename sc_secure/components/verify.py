"""`VerifyCommand`: reads the signature and attestations back from the registry, and checks them."""

from typing import Any

import pulumi

from sc_secure.components._step import Step, checked_timeout, key_words
from sc_secure.components._validate import InvalidArgs, digest_reference, validated
from sc_secure.components.args import VerifyCommandArgs

ATTESTATION_TYPES = ("cyclonedx", "spdx", "syft", "slsaprovenance1", "vuln")
"""The kinds of attestation, by the names that `image verify --attestation` takes."""


class VerifyCommand(pulumi.ComponentResource):
    """Verifies an image's signature, and each attestation that is asked for, by key. What isn't verified fails it."""

    passed_ref: pulumi.Output[str]
    """The image, once this step has passed: the input of what deploys it."""
    status: pulumi.Output[str]
    """passed, reused or soft_failed."""
    verified: pulumi.Output[dict[str, Any]]
    """`signature`, and each predicate type -> the digest of the manifest that was verified."""

    def __init__(self, name: str, args: VerifyCommandArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = validated("VerifyCommand", VerifyCommandArgs, args)
        attestations = given.get("attestations", [])
        unknown = [
            (f"attestations[{index}]", f"one of {', '.join(ATTESTATION_TYPES)}")
            for index, kind in enumerate(attestations)
            if kind not in ATTESTATION_TYPES
        ]
        if unknown:
            raise InvalidArgs("VerifyCommand", unknown)
        key = key_words("VerifyCommand", given["key"], given.get("password_env"))
        timeout = checked_timeout("VerifyCommand", given.get("timeout_seconds"), 300)
        image = digest_reference("VerifyCommand", "image", given["image"])
        super().__init__("sc-secure:index:VerifyCommand", name, {}, opts)
        words = ["image", "verify", *key]
        for kind in attestations:
            words += ["--attestation", kind]
        self.step = Step(name, image, [*words, *timeout.words], parent=self, timeout=timeout, opts=opts)
        self.passed_ref = self.step.passed_ref
        self.status = self.step.status
        self.verified = self.step.output("verified", {})
        self.register_outputs({"passedRef": self.passed_ref, "status": self.status, "verified": self.verified})
