"""`ScanCommand`: looks for known vulnerabilities in the image's catalogue, and closes the gate by policy."""

from typing import Any

import pulumi

from sc_secure.components._step import Step, checked_timeout
from sc_secure.components._validate import digest_reference, policy_checked, validated
from sc_secure.components.args import ScanCommandArgs

SUMMARY = ("critical", "high", "medium", "low", "negligible", "unknown", "ignored", "verdict", "databaseBuilt")
"""What of a scan's outputs is the summary."""


class ScanCommand(pulumi.ComponentResource):
    """Scans an image for known vulnerabilities. Findings that the policy forbids fail it, and all that waits for it."""

    passed_ref: pulumi.Output[str]
    """The image, once this step has passed: the input of the steps that wait for it."""
    status: pulumi.Output[str]
    """passed, reused or soft_failed."""
    scan_summary: pulumi.Output[dict[str, Any]]
    """How many findings of each severity, the verdict, and when the vulnerability database was built."""

    def __init__(self, name: str, args: ScanCommandArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = validated("ScanCommand", ScanCommandArgs, args)
        wanted = {key: value for key, value in given.items() if key in ("fail_on", "warn_on", "only_fixed")}
        scan = policy_checked("ScanCommand", "scan", wanted, {})
        timeout = checked_timeout("ScanCommand", given.get("timeout_seconds"), 600)
        image = digest_reference("ScanCommand", "image", given["image"])
        super().__init__("sc-secure:index:ScanCommand", name, {}, opts)
        words = ["image", "scan", "--fail-on", scan.effective_fail_on]
        if scan.effective_warn_on:
            words += ["--warn-on", scan.effective_warn_on]
        if scan.only_fixed:
            words += ["--only-fixed"]
        self.step = Step(name, image, [*words, *timeout.words], parent=self, timeout=timeout, opts=opts)
        self.passed_ref = self.step.passed_ref
        self.status = self.step.status
        self.scan_summary = self.step.result.apply(lambda result: {key: result.outputs.get(key, "") for key in SUMMARY})
        self.register_outputs(
            {"passedRef": self.passed_ref, "status": self.status, "scanSummary": self.scan_summary},
        )
