"""`examples/typescript` and `examples/go` with SDKs made from the checked-in schema: type-checked, run by the engine.

Go and Node.js (with npm) have to be on PATH: without one of them its test fails, and none is skipped. `examples/csharp`
isn't compiled, since NuGet, which has Pulumi's own .NET SDK, can't be had here: `tests/docs/test_languages.py` checks
its names. The language hosts are the newest that the Go module proxy has inside the SDK's own module, older than the
engine. They stand for today's, and run programs of today's SDKs. Google's API is the fake, the registry on loopback.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devtools import tools
from tests.as_plugin import ROOT, write_plugin
from tests.engine.secured_project import STEPS, SecuredProject

if TYPE_CHECKING:
    from tests.clouds.google.server import Google

EXAMPLES = ROOT / "examples"
PROJECT = "sc-secure-tests"
SDK = {"typescript": "nodejs", "go": "go"}
INSTALL = {"typescript": ["npm", "ci"], "go": ["go", "mod", "download"]}
CHECK = {"typescript": ["npx", "--no-install", "tsc", "--project", "."], "go": ["go", "vet", "./..."]}
WRONG = {"typescript": ("scan: { failOn:", "scan: { failsOn:"), "go": ("FailOn:    ", "FailsOn:   ")}
PROGRAM = {"typescript": "index.ts", "go": "main.go"}


@pytest.fixture(params=["go", "typescript"])
def language(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def folder(tmp_path: Path, language: str) -> Path:
    """A copy of the example, with the package's SDK where `pulumi package add` writes it, and its dependencies."""
    made_here = shutil.ignore_patterns("node_modules", "sdks", "bin", ".sc", "Pulumi.*.yaml", "*.key", "*.pub")
    for name in (language, "yaml"):
        shutil.copytree(EXAMPLES / name, tmp_path / "examples" / name, ignore=made_here)
    copy = tmp_path / "examples" / language
    generator = tools.ensure(["pulumi-sdk"])["pulumi-sdk"]
    run([str(generator), SDK[language], str(ROOT / "schema.json"), str(copy / "sdks/sc-secure")], copy)
    run(INSTALL[language], copy)
    return copy


def run(command: list[str], folder: Path, *, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """With the settings of whoever runs the tests: their package registries and caches."""
    program = shutil.which(command[0])
    assert program, f"{command[0]} isn't on PATH: install Go 1.26 and Node.js 20 with npm, or newer"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    done = subprocess.run(
        [program, *command[1:]], cwd=folder, env=environment, capture_output=True, text=True, timeout=540, check=False
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done


@pytest.fixture
def environment(tmp_path: Path, pulumi_env: dict[str, str], registry: str, google: "Google") -> dict[str, str]:
    """What Pulumi needs, with the package as a plugin and Google's fake."""
    path = f"{write_plugin(tmp_path / 'plugin')}:{pulumi_env['PATH']}"
    own = {"PATH": path, "SC_SECURE_TEST_ARTIFACT_REGISTRY": registry, "COSIGN_PASSWORD": "test"}
    return pulumi_env | google.environment | own


@pytest.fixture
def project(folder: Path, language: str, environment: dict[str, str], registry: str, key_pair: Path) -> SecuredProject:
    """The copy as a project, on a machine that has Go, Node.js and their hosts too."""
    host = tools.ensure([f"pulumi-language-{SDK[language]}"])[f"pulumi-language-{SDK[language]}"]
    toolchain = Path(shutil.which("go" if language == "go" else "node") or "").parent
    own = {"PATH": f"{host.parent}:{toolchain}:{environment['PATH']}", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    if language == "go":
        own |= {name: run(["go", "env", name], folder).stdout.strip() for name in ("GOMODCACHE", "GOCACHE")}
    project = SecuredProject(folder.parents[1] / "state", environment | own, registry, key_pair, "")
    for key in ("cosign.key", "cosign.pub"):
        shutil.copy(project.folder / key, folder / key)
    project.folder = folder
    project._pulumi("stack", "init", "dev")
    project.configure("gcp:project", PROJECT)
    project.configure("base", "scratch")  # no registry with the real one can be reached, and nothing runs it here
    return project


@pytest.mark.engine
def test_the_program_fits_the_sdk_and_runs(project: SecuredProject, language: str, google: "Google") -> None:
    folder = project.folder
    run(CHECK[language], folder)
    program = folder / PROGRAM[language]
    right = program.read_text()
    program.write_text(right.replace(*WRONG[language]))
    wrong = run(CHECK[language], folder, check=False)
    assert wrong.returncode != 0
    assert "fails" in (wrong.stdout + wrong.stderr).lower()
    program.write_text(right)

    up = project.up()
    assert up.code == 0, up.text
    outputs = project.stack_outputs()
    assert outputs["status"] == "secured"
    assert outputs["scanSummary"]["verdict"] == "pass"
    assert len(project.attached(outputs["deployed"])) == 4
    (container,) = google.deployed(outputs["serviceName"]).service.template.containers
    assert container.image == outputs["deployed"]
    assert {f"image-{step}" for step in STEPS} | {"web-verify"} <= set(up.steps)
    assert project.preview("--expect-no-changes").code == 0
