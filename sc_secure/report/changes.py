"""What an update would change of the security: of the policy, and of the steps. As Markdown for a pull request, and as
a document for machines.

Read from what `pulumi preview --json` prints, without Pulumi. A step is known by its component or its command's words.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict, cast

from sc_secure.report.commands import COMMANDS, variables_of, words_of
from sc_secure.report.gfm import code, plain, table
from sc_secure.report.words import counted

MARKER: Final = "<!-- sc-secure:changes -->"
"""By which a bot finds its own comment again, to write it anew."""
Leaves = Mapping[str, str]
"""A policy's values: path → text."""
_COMPONENTS: Final = ("pulumi:", "sc-secure:")
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Pulumi's word for a string that only the update will know (`UnknownStringValue` in sdk/go/common/resource/plugin)."""
_PARTS_OF_A_REPLACEMENT: Final = ("create-replacement", "delete-replaced", "discard-replaced")
_ATTEMPT: Final = "SC_SECURE_ATTEMPT"
_SHOWN: Final = 40
"""Rows in each table: a comment has at most 65,536 characters."""


class PolicyChange(TypedDict):
    """A value of the policy that changes."""

    path: str
    """The key, without `security`."""
    before: str | None
    """As JSON; null: no file says it."""
    after: str | None
    """As JSON; null: no file says it any more."""


class FlagChange(TypedDict):
    """A flag of a step's command that changes."""

    flag: str
    before: list[str]
    """The values that go; an empty text is a flag without one."""
    after: list[str]
    """The values that come."""


class StepChange(TypedDict):
    """A step that would run, change or be removed."""

    name: str
    operation: str
    """Pulumi's word, as `create` or `update`."""
    command: str
    """What the step does, as `image scan`; empty: only the update will know."""
    flags: list[FlagChange]
    environment: list[str]
    """Variables that decide a re-run, and change; the values are counters and hashes."""


class OtherChange(TypedDict):
    """Another resource that would change."""

    name: str
    operation: str
    """Pulumi's word, as `create` or `update`."""
    type: str
    """The resource's type token."""


class ChangesDocument(TypedDict):
    """What a preview would change: the result of `changes`."""

    policy: list[PolicyChange]
    """Empty where the policy's files weren't given."""
    steps: list[StepChange]
    others: list[OtherChange]


@dataclass(frozen=True)
class _Change:
    """A resource that an update would change."""

    operation: str
    kind: str
    name: str
    is_step: bool
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    """Its inputs; empty where there are none."""


def write(preview: object, before: Leaves | None = None, after: Leaves | None = None) -> str:
    """The comment.

    Args:
        preview: the parsed JSON of `pulumi preview --json`.
        before: the policy as it is; None: it isn't compared.
        after: the policy as it would be.

    Raises:
        ValueError: it isn't a preview's JSON.
    """
    changes = list(_changes(preview))
    steps, others = [each for each in changes if each.is_step], [each for each in changes if not each.is_step]
    policy = list(_policy(before or {}, after or {}))
    parts = [
        MARKER,
        f"## Security: {_headline(len(policy), len(steps))}",
        *_section("Policy", ["", "before", "after"], [_policy_row(each) for each in policy]),
        *_section("Steps", ["step", "", "what changes"], [_row(step) for step in steps]),
        *_section(
            "Everything else",
            ["resource", "", "type"],
            [[code(o.name), plain(o.operation), code(o.kind)] for o in others],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def document(preview: object, before: Leaves | None = None, after: Leaves | None = None) -> ChangesDocument:
    """The same for machines, and whole. Arguments and errors: see `write`."""
    changes = list(_changes(preview))
    return {
        "policy": list(_policy(before or {}, after or {})),
        "steps": [_step(each) for each in changes if each.is_step],
        "others": [
            {"name": each.name, "operation": each.operation, "type": each.kind} for each in changes if not each.is_step
        ],
    }


def _step(step: _Change) -> StepChange:
    updated = step.before and step.after
    return {
        "name": step.name,
        "operation": step.operation,
        "command": shlex.join((words_of(step.after) or words_of(step.before))[1:3]),
        "flags": list(_flags(words_of(step.before), words_of(step.after))) if updated and not _to_build(step) else [],
        "environment": list(_environment(variables_of(step.before), variables_of(step.after))) if updated else [],
    }


def _headline(policy: int, steps: int) -> str:
    said = [f"{counted(policy, 'value')} of the policy changed"] if policy else []
    said += [f"{counted(steps, 'step')} to run, change or remove"] if steps else []
    return ", ".join(said) or "nothing changes"


def _section(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        more = f"\n\n{len(rows) - _SHOWN} more are in the preview." if len(rows) > _SHOWN else ""
        yield f"### {title}"
        yield table(heads, rows[:_SHOWN]) + more


def _policy(before: Leaves, after: Leaves) -> Iterator[PolicyChange]:
    for path in dict.fromkeys([*before, *after]):
        was, will = before.get(path), after.get(path)
        if was != will:
            yield {"path": path, "before": was, "after": will}


def _policy_row(change: PolicyChange) -> list[str]:
    return [code(change["path"]), *("" if said is None else code(said) for said in (change["before"], change["after"]))]


def _changes(preview: object) -> Iterator[_Change]:
    found = cast("Mapping[str, Any]", preview).get("steps", []) if isinstance(preview, dict) else None
    if not isinstance(found, list):
        raise ValueError("not a preview: `pulumi preview --json` prints one")  # noqa: TRY004 - of the content
    for step in cast("list[object]", found):
        if isinstance(step, dict):
            change = _change(cast("Mapping[str, Any]", step))
            if change:
                yield change


def _change(step: Mapping[str, Any]) -> _Change | None:
    """What a step of the engine's plan changes; None: nothing, or nothing outside of Pulumi."""
    operation, urn = str(step.get("op")), str(step.get("urn"))
    types, _, name = urn.split("::", 2)[-1].rpartition("::")
    kind = types.rpartition("$")[2]
    if operation == "same" or operation in _PARTS_OF_A_REPLACEMENT or kind.startswith(_COMPONENTS):
        return None
    before, after = _inputs(step.get("oldState")), _inputs(step.get("newState"))
    ours = "sc-secure:index:" in types or any(len(words_of(each)) > 0 for each in (before, after))
    return _Change(operation, kind, name, kind in COMMANDS and ours, before, after)


def _inputs(state: object) -> Mapping[str, Any]:
    inputs = cast("Mapping[str, Any]", state).get("inputs") if isinstance(state, dict) else None
    return cast("Mapping[str, Any]", inputs) if isinstance(inputs, dict) else {}


def _row(step: _Change) -> list[str]:
    return [code(step.name), plain(step.operation), "<br>".join(_what(step))]


def _what(step: _Change) -> Iterator[str]:
    """What changes in a step's command, each item on a line of its own."""
    if _to_build(step):
        yield "an image that is still to be built"
    elif step.before and step.after:
        yield from map(_flag, _flags(words_of(step.before), words_of(step.after)))
    elif words := words_of(step.after):
        yield code(shlex.join(words[1:3]))
    for name in _environment(variables_of(step.before), variables_of(step.after)) if step.before and step.after else ():
        yield "runs again" if name == _ATTEMPT else f"{code(name)} changed"


def _to_build(step: _Change) -> bool:
    return step.after.get("create") == _UNKNOWN


def _flags(before: Sequence[str], after: Sequence[str]) -> Iterator[FlagChange]:
    was, will = Counter(_pairs(before)), Counter(_pairs(after))
    gone, new = list((was - will).elements()), list((will - was).elements())
    for flag in dict.fromkeys(flag for flag, _ in (*gone, *new)):
        old, now = ([value for name, value in found if name == flag] for found in (gone, new))
        yield {"flag": flag, "before": old, "after": now}


def _flag(change: FlagChange) -> str:
    flag = change["flag"]
    old, now = (", ".join(value or flag for value in values) for values in (change["before"], change["after"]))
    if flag == "--image":
        return "another image"
    if old and now:
        return f"{code(f'{flag} {old}')} → {code(now)}"
    said = flag if (old or now) == flag else f"{flag} {old or now}"
    return f"{'no more' if old else 'new:'} {code(said)}"


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each flag with its value; empty: it has none."""
    for index, word in enumerate(words):
        if word.startswith("--"):
            value = words[index + 1] if index + 1 < len(words) else ""
            yield word, "" if value.startswith("--") else value


def _environment(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What decides a re-run without being a flag, and changed: names, since the values are counters and hashes."""
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield name
