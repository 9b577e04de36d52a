"""All checks, at once where they are slow, and in the order in which they are told."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sc_secure.context.credentials import NamedVariables
from sc_secure.errors import InfrastructureError, ScSecureError
from sc_secure.policy.loading import LoadedPolicy, load_policy
from sc_secure.steps.doctor import cloud, database, engine, identity, place, registry, tools
from sc_secure.steps.doctor.finding import Finding, ok, wrong
from sc_secure.steps.doctor.situation import Look, Situation
from sc_secure.tools.lifeline import Lifeline, StepTimedOut
from sc_secure.tools.process import GRACE, Runner
from sc_secure.tools.reference import Place
from sc_secure.tools.transient import Retrying, retrying
from sc_secure.tools.workspace import disk_failures, private_folder

_LOCAL = 60.0
"""Seconds for programs of this machine, which may be slow the first time."""
_FIRST = 4.0
"""Seconds until what is asked over the network must have said something."""
_SIGNER = 8.0
"""Seconds for opening a key and getting a token."""
_WHOLE = 12.0
"""Seconds until it must have said everything: a cloud's own program may take some."""


@dataclass(frozen=True)
class _Group:
    """Checks that are made one after the other."""

    name: str
    look: Look
    first: float = _LOCAL
    """Seconds until it must have said something."""
    whole: float = _LOCAL
    """Seconds until it must have said everything."""
    check: str = ""
    """What it looks at first."""
    needed: bool = True
    """A deployment wouldn't work without it."""


_VALIDATE = "`sc-secure config validate` tells what is allowed"
_IDENTITY = _Group("token", identity.look, _SIGNER, _SIGNER)
GROUPS = (
    _Group("tool", tools.look),
    _Group("engine", engine.look, _FIRST, _FIRST, "engine", needed=False),
    _Group("registry", registry.look, _FIRST, _WHOLE, "registry.reach"),
    _IDENTITY,
    _Group("database", database.look),
    _Group("cloud.aws", cloud.look_at_aws, _FIRST, _FIRST, "cloud.aws", needed=False),
    _Group("cloud.google", cloud.look_at_google, _FIRST, _FIRST, "cloud.google", needed=False),
    _Group("disk", place.look),
)
"""In the order in which they are told."""


@dataclass
class _Running:
    """A group, in a thread of its own."""

    group: _Group
    runner: Runner
    found: list[Finding] = field(default_factory=list[Finding])
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)
    said: threading.Event = field(default_factory=threading.Event)

    def run(self, situation: Situation) -> None:
        """Make the checks; what was found so far is there at any time."""
        try:
            for finding in self.group.look(situation):
                self.found.append(finding)
                self.said.set()
        except BaseException as error:
            self.error = error
        finally:
            self.said.set()
            self.done.set()

    def result(self, began: float) -> list[Finding]:
        """What was found in time.

        Raises:
            Exception: a fault of ours.
        """

        def left(seconds: float) -> float:
            return max(0.0, began + seconds - time.monotonic())

        in_time = self.said.wait(left(self.group.first)) and self.done.wait(left(self.group.whole))
        if not in_time:
            found = list(self.found)
            self.runner.stop()
            self.done.wait(GRACE + 0.5)  # its programs end; what else it waits for is left to itself
            return [*found, _late(self.group, found, time.monotonic() - began)]
        if self.error:
            raise self.error
        return self.found


def _late(group: _Group, found: Sequence[Finding], seconds: float) -> Finding:
    check = f"{group.name}.time" if found or not group.check else group.check
    error = InfrastructureError(
        f"no answer within {seconds:.0f} s", advice="try again; if it stays, -v shows what hangs"
    )
    return wrong(check, error, needed=group.needed)


def examine(
    *,
    stack: str | None = None,
    policy: str | None = None,
    place: Place | None = None,
    named: NamedVariables | None = None,
    verbose: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> list[Finding]:
    """Look at everything that a deployment needs.

    Args:
        stack: the stack whose policy says what is needed.
        policy: in its place, the policy's file. Without both, what any policy may need is looked at.
        place: the repository, or the registry as a whole, to ask about.
        named: the variables that hold the registry's credentials.
        verbose: show the tools' command lines and messages on stderr.
        environ: the environment.

    Raises:
        InfrastructureError: there is no folder for temporary files. StepTimedOut: it took much too long.
    """
    with disk_failures(), Lifeline(2 * _LOCAL) as lifeline, private_folder(environ) as temp, retrying(Retrying(1)):
        situation = Situation(environ, Runner(verbose=verbose), temp, place=place, named=named)
        found = list[Finding]()
        if stack is not None or policy is not None:
            try:
                loaded = load_policy(policy, stack=stack)
                situation = replace(situation, security=loaded.security)
                found.append(ok("policy", _told(loaded)))
            except ScSecureError as error:
                found.append(wrong("policy", error, remedy=error.advice or _VALIDATE))
        return found + _all(situation, lifeline)


def _all(situation: Situation, lifeline: Lifeline) -> list[Finding]:
    began = time.monotonic()
    running = [_Running(group, situation.runner.sibling()) for group in GROUPS]
    try:
        for each in running:
            if each.group is not _IDENTITY:
                part = replace(situation, runner=each.runner)
                threading.Thread(target=each.run, args=(part,), name=each.group.name, daemon=True).start()
        for each in running:
            # Here, where a time-out ends everything: a policy's expression can take for ever, and holds up all threads.
            if each.group is _IDENTITY:
                _in_time(each, replace(situation, runner=each.runner), lifeline)
        return [finding for each in running for finding in each.result(began)]
    finally:
        for each in running:
            if not each.done.is_set():
                each.runner.stop()


def _in_time(running: _Running, situation: Situation, lifeline: Lifeline) -> None:
    try:
        with lifeline.within(_SIGNER, "try again"):
            for finding in running.group.look(situation):
                running.found.append(finding)
    except StepTimedOut as error:
        if error.whole:
            raise
        running.found.append(_late(running.group, running.found, _SIGNER))
    running.said.set()
    running.done.set()


def _told(loaded: LoadedPolicy) -> str:
    first, *parents = loaded.files
    inherits = f", which inherits from {', then '.join(parents)}" if parents else ""
    return first + inherits + ("" if loaded.security.enabled else ": switches security off")


def exit_code(found: Sequence[Finding]) -> int:
    """0: a deployment would work; else the code of the first failure."""
    return next((each.exit_code for each in found if each.check.status == "failed"), 0)
