"""What the last update recorded of this very stack, and what of it makes a step run again.

A step runs again when its inputs change. One of them is a counter, `SC_SECURE_ATTEMPT`, that stays as it was recorded
unless the last result calls for another attempt; it is then one more, which a preview shows on that step, with a line
that says why. Without a record (a first update, another language's mocks) it is 1.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import pulumi

from sc_secure.steps.result import StepResult

ATTEMPT = "SC_SECURE_ATTEMPT"
HIDDEN = "(secret)"
"""Stands for what is secret in what is derived from values."""
_READ = "pulumi:pulumi:readStackResourceOutputs"
_COMMANDS = ("command:local:Command", "command:remote:Command")
"""What a step's command is, here and on a build host."""

T = TypeVar("T")

Reason = Callable[[StepResult], Awaitable[str]]
"""Why a result that was recorded for this very image calls for another attempt; empty: it doesn't."""


@dataclass(frozen=True)
class _Program:
    """What is the same for all that runs in one program."""

    monitor: Any
    """Kept, so that its address isn't another's."""
    answers: "dict[str, asyncio.Task[Any]]"
    files: set[str]
    """In which steps keep documents."""
    roots: set[str]
    """The projects that have their launcher."""


_programs: dict[str, _Program] = {}
"""An engine -> its program; the present one alone."""


@dataclass(frozen=True)
class Recorded:
    """What the last update recorded of one step."""

    attempt: int
    environment: Mapping[str, str]
    result: StepResult | None
    """None: nothing that is a result."""


async def recorded_outputs(parent: pulumi.Resource, kind: str, name: str) -> Mapping[str, Any]:
    """The recorded outputs of the resource of that type, name and parent; empty where none is known."""
    stack = await recorded_stack()
    if not stack:
        return {}
    urn = cast(str, await parent.urn.future())
    head, types, _ = urn.rsplit("::", 2)
    return _mapping(_mapping(stack.get(f"{head}::{types}${kind}::{name}")).get("outputs"))


def assumed_in_preview(output: pulumi.Output[T], record: Callable[[], Awaitable[T | None]]) -> pulumi.Output[T]:
    """The output; in a preview that doesn't know it yet, what was recorded of it.

    For what rarely changes with what it is made of: everything behind it would show as changing with each update. An
    update always has the output itself.

    Args:
        output: what is made.
        record: what the last update recorded of it; None: nothing.
    """
    preview = pulumi.runtime.is_dry_run()

    async def stand_in() -> T | None:
        return None if not preview or await output.is_known() else await record()

    async def value() -> Any:
        found = await stand_in()
        return await output.future(with_unknowns=True) if found is None else found

    async def known() -> bool:
        return await output.is_known() or await stand_in() is not None

    return pulumi.Output(output.resources(), Later(value), Later(known), Later(output.is_secret))


class Later(Awaitable[T]):
    """Begins when it is awaited.

    When a step fails, the resources raise first, and Python would warn of a coroutine that nobody awaits any more,
    beneath the one error that matters.
    """

    def __init__(self, begin: Callable[[], Awaitable[T]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, None, T]:
        return self._begin().__await__()


async def recorded(parent: pulumi.Resource, name: str, text: pulumi.Output[str]) -> Recorded | None:
    """The record of a command; None: there is none, or the engine can't tell.

    It is that of the same name and parent. Behind a renamed component (an alias) it has another URN, which the SDK
    doesn't tell to what is beneath; then it is that of the same text, which is what a step is known by.

    Args:
        parent: the command's component.
        name: the command's name.
        text: what it runs.
    """
    for kind in _COMMANDS:
        outputs = await recorded_outputs(parent, kind, name)
        if outputs:
            return _recorded(outputs)
    renamed = await _of_text(text)
    return _recorded(renamed) if renamed else None


def _recorded(outputs: Mapping[str, Any]) -> Recorded:
    variables = {key: str(value) for key, value in _mapping(outputs.get("environment")).items()}
    lines = str(outputs.get("stdin") or "").splitlines()  # where a remote command has them
    variables |= {name: value for name, equals, value in (line.partition("=") for line in lines) if equals}
    attempt = variables.get(ATTEMPT, "")
    return Recorded(int(attempt) if attempt.isdigit() else 1, variables, _result(outputs.get("stdout")))


async def _of_text(text: pulumi.Output[str]) -> Mapping[str, Any]:
    commands = [_mapping(each) for each in (await recorded_stack()).values()]
    every = [_mapping(each.get("outputs")) for each in commands if each.get("type") in _COMMANDS]
    if not every:
        return {}
    try:
        wanted = await text.future()
    except Exception:  # the image's own error is told where it belongs
        wanted = None
    for outputs in every:
        if wanted is not None and outputs.get("create") == wanted:
            return outputs
    return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}


def _result(stdout: Any) -> StepResult | None:
    try:
        return StepResult.from_line(stdout) if isinstance(stdout, str) else None
    except ValueError:
        return None


async def recorded_stack() -> Mapping[str, Any]:
    """Every resource that the last update recorded: its URN -> its type and outputs. Empty where that isn't known."""
    return await once("stack", _read)


async def recorded_results() -> list[tuple[StepResult, str]]:
    """The result of every step that the last update recorded, and the command that printed it."""
    entries = [_mapping(entry) for entry in (await recorded_stack()).values()]
    commands = [_mapping(entry.get("outputs")) for entry in entries if entry.get("type") in _COMMANDS]
    found = [(_result(outputs.get("stdout")), str(outputs.get("create") or "")) for outputs in commands]
    return [(result, text) for result, text in found if result is not None]


def _program() -> _Program:
    monitor: Any = pulumi.runtime.settings.get_monitor()
    # A plugin gets a new monitor for each component of a program; they have the engine's address in common, which gRPC
    # keeps in no public place. Without it, each monitor is an engine of its own.
    engine = str(getattr(getattr(monitor, "Invoke", None), "_target", None) or id(monitor))
    if engine not in _programs:
        _programs.clear()  # of a program that has ended
        _programs[engine] = _Program(monitor, {}, set(), set())
    return _programs[engine]


def kept_files() -> set[str]:
    """The files in which the program's steps keep documents, relative to the project. Add one to keep another there."""
    return _program().files


def launched_roots() -> set[str]:
    """The projects' folders whose launcher this program has written. Add one that has it now."""
    return _program().roots


async def once(question: str, ask: Callable[[], Awaitable[T]]) -> T:
    """An answer that is the same for all that runs in one program, asked for on first use."""
    return await _asked(question, ask)


def begin(question: str, ask: Callable[[], Awaitable[Any]]) -> None:
    """Asks at once for an answer that `once` takes later, so that it is found out while the engine is at work.

    Without a loop that runs, nothing happens: it is asked for on first use.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    _asked(question, ask)


def _asked(question: str, ask: Callable[[], Awaitable[Any]]) -> "asyncio.Task[Any]":
    answers = _program().answers
    if question not in answers or answers[question].get_loop() is not asyncio.get_running_loop():
        answers[question] = asyncio.ensure_future(ask())
    return answers[question]


async def _read() -> Mapping[str, Any]:
    try:
        answer: Any = await pulumi.runtime.invoke_async(_READ, {"stackName": pulumi.get_stack()})
    except Exception as error:  # an engine that can't tell; the program has no need to fail over it
        pulumi.log.debug(f"the stack's own record can't be read, so nothing is remembered: {type(error).__name__}")
        return {}
    return _mapping(_mapping(answer).get("outputs"))


async def soft_failure(result: StepResult) -> str:
    """A step that isn't required and failed is tried again by each update until it passes."""
    return "the last update's attempt failed softly" if result.status == "soft_failed" else ""


def older_than(limit: timedelta) -> Reason:
    """A result that is older than the policy allows: new vulnerabilities are found in old images."""

    async def reason(result: StepResult) -> str:
        age = datetime.now(UTC) - result.finished_at
        if age <= limit:
            return ""
        hours = int(age.total_seconds() // 3600)
        return f"the last one is {hours} h old, and the policy wants one every {int(limit.total_seconds() // 3600)} h"

    return reason
