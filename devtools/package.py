"""Builds the package itself: a wheel, a source archive, their SBOM and their SLSA provenance, in `dist/`.

`make package`. The same tree gives the same archives. The provenance is a statement that is still to be signed, with
`cosign attest-blob` or by the CI system, by whoever publishes them. `docs/build-types/python-package-v1.md` defines it.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import uuid
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devtools import tools
from devtools.cache import REPOSITORY
from devtools.console import SetupError, capture, progress, run_main, say
from sc_secure.context.ci import ci_run
from sc_secure.context.git import git_state
from sc_secure.steps.canonical import canonical_bytes
from sc_secure.steps.provenance import LOCAL_BUILDER_ID
from sc_secure.tools.process import Runner

BUILD_TYPE = "https://sc-secure.dev/build-types/python-package/v1"


def build(folder: Path) -> list[Path]:
    """All files, the wheel first.

    Args:
        folder: where they go; what was there before is removed.

    Raises:
        SetupError: the build backend or syft failed.
    """
    began = datetime.now(UTC)
    shutil.rmtree(folder, ignore_errors=True)
    with progress("building the package"):
        _run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)])
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    name = wheel.name.partition("-py3")[0]
    sbom, provenance = folder / f"{name}.cdx.json", folder / f"{name}.provenance.json"
    with tempfile.TemporaryDirectory() as unpacked:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        named = ["--source-name", "sc-secure", "--source-version", name.partition("-")[2]]
        syft = str(tools.ensure(["syft"])["syft"])
        _run([syft, "scan", f"dir:{unpacked}", "--quiet", *named, "--output", f"cyclonedx-json={sbom}"])
    provenance.write_bytes(canonical_bytes(_statement([wheel, source, sbom], began)))
    return [wheel, source, sbom, provenance]


def _statement(files: list[Path], began: datetime) -> dict[str, Any]:
    """An in-toto statement, v1, with SLSA provenance, v1.0."""
    ci = ci_run(os.environ)
    with tempfile.TemporaryDirectory() as temp:
        git = git_state(REPOSITORY, [REPOSITORY], Runner(), os.environ, Path(temp))
    source: dict[str, Any] = {"name": "source"}
    if git:
        source |= {"digest": {"gitCommit": git.commit}, "annotations": {"dirty": git.dirty}}
        if git.remote:
            source["uri"] = f"git+{git.remote}" + (f"@{git.ref}" if git.ref else "")
    lock = {"name": "requirements-dev.lock", "digest": {"sha256": _sha256(REPOSITORY / "requirements-dev.lock")}}
    times = {"startedOn": began, "finishedOn": datetime.now(UTC)}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": file.name, "digest": {"sha256": _sha256(file)}} for file in files],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"targets": ["sdist", "wheel"]},
                "internalParameters": {},
                "resolvedDependencies": ([source] if git else []) + [lock],
            },
            "runDetails": {
                "builder": {"id": ci.workflow if ci else LOCAL_BUILDER_ID},
                "metadata": {
                    "invocationId": ci.url if ci else f"urn:uuid:{uuid.uuid4()}",
                    **{name: moment.strftime("%Y-%m-%dT%H:%M:%SZ") for name, moment in times.items()},
                },
                "byproducts": [],
            },
        },
    }


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _run(command: list[str]) -> None:
    answer = capture(command, env={**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}, cwd=REPOSITORY)
    if answer.returncode:
        said = "\n".join((answer.stdout + answer.stderr).strip().splitlines()[-8:])
        raise SetupError(f"`{Path(command[0]).name} {command[1]}` failed:\n{said}")


def main() -> None:
    """Prints each file with its hash, as `sha256sum` does."""
    for file in build(REPOSITORY / "dist"):
        say(f"{_sha256(file)}  {file.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    run_main(main)
