"""What one run of a step works with: programs, folders, environment, registry access. Opened once, closed for good."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sc_secure.context.credentials import NOWHERE, Given, check_given, has_own_entry, login, registry_credentials
from sc_secure.context.oidc import FRESH, IdentityToken, identity_token
from sc_secure.errors import ConfigError
from sc_secure.steps.result import Artifact, StepName, StepResult, ToolUsed
from sc_secure.tools.cosign import Cosign
from sc_secure.tools.lifeline import Lifeline
from sc_secure.tools.process import Runner
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.registry import Credentials, Registry
from sc_secure.tools.registry_writing import Writer
from sc_secure.tools.slots import slot
from sc_secure.tools.table import tool
from sc_secure.tools.text import printable
from sc_secure.tools.transient import AS_USUAL, Retrying, retrying
from sc_secure.tools.versions import UNKNOWN, require
from sc_secure.tools.waiting import pause
from sc_secure.tools.workspace import cache_folder, disk_failures, exclusive, private_folder, write_file

DEFAULT_ARTIFACTS = ".sc/artifacts"
DEFAULT_TIMEOUT = 600.0
"""Seconds for one step."""
_LOOK_AGAIN = 0.01
"""Seconds between two looks at whether one's turn has come."""


@dataclass(frozen=True)
class Turn:
    """Which of the parts of a run that want a lock at once has it first."""

    has_come: threading.Event = field(default_factory=threading.Event)
    """Set once this part has had it, or wants it no more."""
    after: threading.Event | None = None
    """What this part waits for."""


@dataclass
class Session:
    """One run. Made by `open_session`."""

    environ: Mapping[str, str]
    runner: Runner
    temp: Path
    """Private, and gone when the run ends."""
    artifacts: Path
    """Where documents go, each image's in a folder of its own."""
    cosign: Cosign
    lifeline: Lifeline
    """What ends the run early."""
    given: Given = NOWHERE
    """Where the user says that the registries' credentials are, if they aren't in `environ`'s docker configuration."""
    turns: Mapping[str, Turn] = field(default_factory=dict[str, "Turn"])
    """For locks of a purpose that several parts of this run want at once."""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    warnings: list[str] = field(default_factory=list[str])
    _tokens: list[IdentityToken] = field(default_factory=list[IdentityToken], repr=False)
    _asking_for_token: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _registries: dict[tuple[str, str], Registry] = field(default_factory=dict[tuple[str, str], Registry])
    _found: dict[tuple[str, str], Credentials | None] = field(
        default_factory=dict[tuple[str, str], "Credentials | None"], repr=False
    )
    _asking: dict[tuple[str, str], threading.Lock] = field(
        default_factory=dict[tuple[str, str], threading.Lock], repr=False
    )

    def folder(self, image: ImageReference) -> Path:
        """Where the documents of one digest are."""
        return self.artifacts / f"sha256-{image.hex}"

    def registry(self, image: ImageReference) -> Registry:
        """Reads the image's repository. One for the run: each login and manifest once."""
        place = (image.registry, image.repository)
        if place not in self._registries:
            self._registries[place] = Registry(*place, lambda: self._credentials(image))
        return self._registries[place]

    def writer(self, image: ImageReference) -> Writer:
        """Writes to the image's repository."""
        return Writer(image.registry, image.repository, lambda: self._credentials(image))

    def _credentials(self, image: ImageReference) -> Credentials | None:
        """A registry's credentials, found once for all its repositories but those that have their own."""
        host, repository = image.registry, image.repository
        known = (host, repository if has_own_entry(host, repository, self.environ) else "")
        with self._asking.setdefault(known, threading.Lock()):  # a helper that hangs holds up its own registry alone
            if known not in self._found:
                self._found[known] = registry_credentials(
                    host, self.given, self.runner, self.environ, self.temp, repository=known[1]
                )
            return self._found[known]

    def identity_token(self) -> IdentityToken:
        """Who we are, to sign without a key. One for the run, and another once it is about to run out.

        Raises:
            ConfigError, InfrastructureError, NotAuthorised: see `context.oidc.identity_token`.
        """
        with self._asking_for_token:
            if not self._tokens or self._tokens[-1].expires - time.time() < FRESH:
                self._tokens.append(identity_token(self.environ, self.runner))
            return self._tokens[-1]

    def use(self, name: str) -> ToolUsed:
        """The tool, checked to be there and new enough.

        Raises:
            ToolMissing: it isn't.
        """
        found = require(tool(name), self.runner, self.environ)
        if found.version == UNKNOWN:
            self.warn(f"{name} doesn't know its version; {tool(name).minimum} or newer is needed")
        return ToolUsed(name=name, version=found.version)

    @contextlib.contextmanager
    def lock(self, image: ImageReference, purpose: str) -> Generator[None]:
        """Held by one process of this machine at a time, per purpose and image.

        A registry without a referrers API keeps the attachments in one tag: of two concurrent writes it loses one.
        """
        name = hashlib.sha256(f"{image.registry}/{image.repository}@{image.digest}".encode()).hexdigest()
        turn = self.turns.get(purpose)
        while turn and turn.after and not turn.after.is_set():
            pause(_LOOK_AGAIN)
        with exclusive(cache_folder(self.environ), f"{name}.{purpose}"):
            if turn:
                turn.has_come.set()
            yield

    def beside(self, purpose: str) -> Session:
        """This run, for work beside the main thread's: its programs end alone, and its files are its own.

        Args:
            purpose: see `Runner`.
        """
        runner, temp = self.runner.sibling(), Path(tempfile.mkdtemp(dir=self.temp))
        runner.purpose = purpose
        return replace(self, runner=runner, temp=temp, cosign=self.cosign.sibling(runner, temp))

    def warn(self, text: str) -> None:
        """Add a warning to the result, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def artifact(self, path: Path, content: bytes, media_type: str) -> Artifact:
        """A document of the result."""
        return Artifact(path=shown_path(path), sha256=hashlib.sha256(content).hexdigest(), media_type=media_type)

    def save(self, path: Path | None, content: bytes, media_type: str) -> list[Artifact]:
        """Keep a copy of a document where the user wants one; the artifact to add to the result.

        Args:
            path: where, relative to the working directory; None: nowhere.
            content: the document.
            media_type: its kind.

        Raises:
            ConfigError: `path` leads out of the working directory, or can't be written.
        """
        if path is None:
            return []
        try:
            write_file(check_save(path), content)
        except OSError as error:
            raise ConfigError(f"--save {printable(path.as_posix(), limit=200)}: {error.strerror}") from None
        return [self.artifact(path, content, media_type)]

    def result(
        self,
        step: StepName,
        image: ImageReference,
        tool_used: ToolUsed | None,
        *,
        reused: bool = False,
        outputs: dict[str, str | int | float | bool | dict[str, str]],
        artifacts: list[Artifact] | None = None,
    ) -> StepResult:
        """The step's result, with this run's warnings and times."""
        return StepResult(
            step=step,
            subject=image.subject,
            status="reused" if reused else "passed",
            outputs=outputs,
            artifacts=artifacts or [],
            warnings=list(self.warnings),
            tool=tool_used,
            started_at=self.started_at,
        )


StepFunction = Callable[[Session], StepResult]
"""One step, ready to run."""


@contextlib.contextmanager
def open_session(
    *,
    artifacts: str = DEFAULT_ARTIFACTS,
    timeout: float = DEFAULT_TIMEOUT,
    verbose: bool = False,
    environ: Mapping[str, str] = os.environ,
    image: ImageReference | None = None,
    registry: Given = NOWHERE,
    retry: Retrying = AS_USUAL,
    bounded: bool = False,
) -> Generator[Session]:
    """A session for one step.

    Args:
        artifacts: the folder for documents, relative to the working directory.
        timeout: seconds for the whole step.
        verbose: show the tools' command lines and messages on stderr.
        environ: the environment.
        image: what the step works on: its registry's credentials are found before the tools run, where docker's
            configuration doesn't say where they are. None: nothing but registries is asked, each with its own.
        registry: where the user says that these credentials are.
        retry: how often, and how soon, a failure that may be gone in a moment is tried again.
        bounded: only so many of these work at once on this machine; the time-out begins when this one's turn comes.

    Raises:
        ConfigError: a named variable isn't set, others can read the file, or podman's can't be read.
        InfrastructureError: its turn didn't come.
        NotAuthorised: podman leaves the login to a helper that doesn't work.

    Raises (inside):
        InfrastructureError: the disk failed.
        StepTimedOut: the time is over. KeyboardInterrupt: a signal, or our parent is gone.
    """
    with (
        disk_failures(),
        slot(environ) if bounded else contextlib.nullcontext(),
        Lifeline(timeout) as lifeline,
        private_folder(environ) as temp,
        retrying(retry),
    ):
        runner = Runner(verbose=verbose)
        config = login(image.registry, registry, runner, environ, temp, repository=image.repository) if image else None
        if config:
            environ = {**environ, "DOCKER_CONFIG": str(config)}
        cosign, given = Cosign(runner, environ, temp), NOWHERE if image else registry
        check_given(given, environ)
        yield Session(environ, runner, temp, Path(artifacts), cosign, lifeline, given)


def check_save(path: Path) -> Path:
    """Where a copy for the user goes, with links followed: asked before a step, and again when the file is written.

    Raises:
        ConfigError: it isn't, or can't be, a file in the working directory.
    """
    target, here = path.resolve(), Path.cwd().resolve()
    shown = printable(path.as_posix(), limit=200)
    if path.is_absolute() or not target.is_relative_to(here) or target.is_dir():
        raise ConfigError(f"--save {shown}: not a file in this folder", advice="name one by a relative path")
    if any(parent.exists() and not parent.is_dir() for parent in target.parents):
        raise ConfigError(f"--save {shown}: Not a directory", advice="name one by a relative path")
    return target


def shown_path(path: Path) -> str:
    """A path relative to the working directory, with forward slashes, the same on every machine."""
    return Path(os.path.relpath(path)).as_posix()
