"""Makes the release document of what the steps returned, the same way for a run and for a stack's state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from sc_secure._version import __version__
from sc_secure.policy.severity import EVERY_WORD
from sc_secure.report.document import (
    Artifact,
    Attachment,
    Failure,
    Finding,
    Generator,
    Release,
    Scan,
    Scanner,
    Signer,
    Step,
    ToolUsed,
    Verdict,
)
from sc_secure.report.words import SIGNATURE
from sc_secure.steps.result import StepResult

_LOGGED = {"log_index": "rekorLogIndex", "log_id": "rekorLogId", "log_uuid": "rekorUuid", "log_url": "rekorUrl"}
_FINDING = {field.alias or name for name, field in Finding.model_fields.items()}


def step_of(name: str, needs: Sequence[str], result: StepResult) -> Step:
    """A step that returned a result."""
    return Step(
        name=name,
        kind=result.step,
        needs=list(needs),
        status=result.status,
        started_at=result.started_at,
        finished_at=result.finished_at,
        outputs=result.outputs,
        artifacts=[Artifact.model_validate(asdict(each)) for each in result.artifacts],
        warnings=result.warnings,
        tool=ToolUsed.model_validate(asdict(result.tool)) if result.tool else None,
    )


def signer_of(key: str, *, public: bool, transparency_log: bool = False, trusted_root: str = "") -> Signer:
    """The holder of a key, as `--key` names it. A key service gives out the public half itself."""
    service = key.startswith("pkcs11:") or ("://" in key and not key.startswith("env://"))
    root = trusted_root if transparency_log else ""
    return Signer(key=key, private=not public and not service, transparency_log=transparency_log, trusted_root=root)


def scan_of(document: Mapping[str, Any]) -> Scan:
    """What a scan's own document, `scan.json`, says.

    Raises:
        ValueError: it isn't one.
    """
    try:
        return Scan(
            verdict=document["verdict"],
            counts=document["counts"],
            ignored=document["ignored"],
            policy=document["policy"],
            scanners=[
                Scanner(
                    name=each["name"],
                    version=each["version"],
                    database_built=each["database"]["built"],
                    providers=each["database"]["providers"],
                )
                for each in document["scanners"]
            ],
            findings=[
                Finding.model_validate({key: value for key, value in each.items() if key in _FINDING})
                for each in document["findings"]
            ],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a scan's document: {type(error).__name__}") from None


def build(
    subject: str,
    steps: Sequence[Step],
    *,
    scan: Scan | None = None,
    failure: Failure | None = None,
    verdict: Verdict | None = None,
    signer: Signer | None = None,
    environment: str = "",
    policy: str = "",
) -> Release:
    """The document.

    Args:
        subject: the image, `repository@sha256:…`.
        steps: in their order.
        scan: what was found; without it, what the scan's step returned, which is counts alone.
        failure: what ended the chain.
        verdict: without it, as the steps say, which then are all that there are.
        signer: for those who verify by hand.
        environment: what the release is for.
        policy: where the policy came from.
    """
    ran = [step for step in steps if step.started_at and step.finished_at]
    return Release(
        subject=subject,
        verdict=verdict or _verdict(steps, failure),
        environment=environment,
        policy=policy,
        started_at=min((step.started_at for step in ran if step.started_at), default=None),
        finished_at=max((step.finished_at for step in ran if step.finished_at), default=None),
        steps=list(steps),
        scan=scan or _counted(steps),
        attachments=list(attachments(steps)),
        signer=signer,
        failure=failure,
        generator=Generator(version=__version__),
    )


def _verdict(steps: Sequence[Step], failure: Failure | None) -> Verdict:
    if failure:
        return "refused" if failure.exit_code in (3, 4) else "failed"
    if not steps:
        return "unsecured"
    return "degraded" if any(step.status == "soft_failed" for step in steps) else "secured"


def _counted(steps: Iterable[Step]) -> Scan | None:
    """What is known of a scan whose document isn't at hand."""
    for step in steps:
        said = step.outputs
        if step.kind == "scan" and "verdict" in said:
            built = str(said.get("databaseBuilt", ""))
            tools = [step.tool] if step.tool else []
            return Scan.model_validate(
                {
                    "verdict": said["verdict"],
                    "counts": {word: said.get(word, 0) for word in EVERY_WORD},
                    "ignored": said.get("ignored", 0),
                    "scanners": [
                        {"name": each.name, "version": each.version, "databaseBuilt": built} for each in tools
                    ],
                }
            )
    return None


def attachments(steps: Iterable[Step]) -> Iterator[Attachment]:
    """What the steps attached, in their order: each kind and manifest once."""
    seen: set[tuple[str, str]] = set()
    for step in steps:
        said = step.outputs
        found = {
            "sign": (SIGNATURE, said.get("signatureDigest")),
            "attest": (said.get("predicateType"), said.get("attestationDigest")),
        }.get(step.kind)
        if found and all(isinstance(part, str) and part for part in found):
            place = cast("tuple[str, str]", found)
            if place not in seen:
                seen.add(place)
                logged = {name: str(said.get(key, "")) for name, key in _LOGGED.items()}
                yield Attachment(kind=place[0], digest=place[1], **logged)
