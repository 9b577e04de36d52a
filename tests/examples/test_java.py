"""`examples/java`: compiled against an SDK made from the checked-in schema, and run by the real engine.

A JDK 17 and Maven have to be on PATH, else it fails. Pulumi's own SDK for Java comes from Maven Central; its generator
and its language host can't be had here: `tests/java_sdk.py` and `java/deploy/OnTheEngine.java` stand for them, and say
how. Google's API is the fake, the registry on loopback.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devtools import schema
from tests.as_plugin import ROOT, write_plugin
from tests.engine.secured_project import STEPS, SecuredProject
from tests.java_sdk import write_sdk

if TYPE_CHECKING:
    from tests.clouds.google.server import Google

PROGRAM = "src/main/java/deploy/App.java"
COMPILE = ("compile", "dependency:build-classpath", "-Dmdep.outputFile=classpath")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example, with the package's SDK where `pulumi package add` writes it."""
    made_here = shutil.ignore_patterns("target", "sdks", ".sc", "Pulumi.*.yaml", "*.key", "*.pub")
    for name in ("java", "yaml"):
        shutil.copytree(ROOT / "examples" / name, tmp_path / "examples" / name, ignore=made_here)
    copy = tmp_path / "examples/java"
    write_sdk(json.loads(schema.FILE.read_text()), copy / "sdks/sc-secure")
    return copy


def maven(folder: Path, *goals: str) -> "subprocess.CompletedProcess[str]":
    """With the settings of whoever runs the tests: their package registry and cache."""
    program = shutil.which("mvn")
    assert program, "mvn isn't on PATH: install Maven 3.8 and a JDK 17, or newer"
    argv = [program, "--batch-mode", "--quiet", *goals]
    return subprocess.run(argv, cwd=folder, env=os.environ, capture_output=True, text=True, timeout=540, check=False)


@pytest.fixture
def environment(tmp_path: Path, pulumi_env: dict[str, str], registry: str, google: "Google") -> dict[str, str]:
    """What Pulumi needs, with the package as a plugin and Google's fake, on a machine that has Java too."""
    java = shutil.which("java")
    assert java, "java isn't on PATH: install a JDK 17 or newer"
    path = f"{write_plugin(tmp_path / 'plugin')}:{pulumi_env['PATH']}:{Path(java).parent}"
    own = {"PATH": path, "SC_SECURE_TEST_ARTIFACT_REGISTRY": registry, "COSIGN_PASSWORD": "test"}
    return pulumi_env | google.environment | own


@pytest.fixture
def project(folder: Path, environment: dict[str, str], registry: str, key_pair: Path) -> SecuredProject:
    """The copy as a project."""
    project = SecuredProject(folder.parents[1] / "state", environment, registry, key_pair, "")
    for key in ("cosign.key", "cosign.pub"):
        shutil.copy(project.folder / key, folder / key)
    project.folder = folder
    project._pulumi("stack", "init", "dev")
    project.configure("gcp:project", "sc-secure-tests")
    project.configure("base", "scratch")  # no registry with the real one can be reached, and nothing runs it here
    return project


@pytest.mark.engine
def test_the_program_fits_the_sdk_and_runs(project: SecuredProject, google: "Google") -> None:
    folder = project.folder
    program = folder / PROGRAM
    right = program.read_text()
    program.write_text(right.replace(".failOn(", ".failsOn("))
    wrong = maven(folder, *COMPILE)
    assert wrong.returncode != 0
    assert "failsOn" in wrong.stdout + wrong.stderr
    program.write_text(right)
    shutil.copy(Path(__file__).parent / "java/deploy/OnTheEngine.java", program.parent)
    done = maven(folder, *COMPILE)
    assert done.returncode == 0, done.stdout + done.stderr

    classes = f"{folder}/target/classes:{(folder / 'classpath').read_text().strip()}"
    argv = ["java", "-cp", classes, "deploy.OnTheEngine"]
    up = subprocess.run(
        argv, cwd=folder, env=project.environment, capture_output=True, text=True, timeout=540, check=False
    )
    assert up.returncode == 0, up.stdout + up.stderr
    outputs = project.stack_outputs()
    assert outputs["status"] == "secured"
    assert outputs["verdict"] == "pass"
    assert len(project.attached(outputs["deployed"])) == 4
    (container,) = google.deployed(outputs["serviceName"]).service.template.containers
    assert container.image == outputs["deployed"]
    resources = json.loads(project.export())["deployment"]["resources"]
    assert {f"image-{step}" for step in STEPS} | {"web-verify"} <= {each["urn"].split("::")[-1] for each in resources}
