"""Reads a stack's state, as `pulumi stack export` prints it: the results that the steps' commands left there.

No Pulumi is needed. A step is known by its resource's type and its command's words, whoever declared it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sc_secure.report.building import signer_of, step_of
from sc_secure.report.commands import COMMANDS, words_of
from sc_secure.report.document import Signer, Step, Verdict
from sc_secure.steps.result import StepResult

_IMAGE = "sc-secure:index:SecuredImage"
_STEPS = {
    ("sbom", "generate"): "sbom",
    ("image", "scan"): "scan",
    ("image", "sign"): "sign",
    ("sbom", "attach"): "attest-sbom",
    ("provenance", "attach"): "attest-provenance",
    ("scan", "attach"): "attest-scan",
    ("image", "verify"): "verify",
}
"""A command's group and verb -> the step's name."""
_ORDER = list(_STEPS.values())


@dataclass(frozen=True)
class Recorded:
    """What a stack's state holds of one image."""

    subject: str
    steps: tuple[Step, ...]
    verdict: Verdict
    signer: Signer | None


@dataclass(frozen=True)
class _Command:
    """A step's command that left a result."""

    urn: str
    name: str
    words: tuple[str, ...]
    needs: frozenset[str]
    """URNs of the resources that it depends on."""
    result: StepResult


def images(state: object) -> list[Recorded]:
    """The images that the state holds steps' results of, in its order.

    Args:
        state: the parsed JSON.

    Raises:
        ValueError: it isn't a stack's state.
    """
    resources = _resources(state)
    commands = [found for each in resources if (found := _command(each))]
    subjects = dict.fromkeys(command.result.subject for command in commands)
    return [
        _recorded(subject, [each for each in commands if each.result.subject == subject], _said(resources, subject))
        for subject in subjects
    ]


def _resources(state: object) -> list[Mapping[str, Any]]:
    deployment = cast("Mapping[str, Any]", state).get("deployment") if isinstance(state, dict) else None
    resources = cast("Mapping[str, Any]", deployment).get("resources", []) if isinstance(deployment, dict) else None
    if not isinstance(resources, list):
        raise ValueError("not a stack's state: `pulumi stack export` prints one")  # noqa: TRY004 - of the content
    # What is waiting for its deletion has been replaced.
    each = cast("list[object]", resources)
    found = [cast("Mapping[str, Any]", one) for one in each if isinstance(one, dict)]
    return [one for one in found if one.get("delete") is not True]


def _command(resource: Mapping[str, Any]) -> _Command | None:
    """The step that a resource is; None: it is something else, or has left no result."""
    outputs, inputs = resource.get("outputs"), resource.get("inputs")
    if resource.get("type") not in COMMANDS or not isinstance(outputs, dict) or not isinstance(inputs, dict):
        return None
    stdout = cast("dict[str, Any]", outputs).get("stdout")
    if not isinstance(stdout, str):
        return None
    words = words_of(cast("dict[str, Any]", inputs))
    try:
        result = StepResult.from_line(stdout)
    except ValueError:
        return None
    name = _STEPS.get((words[1], words[2])) if len(words) > 2 else None  # noqa: PLR2004
    if name is None:
        return None
    needs = cast("list[object]", resource.get("dependencies") or [])
    return _Command(str(resource.get("urn")), name, tuple(words), frozenset(map(str, needs)), result)


def _said(resources: Iterable[Mapping[str, Any]], subject: str) -> Verdict:
    """What the image's own component says of it; without one, nobody says which steps there should be."""
    for resource in resources:
        outputs = resource.get("outputs")
        if resource.get("type") == _IMAGE and isinstance(outputs, dict):
            said = cast("dict[str, Any]", outputs)
            if said.get("deployableRef") == subject and said.get("status") in ("secured", "degraded"):
                return "secured" if said["status"] == "secured" else "degraded"
    return "incomplete"


def _recorded(subject: str, commands: list[_Command], verdict: Verdict) -> Recorded:
    # A service verifies for itself, after all else: then there are two of a name.
    # A service verifies for itself, after all else: then there are two of a name.
    urns = {each.urn for each in commands}
    ordered = sorted(commands, key=lambda each: (_ORDER.index(each.name), len(each.needs & urns), each.urn))
    names: dict[str, str] = {}
    for command in ordered:
        own = command.urn.rpartition("::")[2]
        names[command.urn] = f"{command.name} ({own})" if command.name in names.values() else command.name
    needs = {each.urn: {need for need in each.needs if need in names} for each in ordered}
    steps = tuple(
        step_of(names[each.urn], [names[urn] for urn in names if urn in _direct(each.urn, needs)], each.result)
        for each in ordered
    )
    return Recorded(subject, steps, verdict, _signer(ordered))


def _direct(urn: str, needs: Mapping[str, set[str]]) -> set[str]:
    """What it waits for without another one between: the engine records all that came before."""
    between = {far for near in needs[urn] for far in needs.get(near, set())}
    return needs[urn] - between


def _signer(commands: Iterable[_Command]) -> Signer | None:
    """Who must have signed, as the verifying command's flags say it, or else the signing one's."""
    by_name = {command.name: command.words for command in commands}
    signing, verifying = by_name.get("sign", ()), by_name.get("verify", ())
    words = verifying or signing
    key, regexp = _flag(words, "--key"), _flag(words, "--certificate-identity-regexp")
    if not key and not regexp:
        return None
    root, log = _flag(words, "--trusted-root"), "--transparency-log" in words
    if key:
        return signer_of(key, public=key != _flag(signing, "--key"), transparency_log=log, trusted_root=root)
    return Signer(
        identity_regexp=regexp,
        oidc_issuer=_flag(words, "--certificate-oidc-issuer"),
        transparency_log="--no-transparency-log" not in words,
        trusted_root=root,
    )


def _flag(words: tuple[str, ...], name: str) -> str:
    """A flag's value; empty where it isn't given."""
    return words[words.index(name) + 1] if name in words[:-1] else ""
