"""`SbomCommand`: reads the image once and writes its catalogue, which the scan then reads."""

import pulumi

from sc_secure.components._execution import checked_execution
from sc_secure.components._held import held
from sc_secure.components._outputs import Component
from sc_secure.components._step import Step, checked_timeout, failure_words, saved_words
from sc_secure.components._validate import digest_reference, policy_checked, validated
from sc_secure.components.args import SbomCommandArgs


class SbomCommand(Component):
    """Catalogues an image: its software bill of materials, as a file under `.sc/artifacts/`. Changes no registry."""

    passed_ref: pulumi.Output[str]
    """The image, once this step has passed: the input of the steps that wait for it."""
    status: pulumi.Output[str]
    """passed, reused or soft_failed."""
    sbom_path: pulumi.Output[str]
    """The SBOM's path, relative to the project."""
    sbom_sha256: pulumi.Output[str]
    """The SBOM's SHA-256, in hexadecimal."""

    def __init__(self, name: str, args: SbomCommandArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = validated("SbomCommand", SbomCommandArgs, args)
        sbom = policy_checked("SbomCommand", "sbom", {"format": given.get("format", "cyclonedx-json")}, {})
        timeout = checked_timeout("SbomCommand", given.get("timeout_seconds"), 600)
        saved, failure = saved_words("SbomCommand", given), failure_words("SbomCommand", given)
        host = checked_execution("SbomCommand", given)
        image = digest_reference("SbomCommand", "image", given["image"])
        credentials = held("SbomCommand", name, given, opts)
        super().__init__("sc-secure:index:SbomCommand", name, {}, opts)
        words = ["sbom", "generate", "--format", sbom.format, *saved, *timeout.words, *failure]
        self.step = Step(name, image, words, parent=self, timeout=timeout, opts=opts, held=credentials, host=host)
        self.publish(self.step.outputs(sbom_path="path", sbom_sha256="sha256"))
