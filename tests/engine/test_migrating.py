"""docs/migrating.md on a shell script: the script, and what takes its place, on the real engine and tools."""

import json
import subprocess

import pytest

from tests.docs.test_readme import ROOT, blocks
from tests.engine.conftest import NewProject
from tests.engine.secured_project import SecuredProject

pytestmark = pytest.mark.engine

PAGE = ROOT / "docs/migrating.md"
SCRIPT, STEP_BY_STEP, _ = blocks(PAGE, "sh")
ONE_RESOURCE, _ = blocks(PAGE, "python")
QUIET = """
cosign signing-config create --out no-log.json
cosign trusted-root create --out nobody.json
quiet="--signing-config no-log.json --trusted-root nobody.json"
"""
"""What the page says in words."""


def test_what_takes_the_scripts_place_goes_on_from_it(new_project: NewProject) -> None:
    project = new_project(ONE_RESOURCE)
    image = f"{project.registry}/app"
    project.configure("image", image)
    project.environment |= {"COSIGN_PASSWORD": "test", "image": image}

    # The machine's docker program may be newer than its engine and lack BuildKit's.
    by_script = _shell(project, QUIET + SCRIPT + 'echo "$ref" > ref', DOCKER_BUILDKIT="0")
    assert by_script.returncode == 0, by_script.stderr
    (ref,) = project.lines("ref")
    assert len(project.attached(ref)) == 2, "a signature and an attestation"

    step_by_step = _shell(project, STEP_BY_STEP.replace(" --image", " --output json --image"), ref=ref)
    assert step_by_step.returncode == 0, step_by_step.stderr
    results = {each["step"]: each for each in map(json.loads, step_by_step.stdout.splitlines())}
    assert results["sign"]["status"] == "reused", "what the script has signed is found, and counts"
    assert len(project.attached(ref)) == 3, "its SBOM has another number, and is attested beside the script's"

    updated = project.up()
    assert updated.code == 0, updated.text
    assert project.stack_outputs()["ref"].startswith(f"{image}@sha256:")
    assert project.preview("--expect-no-changes").code == 0


def _shell(project: SecuredProject, script: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return project.run("bash", "-euo", "pipefail", "-c", script, **more)
