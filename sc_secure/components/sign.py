"""`SignCommand`: signs the image, and stores the signature beside it in the registry."""

import pulumi

from sc_secure.components._drift import checked_drift, gone_from_registry
from sc_secure.components._execution import checked_execution, named_files, require_files
from sc_secure.components._held import held
from sc_secure.components._outputs import Component
from sc_secure.components._signer import signer_words
from sc_secure.components._step import Step, checked_timeout, failure_words
from sc_secure.components._validate import digest_reference, validated
from sc_secure.components.args import SignCommandArgs


class SignCommand(Component):
    """Signs an image, with a key or as the identity of the CI job.

    Signing again what is signed adds nothing; destroying it leaves the signature.
    """

    passed_ref: pulumi.Output[str]
    """The image, once this step has passed: the input of the steps that wait for it."""
    status: pulumi.Output[str]
    """passed, reused or soft_failed."""
    signature_digest: pulumi.Output[str]
    """The digest of the signature's manifest in the registry."""
    rekor_uuid: pulumi.Output[str]
    """The transparency-log entry's UUID; empty without a log, and for a Rekor 2, which has none."""
    rekor_log_index: pulumi.Output[str]
    """The transparency-log entry's index; empty without a log."""
    rekor_log_id: pulumi.Output[str]
    """The transparency log's own name, in hexadecimal; empty without a log."""

    def __init__(self, name: str, args: SignCommandArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = validated("SignCommand", SignCommandArgs, args)
        signer = signer_words("SignCommand", given)
        timeout = checked_timeout("SignCommand", given.get("timeout_seconds"), 300)
        drift = checked_drift("SignCommand", given.get("drift"), "heal")
        failure = failure_words("SignCommand", given)
        host = checked_execution("SignCommand", given)
        require_files("SignCommand", host, named_files(given))
        image = digest_reference("SignCommand", "image", given["image"])
        credentials = held("SignCommand", name, given, opts)
        super().__init__("sc-secure:index:SignCommand", name, {}, opts)
        words = ["image", "sign", *signer.words, *timeout.words, *failure]
        again = gone_from_registry(self, drift, credentials)
        self.step = Step(
            name,
            image,
            words,
            parent=self,
            timeout=timeout,
            opts=opts,
            files=signer.files,
            again=again,
            held=credentials,
            host=host,
        )
        own = {"signature_digest": "signatureDigest", "rekor_uuid": "rekorUuid", "rekor_log_index": "rekorLogIndex"}
        self.publish(self.step.outputs(**own, rekor_log_id="rekorLogId"))
