"""`ScanCommand`: looks for known vulnerabilities in the image's catalogue, and closes the gate by policy."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pulumi

from sc_secure.components._execution import Host, checked_execution, named_files, require_files
from sc_secure.components._held import held
from sc_secure.components._launcher import project_root
from sc_secure.components._memory import Reason, older_than
from sc_secure.components._outputs import Component, joined
from sc_secure.components._step import Step, checked_timeout, failure_words, number, saved_words
from sc_secure.components._validate import InvalidArgs, digest_reference, policy_checked, portable_path, validated
from sc_secure.components.args import ScanCommandArgs
from sc_secure.policy.age import parse_age
from sc_secure.policy.ignore import IgnoreRules
from sc_secure.policy.security import DEFAULT_TOOLS, Scan

SUMMARY = ("critical", "high", "medium", "low", "negligible", "unknown", "ignored", "verdict", "databaseBuilt")
"""What of a scan's outputs is the summary."""

_POLICY = (
    "fail_on",
    "warn_on",
    "tools",
    "only_fixed",
    "ignore",
    "vex",
    "kev",
    "epss_above",
    "max_database_age",
    "rescan_after",
)
"""The arguments that are the policy's: each is called as in the `scan` section."""


@dataclass(frozen=True)
class Scanning:
    """A scan's policy, as the words of its command, and what decides a re-run without being one of them."""

    words: tuple[str, ...]
    reruns_on: dict[str, str]
    again: list[Reason]
    """When an old scan is made anew, which the command doesn't say."""


def scanning(component: str, scan: Scan, prefix: str = "", host: Host | None = None) -> Scanning:
    """What a policy asks of a scan: one flag a policy item. Its VEX documents are read, so that a bad one is told now.

    Args:
        component: whose arguments they are.
        scan: the policy.
        prefix: the path of the policy, with its dot; empty for `ScanCommand`'s own arguments.
        host: where the scan runs; None: here. Its VEX documents are its own: one that isn't here too is read there.

    Raises:
        InvalidArgs: a VEX document that won't do.
    """
    words = ["--fail-on", scan.effective_fail_on]
    words += ["--warn-on", scan.effective_warn_on] if scan.effective_warn_on else []
    words += _tools(scan)
    words += ["--only-fixed"] if scan.only_fixed else []
    words += ["--kev"] if scan.kev else []
    words += ["--epss-above", number(scan.epss_above)] if scan.epss_above is not None else []
    words += ["--max-database-age", scan.max_database_age] if scan.max_database_age is not None else []
    for rule in scan.ignore:
        words += ["--ignore", rule.flag]
    documents: list[str] = []
    for index, path in enumerate(scan.vex):
        portable, sha256 = _vex(component, f"{prefix}vex[{index}]", path, host)
        words += ["--vex", portable]
        documents.append(f"{portable} {sha256}")
    expired = [f"{rule.what} ({rule.expires})" for rule in IgnoreRules(scan.ignore, _today()).expired()]
    # Neither is a flag: a document's content isn't readable in one, and a rule stays as it is when its day comes.
    inputs = {"SC_SECURE_VEX": ", ".join(documents), "SC_SECURE_EXPIRED": ", ".join(expired)}
    again = [older_than(parse_age(scan.rescan_after))] if scan.rescan_after is not None else []
    return Scanning(tuple(words), {name: value for name, value in inputs.items() if value}, again)


def scan_args(scan: Scan, image: pulumi.Input[str], timeout_seconds: int) -> ScanCommandArgs:
    """The arguments of the `ScanCommand` that follows a policy: only what the policy says."""
    said = scan.model_dump(include=set[str](_POLICY) & scan.model_fields_set, exclude_unset=True)
    args: dict[str, Any] = {**said, "fail_on": scan.effective_fail_on, "warn_on": scan.effective_warn_on}
    args["required"], args["save"] = scan.required, scan.output.local
    return cast(ScanCommandArgs, {"image": image, **args, "timeout_seconds": timeout_seconds})


def _tools(scan: Scan) -> list[str]:
    """The scanners and their own thresholds; nothing for grype alone, which is what a scan is done with."""
    words: list[str] = []
    names = tuple(tool.name for tool in scan.running)
    if names == DEFAULT_TOOLS:
        return words
    for tool in scan.running:
        words += ["--tool", tool.name]
        words += ["--tool-optional", tool.name] if not tool.required else []
        if len(names) > 1:
            words += ["--tool-fail-on", f"{tool.name}={tool.fail_on}"] if tool.fail_on else []
            words += ["--tool-warn-on", f"{tool.name}={tool.warn_on}"] if tool.warn_on else []
    return words


def _vex(component: str, where: str, path: str, host: Host | None) -> tuple[str, str]:
    """A VEX document's path as it stands in the command, and its SHA-256; empty: it is on the build host alone.

    Raises:
        InvalidArgs: it can't be read, or isn't an OpenVEX document.
    """
    from sc_secure.policy.openvex import parse_document, read_content  # noqa: PLC0415 - models that few programs need

    root = project_root()
    portable = portable_path(component, where, path, root)
    try:
        content = read_content(Path(root, portable))
        parse_document(content)
    except OSError as error:
        if host is not None:
            return portable, ""
        raise InvalidArgs(component, [(where, f"{portable}: {error.strerror}")]) from None
    except ValueError as error:
        raise InvalidArgs(component, [(where, f"{portable}: {error}")]) from None
    return portable, hashlib.sha256(content).hexdigest()


def _today() -> date:
    return datetime.now(UTC).date()


class ScanCommand(Component):
    """Scans an image for known vulnerabilities. Findings that the policy forbids fail it, and all that waits for it."""

    passed_ref: pulumi.Output[str]
    """The image, once this step has passed: the input of the steps that wait for it."""
    status: pulumi.Output[str]
    """passed, reused or soft_failed."""
    scan_summary: pulumi.Output[dict[str, Any]]
    """How many findings of each severity, the verdict, and when the vulnerability database was built."""

    def __init__(self, name: str, args: ScanCommandArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = validated("ScanCommand", ScanCommandArgs, args)
        host = checked_execution("ScanCommand", given)
        require_files("ScanCommand", host, named_files(given))
        wanted = {key: value for key, value in given.items() if key in _POLICY}
        what = scanning("ScanCommand", policy_checked("ScanCommand", "scan", wanted, {}), host=host)
        timeout = checked_timeout("ScanCommand", given.get("timeout_seconds"), 600)
        saved, failure = saved_words("ScanCommand", given), failure_words("ScanCommand", given)
        image = digest_reference("ScanCommand", "image", given["image"])
        credentials = held("ScanCommand", name, given, opts)
        super().__init__("sc-secure:index:ScanCommand", name, {}, opts)
        words = ["image", "scan", *what.words, *saved, *timeout.words, *failure]
        self.step = Step(
            name,
            image,
            words,
            parent=self,
            timeout=timeout,
            opts=opts,
            reruns_on=what.reruns_on,
            again=what.again,
            held=credentials,
            host=host,
        )
        self.publish({**self.step.outputs(), "scan_summary": self._summary})

    def _summary(self) -> pulumi.Output[dict[str, Any]]:
        return joined([self.step.result], lambda got: {key: got[0].outputs.get(key, "") for key in SUMMARY})
