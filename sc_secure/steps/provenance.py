"""How the image was built, as SLSA provenance v1.0: https://slsa.dev/spec/v1.0/provenance.

The build itself happened before this step (Pulumi's docker provider ran it). What is stated here was looked at by this
step: the source's commit, the Dockerfile, the options. No path of this machine goes in. `docs/build-types/docker-v1.md`
defines the build type.
"""

from __future__ import annotations

import hashlib
import os
import re
import urllib.parse
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from sc_secure.context.ci import CiRun, ci_run
from sc_secure.context.git import Distrusted, GitState, git_state
from sc_secure.errors import ConfigError
from sc_secure.steps.canonical import canonical_bytes, rfc3339
from sc_secure.steps.result import Artifact, StepResult
from sc_secure.steps.session import Session, shown_path
from sc_secure.tools.documents import Json
from sc_secure.tools.process import MIB
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.text import printable
from sc_secure.tools.workspace import write_file

LOCAL_BUILDER_ID = "https://sc-secure.dev/builders/local/v1"
"""The builder when none is named and no CI system is known: a person's own machine."""
BUILD_TYPE = "https://sc-secure.dev/build-types/docker/v1"
"""A docker build; its parameters are the ones of `_external_parameters`."""
FILE = "provenance.slsa.json"
MEDIA_TYPE = "application/vnd.in-toto.provenance+json"
_CLOCK_SKEW = timedelta(minutes=5)
_MAX_DOCKERFILE = 4 * MIB
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)@(sha256):([0-9a-f]{64})\b", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """What the image was built from, as the command line says it."""

    builder_id: str | None = None
    """A URI that names who vouches for the build, the same in each run. None: the CI system's workflow, or a person."""
    context: Path | None = None
    """The build context."""
    dockerfile: Path | None = None
    target: str = ""
    platforms: tuple[str, ...] = ()
    builder: str = "docker"
    build_arg_names: tuple[str, ...] = ()
    """Names alone: a value may be a secret."""
    build_args: tuple[tuple[str, str], ...] = ()
    """Those whose values are recorded too, since somebody said so: name and value."""
    started_on: datetime | None = None
    """When the build began; None: it isn't known."""
    finished_on: datetime | None = None
    include_git: bool = True
    include_dockerfile: bool = True


def generate(session: Session, image: ImageReference, source: Source, *, save: Path | None = None) -> StepResult:
    """The step `provenance generate`.

    Args:
        session: the run.
        image: what was built.
        source: what it was built from.
        save: where to keep a copy; it is the result's path then.

    Raises:
        ConfigError: the builder's id isn't a URI, the context or the Dockerfile isn't there, or `save` won't do.
    """
    document, artifact = gather(session, image, source)
    saved = session.save(save, canonical_bytes(document), MEDIA_TYPE)
    builder = cast("dict[str, dict[str, str]]", document["runDetails"])["builder"]["id"]
    return session.result(
        "provenance",
        image,
        None,
        outputs={"path": saved[0].path if saved else artifact.path, "sha256": artifact.sha256, "builderId": builder},
        artifacts=[artifact, *saved],
    )


def gather(session: Session, image: ImageReference, source: Source) -> tuple[Json, Artifact]:
    """The predicate, and the document that it was written to.

    Raises:
        ConfigError: see `generate`.
    """
    check(source)
    git = _git(session, source) if source.include_git else None
    ci = ci_run(session.environ)
    commit = _source(git, ci) if source.include_git else None
    if source.include_git and commit is None:
        session.warn("no git commit was found: the provenance names no source")
    if git and git.dirty:
        session.warn("the work tree has changes that aren't in the commit: the provenance says so")
    document: Json = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": _external_parameters(image, source, git),
            "internalParameters": {},
            "resolvedDependencies": ([commit] if commit else []) + _dockerfile_and_bases(source),
        },
        "runDetails": {
            "builder": {"id": source.builder_id or (ci.workflow if ci else LOCAL_BUILDER_ID)},
            "metadata": {"invocationId": ci.url if ci else f"urn:uuid:{uuid.uuid4()}", **_times(source)},
            "byproducts": [],
        },
    }
    path = session.folder(image) / FILE
    content = canonical_bytes(document)
    write_file(path, content)
    return document, session.artifact(path, content, MEDIA_TYPE)


def _times(source: Source) -> Json:
    """The build's, where whoever ran it says them: it ended before this step began."""
    said = {"startedOn": source.started_on, "finishedOn": source.finished_on}
    return {name: rfc3339(moment) for name, moment in said.items() if moment}


def check(source: Source) -> None:
    """Refuses a source that can't be what the image was built from.

    Raises:
        ConfigError: see `generate`.
    """
    began, ended, now = source.started_on, source.finished_on, datetime.now(UTC)
    if began and ended and began > ended:
        raise ConfigError(f"--started-on {rfc3339(began)}: later than --finished-on {rfc3339(ended)}")
    for flag, moment in (("--started-on", began), ("--finished-on", ended)):
        if moment and moment > now + _CLOCK_SKEW:
            raise ConfigError(f"{flag} {rfc3339(moment)}: in the future", advice="check the clock of whoever said it")
    if source.builder_id is not None:
        parts = urllib.parse.urlsplit(source.builder_id)
        if not parts.scheme or not (parts.netloc or parts.scheme == "urn") or parts.username or parts.password:
            shown = printable(source.builder_id, limit=200)
            raise ConfigError(f"--builder-id {shown}: not a URI such as {LOCAL_BUILDER_ID}")
    if source.context and not source.context.is_dir():
        raise ConfigError(f"--context {printable(str(source.context))}: no such folder")
    file = _dockerfile(source)
    if source.dockerfile and file and not file.is_file():
        raise ConfigError(f"--dockerfile {printable(str(file))}: no such file")
    if source.include_dockerfile and file and file.is_file() and file.stat().st_size > _MAX_DOCKERFILE:
        raise ConfigError(
            f"--dockerfile {printable(str(file))}: larger than {_MAX_DOCKERFILE // MIB} MiB",
            advice="name the Dockerfile, or leave it out by --no-include-dockerfile",
        )


def _dockerfile(source: Source) -> Path | None:
    """As docker finds it: the one that is named, or `Dockerfile` in the context."""
    return source.dockerfile or (source.context / "Dockerfile" if source.context else None)


def _git(session: Session, source: Source) -> GitState | None:
    looked_at = [path for path in (source.context, source.dockerfile) if path]
    folder = source.context or Path()
    try:
        return git_state(folder, looked_at, session.runner, session.environ, session.temp)
    except Distrusted as error:
        session.warn(f"{error.message}; {error.advice}")
        return None


def _external_parameters(image: ImageReference, source: Source, git: GitState | None) -> Json:
    dockerfile = _dockerfile(source) if source.include_dockerfile else None
    platforms = sorted(set(source.platforms))
    parameters: dict[str, object] = {
        "image": image.name,
        "context": _shown(source.context, git) if source.context else "",
        "dockerfile": _shown(dockerfile, git) if dockerfile else "",
        "target": source.target,
        "platform": platforms[0] if len(platforms) == 1 else "",
        "platforms": platforms if len(platforms) > 1 else [],
        "builder": source.builder if source.builder != "docker" else "",
        "buildArgNames": sorted({*source.build_arg_names, *(name for name, _ in source.build_args)}),
        "buildArgs": dict(sorted(source.build_args)),
    }
    return {name: value for name, value in parameters.items() if value}


def _source(git: GitState | None, ci: CiRun | None) -> Json | None:
    """The source's commit: as git says, or, where the work tree came without git, as the CI system says."""
    commit = git.commit if git else ci.commit if ci else ""
    if not commit:
        return None
    found: Json = {"name": "source", "digest": {"gitCommit": commit}}
    remote, ref = (git.remote, git.ref) if git else ("", "")
    if ci and ci.commit == commit:
        # A CI system checks out a commit alone (a detached head), and knows of which ref it is.
        remote, ref = remote or ci.repository, ref or ci.ref
    if remote:
        found["uri"] = f"git+{remote}" + (f"@{ref}" if ref else "")
    if git:
        found["annotations"] = {"dirty": git.dirty}
    return found


def _dockerfile_and_bases(source: Source) -> list[Json]:
    found: list[Json] = []
    file = _dockerfile(source)
    if not (source.include_dockerfile and file and file.is_file()):
        return found
    with file.open("rb") as opened:
        content = opened.read(_MAX_DOCKERFILE)
    found.append({"name": "dockerfile", "digest": {"sha256": hashlib.sha256(content).hexdigest()}})
    for name, algorithm, digest in sorted(set(_FROM.findall(content.decode("utf-8", "replace")))):
        found.append({"name": "base", "uri": f"docker://{name}", "digest": {algorithm.lower(): digest}})
    return found


def _shown(path: Path, git: GitState | None) -> str:
    """The path from the work tree's top, or else from here: never an absolute one."""
    if git and path.resolve().is_relative_to(git.root.resolve()):
        return Path(os.path.relpath(path.resolve(), git.root.resolve())).as_posix()
    return shown_path(path)
