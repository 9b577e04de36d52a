"""The one way in which a step becomes a `local.Command` or a `remote.Command`, and its result becomes a gate.

The command is the step's whole identity: it is the same on every machine, and what decides a re-run is one flag in it,
so that a preview shows a policy change as that flag. What mustn't decide a re-run (tokens, versions, paths) isn't in
it.
"""

import asyncio
import hashlib
import itertools
import os
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import pulumi

from sc_secure.components._execution import Host, declare
from sc_secure.components._held import HELD, Held
from sc_secure.components._launcher import LAUNCHER, project_root, write_launcher
from sc_secure.components._memory import ATTEMPT, HIDDEN, Later, Reason, Recorded, kept_files, recorded, soft_failure
from sc_secure.components._outputs import carried, joined, of_answer
from sc_secure.components._validate import (
    KMS_SCHEMES,
    InvalidArgs,
    policy_checked,
    portable_key,
    portable_path,
    retry_checked,
)
from sc_secure.policy.security import Retry
from sc_secure.steps.result import StepResult

QUEUE_SECONDS = 3600
"""How long a step waits at most until there are few enough at work; its own time-out begins after that."""

GRACE_SECONDS = 60
"""By how much Pulumi's own time-out, which kills, is later than the step's, which ends cleanly and says why."""

MAX_TIMEOUT_SECONDS = 86400

_MAX_FILE = 16 * 1024 * 1024  # of a key or a certificate's root: a link may lead to what is endless

Word = str | pulumi.Output[list[str]]
"""A word of a command, or an output of several that aren't known when the program runs."""

T = TypeVar("T")


class Step:
    """One step on one image: its command, its result, and the image once the step has passed."""

    def __init__(
        self,
        name: str,
        image: pulumi.Output[str],
        words: Sequence[Word],
        *,
        parent: pulumi.ComponentResource,
        timeout: "Timeout",
        opts: pulumi.ResourceOptions | None,
        reruns_on: Mapping[str, pulumi.Input[str]] | None = None,
        files: Mapping[str, str] | None = None,
        again: Sequence[Reason] = (),
        held: Held | None = None,
        host: Host | None = None,
    ) -> None:
        """Declares the command.

        Args:
            name: the component's name, which its command has too.
            image: the image by digest, as an output that is there only when everything before has passed.
            words: the command's words, without the program and the image. The first two are texts.
            parent: the step's component.
            timeout: when the step ends itself.
            opts: the component's options; what it depends on, its command depends on.
            reruns_on: what decides a re-run without being a flag, as variables of the command's environment.
            files: of files that the command names, the content decides too: a variable -> the file's path, relative to
                the project.
            again: what else calls for another attempt, looked at in the result that the last update recorded.
            held: the registry's credentials, where the program itself holds them.
            host: where the command runs; None: here.
        """
        write_launcher(project_root())
        self._name, self._parent, self.image = name, parent, image
        self._record: asyncio.Future[Recorded | None] | None = None
        group, verb, *flags = words
        flags += [HELD, held.path] if held else []

        async def text(reference: str, known: Sequence[Any] = flags) -> str:
            said = _single([group, verb, "--image", reference, *known, "--output", "json"])
            if held and not pulumi.runtime.is_dry_run():  # in a preview no step runs
                await held.written(project_root())
            return host.text(said) if host else shlex.join([LAUNCHER, *said])

        if any(isinstance(word, pulumi.Output) for word in flags):
            self._text = pulumi.Output.all(image, *flags).apply(lambda got: text(got[0], got[1:]))
        else:
            self._text = image.apply(text)
        self.attempt: pulumi.Output[str] = of_answer(partial(self._remembered, partial(self._attempt, again=again)))
        """The number of the step's run, where only the number tells it from the last one."""
        limit = f"{QUEUE_SECONDS + timeout.seconds + GRACE_SECONDS}s"
        command = declare(
            name,
            self._text,
            {
                ATTEMPT: self.attempt,
                **{
                    variable: Later(partial(self._remembered, partial(_fingerprint, variable, path)))
                    for variable, path in (files or {}).items()
                },
                **(reruns_on or {}),
            },
            host,
            opts=pulumi.ResourceOptions(
                parent=parent,
                depends_on=opts.depends_on if opts else None,
                custom_timeouts=pulumi.CustomTimeouts(create=limit, update=limit),
            ),
        )
        self.result: pulumi.Output[StepResult] = joined(
            [image, command.stdout], lambda got: _passed(name, parent, got[0], got[1])
        )
        self.passed_ref = gate(image, [self])
        # What goes wrong with the command or before it, its stdout carries: that is waited for, so that a program ends
        # as soon as a step fails.
        others = [value for name, value in vars(command).items() if name != "stdout"]
        carried([image, self._text, self.attempt, self.passed_ref, *others])

    async def _remembered(self, value: Callable[[Recorded | None], Awaitable[str]]) -> str:
        """What is made of the last update's record, which a preview knows too."""
        if self._record is None:
            self._record = asyncio.ensure_future(recorded(self._parent, self._name, self._text))
        return await value(await self._record)

    async def _attempt(self, last: Recorded | None, again: Sequence[Reason]) -> str:
        """The number of the attempt: the recorded one, or one more where something calls for it."""
        if last is None:
            return "1"
        try:
            reference = await self.image.future()
        except Exception:  # the image's own error is told where it belongs
            reference = None
        if last.result is not None and last.result.subject == reference:
            for reason in (soft_failure, *again):
                why = await reason(last.result)
                if why:
                    pulumi.log.info(f"{self._name} runs again: {why}", self._parent)
                    return str(last.attempt + 1)
        return str(last.attempt)

    def outputs(self, **keys: str) -> dict[str, Callable[[], pulumi.Output[Any]]]:
        """The outputs that every step's component has, and those of its own.

        Args:
            keys: an output's name in Python -> the key in the result's outputs.
        """
        own = {name: partial(self.output, key) for name, key in keys.items()}
        return {"passed_ref": lambda: self.passed_ref, "status": self.status, **own}

    def status(self) -> pulumi.Output[str]:
        """How it ended."""
        return joined([self.result], lambda got: got[0].status)

    def output(self, key: str, default: Any = "") -> pulumi.Output[Any]:
        """One of the result's outputs."""
        return joined([self.result], lambda got: got[0].outputs.get(key, default))


def _single(words: Sequence[Any]) -> list[str]:
    """The words one by one, of which some were known later, several at a time."""
    return [each for word in words for each in ([word] if isinstance(word, str) else word)]


async def _fingerprint(variable: str, path: str, last: Recorded | None) -> str:
    """A hash of the file; on a machine that hasn't got it, what was recorded of it."""
    try:
        with Path(project_root(), path).open("rb") as file:
            content = file.read(_MAX_FILE)
    except OSError:
        return last.environment.get(variable, "") if last else ""
    return hashlib.sha256(content).hexdigest()[:16]


def _passed(name: str, parent: pulumi.Resource, reference: str, stdout: str | None) -> StepResult:
    """The result that a step's command printed, if it is one about this image.

    Raises:
        pulumi.RunError: it isn't: the gate stays closed.
    """
    try:
        result = StepResult.from_line(stdout or "")
    except ValueError:
        raise pulumi.RunError(f"{name}: the command printed no step result, so the step didn't pass") from None
    if result.subject != reference:
        raise pulumi.RunError(f"{name}: the command's result is about {result.subject}, not about {reference}")
    if result.status == "soft_failed":
        for warning in result.warnings:
            pulumi.log.warn(f"{name}: {warning}; the next update tries again", parent)
    return result


def gate(reference: pulumi.Output[str], steps: Sequence[Step]) -> pulumi.Output[str]:
    """The reference, once every one of these steps has passed; with their resources as dependencies.

    In a preview nothing is deployed, and a step that will run again has an unknown result. A digest that is known all
    the same is then passed on as known, with the dependencies, so that a changed policy doesn't make everything behind
    it show as changed. In an update, the value exists only when each step's result has been read.
    """
    if not steps:
        return reference
    waited_for = [reference, *(step.result for step in steps)]
    if not pulumi.runtime.is_dry_run():
        return joined(waited_for, lambda got: got[0])

    async def resources() -> set[pulumi.Resource]:
        return set[pulumi.Resource]().union(*[await output.resources() for output in waited_for])

    async def value() -> str:
        return cast(str, await reference.future(with_unknowns=True))

    return pulumi.Output(Later(resources), Later(value), Later(reference.is_known), Later(reference.is_secret))


def public(output: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """The output, or a fixed text in place of a secret one: for what is derived from values and stands in state."""

    async def value() -> Any:
        return HIDDEN if await output.is_secret() else await output.future(with_unknowns=True)

    async def known() -> bool:
        return await output.is_secret() or await output.is_known()

    async def secret() -> bool:
        return False

    return pulumi.Output(output.resources(), Later(value), Later(known), Later(secret))


@dataclass(frozen=True)
class Timeout:
    """A step's time-out."""

    seconds: int
    """When the step ends itself."""
    words: tuple[str, ...]
    """The command's words for it: none where it is the default, so that the command stays short."""


def checked_timeout(component: str, given: int | None, default: int, prefix: str = "") -> Timeout:
    """The time-out of a component's arguments.

    Raises:
        InvalidArgs: it isn't between a second and a day.
    """
    if given is None:
        return Timeout(default, ())
    if not 1 <= given <= MAX_TIMEOUT_SECONDS:
        raise InvalidArgs(component, [(f"{prefix}timeout_seconds", f"between 1 and {MAX_TIMEOUT_SECONDS} seconds")])
    return Timeout(given, () if given == default else ("--timeout", str(given)))


def failure_words(component: str, given: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The command's words for what happens when the step can't be done: none where it is as usual.

    Args:
        component: whose arguments they are.
        given: the arguments; `required` and `retry` matter.
        prefix: the path of these arguments, with its dot; empty for a component's own.

    Raises:
        InvalidArgs: a number out of range.
    """
    words = [] if given.get("required", True) else ["--allow-failure"]
    usual = Retry()
    retry = retry_checked(component, given.get("retry", {}), f"{prefix}retry")
    if retry.attempts != usual.attempts:
        words += ["--retry-attempts", str(retry.attempts)]
    if retry.base_delay != usual.base_delay:
        words += ["--retry-base-delay", number(retry.base_delay)]
    return words


def number(value: float) -> str:
    """A number as a person writes it: `0`, not `0.0`."""
    return repr(value).removesuffix(".0")


def saved_words(component: str, given: Mapping[str, Any]) -> list[str]:
    """The command's words for where a copy of its document is kept.

    Raises:
        InvalidArgs: not a file of the project, or another step keeps its document there.
    """
    if "save" not in given:
        return []
    portable = portable_path(component, "save", given["save"], project_root())
    policy_checked(component, "sbom", {"output": {"local": portable}}, {"output.local": "save"})
    unshared(component, [("save", portable)], keep=True)
    return ["--save", portable]


def unshared(component: str, files: Sequence[tuple[str, str | None]], *, keep: bool = False) -> None:
    """Refuses a file in which another step of the program keeps its document: the last of the two would stay.

    Args:
        component: whose arguments they are.
        files: each property's path, and the file; None: nothing is kept.
        keep: these files are a step's from now on.

    Raises:
        InvalidArgs: another step keeps its document there.
    """
    kept = kept_files()
    named = [(path, os.path.normpath(file)) for path, file in files if file is not None]
    reason = "another step of this program keeps its document in this file; .sc/artifacts has each image's anyway"
    problems = [(path, reason) for path, file in named if file in kept]
    if problems:
        raise InvalidArgs(component, problems)
    if keep:
        kept.update(file for _, file in named)


def key_file(words: Sequence[str]) -> dict[str, str]:
    """The key files that a command's words name, if they name any: a step's `files`."""
    keys = [value for word, value in itertools.pairwise(words) if word == "--key"]
    files = [key for key in keys if not key.startswith(("env://", *KMS_SCHEMES))]
    return {f"SC_SECURE_KEY_{number}" if number else "SC_SECURE_KEY": key for number, key in enumerate(files)}


def key_words(component: str, key: str, password_env: str | None, prefix: str = "", *, log: bool = False) -> list[str]:
    """The command's words for a key, and for whether its signatures are in a transparency log.

    Raises:
        InvalidArgs: the key's path or the variable's name won't do.
    """
    portable = portable_key(component, f"{prefix}key", key, project_root())
    values = {"key": portable} | ({"password_env": password_env} if password_env is not None else {})
    policy_checked(component, "signing", values, {name: f"{prefix}{name}" for name in values})
    password = ["--password-env", password_env] if password_env is not None else []
    return ["--key", portable, *password, "--transparency-log" if log else "--no-transparency-log"]
