"""`examples/multi-platform` as it stands, on the real engine: BuildKit, and a registry on loopback."""

import re
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

from tests.docs.test_readme import blocks
from tests.engine.secured_project import SecuredProject
from tests.shell import put_shell

EXAMPLE = Path(__file__).parents[2] / "examples/multi-platform"
KEY = "s3cret-sentinel"


@pytest.fixture
def project(tmp_path: Path, pulumi_env: dict[str, str], registry: str, key_pair: Path) -> SecuredProject:
    """A copy of the example, configured as its README says, with images that can be had here."""
    repository = f"{registry}/m{uuid.uuid4().hex[:12]}"
    env = pulumi_env | {"COSIGN_PASSWORD": "test"}
    copy = SecuredProject(tmp_path / "example", env, repository, key_pair, "")
    shutil.copytree(EXAMPLE, copy.folder, dirs_exist_ok=True)
    copy._pulumi("stack", "init", "dev")
    copy._pulumi("config", "set", "--secret", "licence", f"Example Ltd.:{KEY}", "--stack", "dev")
    copy.configure("imageName", f"{repository}/site:1")
    copy.configure("shell", push_shell(copy, tmp_path / "shell", f"{repository}/shell:1"))
    copy.configure("server", "scratch")
    return copy


def push_shell(project: SecuredProject, context: Path, name: str) -> str:
    put_shell(context)
    (context / "Dockerfile").write_text("FROM scratch\nCOPY shell /\n")
    for words in (["build", "--quiet", "--tag", name, str(context)], ["push", "--quiet", name]):
        done = project.run("docker", *words, DOCKER_BUILDKIT="0")
        assert done.returncode == 0, done.stderr
    return name


@pytest.mark.engine
def test_the_example_runs_as_its_readme_says(project: SecuredProject) -> None:
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert outputs["status"] == "secured"
    assert set(project.up().steps.values()) == {"same"}

    commands = blocks(project.folder / "README.md", "sh")[1]
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", commands],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {"amd64", "arm64"} <= set(re.findall(r'"architecture": ?"(\w+)"', done.stdout))

    for platform in ("linux/amd64", "linux/arm64"):
        check_the_site(project, outputs["deployable_ref"], platform)
    assert KEY not in project.export()


def check_the_site(project: SecuredProject, ref: str, platform: str) -> None:
    tar = project.folder / "site.tar"
    assert project.run("crane", "export", "--platform", platform, ref, str(tar)).returncode == 0
    licence = project.run("tar", "-xOf", str(tar), "usr/share/nginx/html/licence.txt").stdout
    assert licence == "Licensed to Example Ltd.\n"
    assert KEY.encode() not in tar.read_bytes()
