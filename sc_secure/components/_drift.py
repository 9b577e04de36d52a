"""What an update attached and the registry has no longer: seen in the next preview, and done again by the next update.

One look at all images that the last update recorded, through the command plugin, since a program does no input and
output of its own; another for each login that the program itself holds, at what needed one. It reads, within
`_SECONDS`; a registry that doesn't answer changes nothing.
"""

import hashlib
import json
import shlex
from collections.abc import Mapping
from typing import Any, cast

import pulumi
from pulumi_command import local

from sc_secure.components._held import FOLDER, HELD, Held
from sc_secure.components._launcher import LAUNCHER, project_root
from sc_secure.components._memory import Reason, begin, once, recorded_results
from sc_secure.components._validate import InvalidArgs
from sc_secure.steps.result import StepResult

MODES = ("heal", "warn", "off")
_AMBIENT = "attached, by the logins of this machine"
_SECONDS = 5
_AT_ONCE = 500
"""Images in one command line: the kernel takes 128 KiB."""
_Row = Mapping[str, Any]
"""What `image status` prints of one image: `attached`, which is None where it isn't known, and then the `reason`."""


def checked_drift(component: str, given: str | None, default: str, prefix: str = "") -> str:
    """The argument `drift`.

    Raises:
        InvalidArgs: it is none of `MODES`.
    """
    if given is not None and given not in MODES:
        raise InvalidArgs(component, [(f"{prefix}drift", f"one of {', '.join(MODES)}")])
    return default if given is None else given


def gone_from_registry(parent: pulumi.Resource, mode: str, held: Held | None) -> list[Reason]:
    """The reason to do a step again whose signature or attestation isn't in the registry any more.

    Args:
        parent: the step's component.
        mode: `heal`; `warn`: said, and not done again; `off`: not even looked at.
        held: the registry's credentials, where the program itself holds them.
    """
    if mode == "off":
        return []

    async def reason(result: StepResult) -> str:
        there = await _attached(parent, result.subject, held)
        gone = [what for what, digest in _digests(result).items() if there is not None and digest not in there]
        if not gone:
            return ""
        text = f"gone from the registry: {', '.join(gone)}"
        if mode == "heal":
            return text
        pulumi.log.warn(f"{text} (drift: warn)", parent)
        return ""

    if held is None:
        # The answer is needed when the steps before this one are known: by then it is there.
        begin(_AMBIENT, lambda: _ask(parent, None))
    return [reason]


def _digests(result: StepResult) -> dict[str, str]:
    """What the step attached, or verified: its name -> the digest of its manifest."""
    outputs = result.outputs
    kind = str(outputs.get("predicateType", "attestation"))
    named = {"signature": outputs.get("signatureDigest"), kind: outputs.get("attestationDigest")}
    verified = outputs.get("verified")
    named |= verified if isinstance(verified, dict) else {}
    return {what: digest for what, digest in named.items() if isinstance(digest, str) and digest}


async def _attached(parent: pulumi.Resource, subject: str, held: Held | None) -> frozenset[str] | None:
    """The digests that the image's registry lists now; None: it isn't known, which is said once."""
    try:
        content = await held.content() if held else ""
    except Exception:  # the credentials' own error is told where it belongs
        content = None
    if content is None:
        await _say_unknown("held", parent, "the registry's credentials aren't known yet")
        return None
    # Components that hold the same login share a look.
    look = f"attached, by {hashlib.sha256(content.encode()).hexdigest()}" if held else _AMBIENT
    rows = await once(look, lambda: _ask(parent, held))
    row = rows.get(subject, {})
    if row.get("attached") is not None:
        return frozenset(each["digest"] for each in row["attached"])
    if row:
        # Among what is held for one registry are images that only another login may read: each asks for its own.
        unknown = [row] if held else [each for each in rows.values() if each.get("attached") is None]
        await _say_unknown(look, parent, "; ".join(sorted({str(each.get("reason")) for each in unknown})))
    return None


async def _ask(parent: pulumi.Resource, held: Held | None) -> dict[str, _Row]:
    """Each image that the last update attached something to, and that is asked for in this way -> what is known."""
    recorded = [
        (each.subject, text)
        for each, text in await recorded_results()
        if each.step in ("sign", "attest") and _digests(each)
    ]
    subjects = sorted({subject for subject, text in recorded if (f" {HELD} {FOLDER}/" in text) == bool(held)})
    if held:
        subjects = [subject for subject in subjects if await held.is_for(subject)]
    rows: list[_Row] = []
    try:
        if held and subjects:
            await held.written(project_root())
        for start in range(0, len(subjects), _AT_ONCE):
            rows += await _look(parent, held, subjects[start : start + _AT_ONCE])
    except Exception as error:  # whatever it is, a preview doesn't fail over it
        await _say_unknown("failed", parent, type(error).__name__)
    return {str(row["subject"]): row for row in rows}


async def _look(parent: pulumi.Resource, held: Held | None, subjects: list[str]) -> list[_Row]:
    images = [word for subject in subjects for word in ("--image", subject)]
    words = [LAUNCHER, "image", "status", *images, *([HELD, held.path] if held else [])]
    words += ["--best-effort", "--timeout", str(_SECONDS), "--output", "json"]
    # A command that fails would fail the program, whatever is caught here.
    command = f"{shlex.join(words)} || printf '{{\"failed\": %d}}' $?"
    done = await local.run_output(
        command=command, logging=local.Logging.NONE, opts=pulumi.InvokeOutputOptions(parent=parent)
    ).future()
    document: dict[str, Any] = json.loads(cast(local.RunResult, done).stdout)
    if "images" not in document:
        await _say_unknown("failed", parent, f"`sc-secure image status` failed with exit code {document.get('failed')}")
    return cast(list[_Row], document.get("images", []))


async def _say_unknown(look: str, parent: pulumi.Resource, reason: str) -> None:
    """Says it once for everything that is looked at in one way."""

    async def say() -> None:
        pulumi.log.info(f"what is still attached isn't known, so nothing is done again for it: {reason}", parent)

    await once(f"unknown {look}", say)
