"""The scanners, in one table: a new one is one file with the interface `Scanner`, and a line here. And how they run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from sc_secure.errors import ConfigError, InfrastructureError, ScSecureError
from sc_secure.policy.age import parse_age
from sc_secure.steps.canonical import rfc3339
from sc_secure.steps.result import ToolUsed
from sc_secure.steps.session import Session
from sc_secure.steps.soft import is_soft
from sc_secure.tools.beside import Beside
from sc_secure.tools.grype import Grype
from sc_secure.tools.lifeline import StepTimedOut
from sc_secure.tools.scanner import Report, Target
from sc_secure.tools.text import printable
from sc_secure.tools.trivy import Trivy
from sc_secure.tools.workspace import keep_file

T = TypeVar("T")

SCANNERS = {"grype": Grype, "trivy": Trivy}
"""Each scanner's class, by the name that `--tool` takes."""
_LONGEST = 300
"""Characters of the reason why a scanner was left out."""


class Scanning:
    """The scanners of one step. They run at once; one that isn't required and can't run is left out from then on.

    Args:
        session: the run.
        tools: names of `SCANNERS`.
        optional: those of them that may be left out.

    Raises:
        ConfigError: there is no such scanner.
        ToolMissing, InfrastructureError: one that is required can't run, or none can.
    """

    def __init__(self, session: Session, tools: Sequence[str], optional: Collection[str] = ()) -> None:
        for name in tools:
            if name not in SCANNERS:
                known = ", ".join(SCANNERS)
                raise ConfigError(f"--tool {printable(name, limit=40)}: unknown", advice=f"known: {known}")
        for name in optional:
            if name not in tools:
                shown = printable(name, limit=40)
                raise ConfigError(f"--tool-optional {shown}: isn't run", advice=f"add `--tool {shown}`, or remove it")
        self._session = session
        self._optional = frozenset(optional)
        self.started = datetime.now(UTC)
        self.left_out: dict[str, str] = {}
        """Why a scanner was left out, by its name."""
        self.used: dict[str, ToolUsed] = {}
        """Those that run."""
        for name in dict.fromkeys(tools):
            found = self._unless_optional(name, partial(session.use, name))
            if found:
                self.used[name] = found
        self._require_one()

    def scan(self, target_of: Callable[[Session], Target]) -> dict[str, Report]:
        """What each finds in one image; each one's own report is kept.

        Args:
            target_of: the image, for a scanner that runs in this session: what ends its programs ends those that make
                the catalogue too.

        Raises:
            InfrastructureError, NotAuthorised: one that is required failed, or all did.
        """
        # The main thread's is the one that signals and time-outs end at once.
        names = sorted(self.used, key=lambda name: name in self._optional)
        found: dict[str, Report | None] = {}
        with contextlib.ExitStack() as stack:
            others: dict[str, Beside[Report]] = {}
            for name in names[1:]:
                run = replace(self._session, runner=self._session.runner.sibling())
                others[name] = stack.enter_context(Beside(partial(_report, run, name, target_of(run)), run.runner))
            first = partial(_report, self._session, names[0], target_of(self._session))
            found[names[0]] = self._unless_optional(names[0], first)
            for name, other in others.items():
                found[name] = self._unless_optional(name, other.result)
        self._require_one()
        for name, report in found.items():
            for note in report.notes if report else ():
                self._session.warn(f"scan.tools.{name}: {note}: it may have seen less than there is")
        return {
            # Not every version of trivy says which one it is.
            name: replace(report, version=report.version or used.version)
            for name, used in self.used.items()
            if (report := found[name])
        }

    def _unless_optional(self, name: str, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except ScSecureError as error:
            if name not in self._optional or isinstance(error, StepTimedOut) or not is_soft(error):
                raise
            self.used.pop(name, None)
            self.left_out[name] = printable(error.message, limit=_LONGEST)
            self._session.warn(f"scan.tools.{name}: left out, since it isn't required: {self.left_out[name]}")
            return None

    def _require_one(self) -> None:
        if not self.used:
            why = "; ".join(self.left_out.values())
            raise InfrastructureError(
                f"no scanner could run, so nothing is known: {why}", advice="make one of them work: none is a scan"
            )


def _report(session: Session, name: str, target: Target) -> Report:
    raw = session.temp / f"scan.{name}.json"
    report = SCANNERS[name](session.runner, session.environ, session.temp).scan(target, raw)
    age, built = target.max_database_age, report.database.built
    if age is not None and datetime.now(UTC) - built > parse_age(age):
        raise InfrastructureError(
            f"scan.maxDatabaseAge: {age}: {report.scanner}'s database is older: built {rfc3339(built)}",
            advice="get the current database, and scan again; the policy can't be judged by an older one",
        )
    keep_file(raw, session.folder(target.image) / raw.name)
    return report
