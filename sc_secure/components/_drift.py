"""What an update attached and the registry has no longer: seen in the next preview, and done again by the next update.

One look at all images that the last update recorded, through the command plugin, since a program does no input and
output of its own. It reads, within `_SECONDS`; a registry that doesn't answer changes nothing.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Any, cast

import pulumi
from pulumi_command import local

from sc_secure.components._launcher import LAUNCHER
from sc_secure.components._memory import Reason, begin, once, recorded_results
from sc_secure.components._validate import InvalidArgs
from sc_secure.steps.result import StepResult

MODES = ("heal", "warn", "off")
_ATTACHED = "attached"
_SECONDS = 5
_AT_ONCE = 500
"""Images in one command line: the kernel takes 128 KiB."""


def checked_drift(component: str, given: str | None, default: str, prefix: str = "") -> str:
    """The argument `drift`.

    Raises:
        InvalidArgs: it is none of `MODES`.
    """
    if given is not None and given not in MODES:
        raise InvalidArgs(component, [(f"{prefix}drift", f"one of {', '.join(MODES)}")])
    return default if given is None else given


def gone_from_registry(parent: pulumi.Resource, mode: str) -> list[Reason]:
    """The reason to do a step again whose signature or attestation isn't in the registry any more.

    Args:
        parent: the step's component.
        mode: `heal`; `warn`: said, and not done again; `off`: not even looked at.
    """
    if mode == "off":
        return []

    async def look() -> Mapping[str, frozenset[str]]:
        return await _attached(parent)

    async def reason(result: StepResult) -> str:
        there = (await once(_ATTACHED, look)).get(result.subject)
        gone = [what for what, digest in _digests(result).items() if there is not None and digest not in there]
        if not gone:
            return ""
        text = f"gone from the registry: {', '.join(gone)}"
        if mode == "heal":
            return text
        pulumi.log.warn(f"{text} (drift: warn)", parent)
        return ""

    # The answer is needed when the steps before this one are known: by then it is there.
    begin(_ATTACHED, look)
    return [reason]


def _digests(result: StepResult) -> dict[str, str]:
    """What the step attached, or verified: its name -> the digest of its manifest."""
    outputs = result.outputs
    kind = str(outputs.get("predicateType", "attestation"))
    named = {"signature": outputs.get("signatureDigest"), kind: outputs.get("attestationDigest")}
    verified = outputs.get("verified")
    named |= verified if isinstance(verified, dict) else {}
    return {what: digest for what, digest in named.items() if isinstance(digest, str) and digest}


async def _attached(parent: pulumi.Resource) -> Mapping[str, frozenset[str]]:
    """Each image that the last update attached something to -> the digests that its registry lists now."""
    results = await recorded_results()
    subjects = sorted({result.subject for result in results if result.step in ("sign", "attest") and _digests(result)})
    rows: list[dict[str, Any]] = []
    for start in range(0, len(subjects), _AT_ONCE):
        rows += await _look(parent, subjects[start : start + _AT_ONCE])
    unknown = sorted({str(row.get("reason")) for row in rows if row.get("attached") is None})
    if unknown:
        _say_unknown(parent, "; ".join(unknown))
    known = [row for row in rows if row.get("attached") is not None]
    return {row["subject"]: frozenset(each["digest"] for each in row["attached"]) for row in known}


async def _look(parent: pulumi.Resource, subjects: list[str]) -> list[dict[str, Any]]:
    images = [word for subject in subjects for word in ("--image", subject)]
    words = [LAUNCHER, "image", "status", *images, "--best-effort", "--timeout", str(_SECONDS), "--output", "json"]
    try:
        done = await local.run_output(
            command=shlex.join(words),
            logging=local.Logging.NONE,
            opts=pulumi.InvokeOutputOptions(parent=parent),
        ).future()
        document = json.loads(cast(local.RunResult, done).stdout)
        return cast(list[dict[str, Any]], document["images"])
    except Exception as error:  # whatever it is, a preview doesn't fail over it
        _say_unknown(parent, type(error).__name__)
        return []


def _say_unknown(parent: pulumi.Resource, reason: str) -> None:
    pulumi.log.info(f"what is still attached isn't known, so nothing is done again for it: {reason}", parent)
