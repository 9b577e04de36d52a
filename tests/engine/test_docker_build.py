"""`SecuredImage` with builder docker-build, through the real engine: two platforms, and a build secret."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.secured_project import SECURITY, STEPS, SecuredProject
from tests.shell import DOCKERFILE as SHELL
from tests.shell import put_shell

pytestmark = pytest.mark.engine
NewProject = Callable[..., SecuredProject]

TOKEN = "s3cret-of-the-build"
PROGRAM = f"""
import pulumi
from sc_secure import SecuredImage

config = pulumi.Config()
{SECURITY}
build = {{"context": "app", "dockerfile": "app/Dockerfile", "builder": config.get("builder") or "docker-build"}}
if build["builder"] == "docker-build":
    build |= {{"platforms": ["linux/amd64", "linux/arm64"], "network": "none"}}
    build["secrets"] = {{"token": config.require_secret("token")}}
else:
    build["dockerfile"] = "app/plain.Dockerfile"
image = SecuredImage("app", {{
    "image_name": config.require("registry") + "/app:1",
    "build": build,
    "security": security,
}})
for output in ("image_ref", "digest", "deployable_ref", "status", "attestations"):
    pulumi.export(output, getattr(image, output))
"""
YAML = """
name: trial
runtime: yaml
config:
  registry: {type: string}
  token: {type: string, secret: true}
resources:
  app:
    type: sc-secure:SecuredImage
    properties:
      imageName: ${registry}/app:1
      build:
        builder: docker-build
        context: app
        platforms: [linux/amd64, linux/arm64]
        network: none
        secrets: {token: "${token}"}
      security:
        scan: {failOn: critical}
        signing: {key: cosign.key, passwordEnv: SIGNING_PASSWORD, verify: {key: cosign.pub}}
outputs:
  deployable_ref: ${app.deployableRef}
  status: ${app.status}
"""
PLAIN = "FROM scratch\nCOPY packages /usr/lib/python3/dist-packages\nCOPY hello.txt /hello.txt\n"
READS_SECRET = "RUN --mount=type=secret,id=token read -r token < /run/secrets/token; echo ${#token} > /length\n"
DOCKERFILE = f"{SHELL}{READS_SECRET}{PLAIN}COPY --from=shell /length /length\n"
BY_KEY = ("--key", "cosign.pub", "--insecure-ignore-tlog=true")


@pytest.fixture
def project(new_project: NewProject) -> SecuredProject:
    made = new_project(PROGRAM)
    made._pulumi("config", "set", "--secret", "token", TOKEN, "--stack", "dev")
    made.write("app/Dockerfile", DOCKERFILE)
    made.write("app/plain.Dockerfile", PLAIN)
    made.write("app/.dockerignore", "*Dockerfile\n")
    put_shell(made.folder / "app")
    return made


def test_an_index_is_built_secured_and_kept(project: SecuredProject) -> None:
    first = project.preview()
    assert first.code == 0, first.text
    assert first.steps["app-image"] == "create"
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert outputs["status"] == "secured"
    assert outputs["deployable_ref"] == outputs["image_ref"]
    check_index_and_images_are_signed(project, outputs["deployable_ref"])
    check_provenance(project, outputs["deployable_ref"])
    check_the_secret_is_in_its_resource_alone(project)

    again = project.up()
    assert again.code == 0, again.text
    assert set(again.steps.values()) == {"same"}

    check_a_policy_change_changes_one_step(project)
    check_a_changed_file_is_foreseen_and_built(project, outputs)
    check_another_builder(project)


def manifest(project: SecuredProject, reference: str) -> dict[str, Any]:
    done = project.run("crane", "manifest", reference)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_index_and_images_are_signed(project: SecuredProject, ref: str) -> None:
    index, repository = manifest(project, ref), ref.split("@", maxsplit=1)[0]
    platforms = {each["platform"]["architecture"]: f"{repository}@{each['digest']}" for each in index["manifests"]}
    assert set(platforms) == {"amd64", "arm64"}
    for each in (ref, *platforms.values()):
        assert project.run("cosign", "verify", *BY_KEY, each).returncode == 0
        done = project.run("cosign", "verify-attestation", *BY_KEY, "--type", "slsaprovenance1", each)
        assert done.returncode == 0, done.stderr
    for each in platforms.values():
        for kind in ("cyclonedx", "vuln"):
            done = project.run("cosign", "verify-attestation", *BY_KEY, "--type", kind, each)
            assert done.returncode == 0, done.stderr
        assert manifest(project, each)["layers"]


def check_provenance(project: SecuredProject, ref: str) -> None:
    folder = project.folder / ".sc/artifacts" / ref.split("@")[1].replace(":", "-")
    provenance = json.loads((folder / "provenance.slsa.json").read_text())
    parameters = provenance["buildDefinition"]["externalParameters"]
    assert parameters["platforms"] == ["linux/amd64", "linux/arm64"]
    assert parameters["builder"] == "docker-build"
    assert "platform" not in parameters


def check_the_secret_is_in_its_resource_alone(project: SecuredProject) -> None:
    shown = json.loads(project.export("--show-secrets"))["deployment"]["resources"]
    with_it = {each["urn"].split("::")[-1] for each in shown if TOKEN in json.dumps(each)}
    assert with_it == {"app-image"}
    assert TOKEN not in project.export(), "and there it's encrypted"
    files = [file for file in (project.folder / ".sc").rglob("*") if file.is_file()]
    assert not [file for file in files if TOKEN in file.read_text(errors="replace")]


def check_a_policy_change_changes_one_step(project: SecuredProject) -> None:
    project.configure("failOn", "high")
    assert set(project.changed()) == {"app-scan"}
    project.configure("failOn", "critical")
    project._pulumi("config", "set", "--secret", "token", f"{TOKEN}-2", "--stack", "dev")
    assert project.changed() == {}, "a new secret re-runs nothing"


def check_a_changed_file_is_foreseen_and_built(project: SecuredProject, before: dict[str, Any]) -> None:
    project.write("app/hello.txt", "changed")
    changed = project.changed()
    assert set(changed) == {"app-image", *(f"app-{step}" for step in STEPS)}
    assert set(changed["app-image"]["detailedDiff"]) == {"contextHash"}
    run = project.up()
    assert run.code == 0, run.text
    after = project.stack_outputs()
    assert after["digest"] != before["digest"]
    assert after["deployable_ref"].endswith(after["digest"])


def check_another_builder(project: SecuredProject) -> None:
    """The other builder takes over; what this one pushed stays, since it may be deployed."""
    index = project.stack_outputs()["deployable_ref"]
    project.configure("builder", "docker")
    run = project.up()
    assert run.code == 0, run.text
    assert project.stack_outputs()["deployable_ref"] != index
    state = json.loads(project.export())["deployment"]["resources"]
    images = [each["type"] for each in state if each["urn"].endswith("::app-image")]
    assert images == ["docker:index/image:Image"]
    assert len(manifest(project, index)["manifests"]) == 2


def test_findings_in_one_platform_close_the_gate(project: SecuredProject) -> None:
    project.configure("failOn", "high")
    run = project.up()
    assert run.code != 0
    said = [m["message"] for m in run.messages if m["severity"] == "error" and "app-scan" in m.get("urn", "")]
    assert any("GHSA-2m57-hf25-phgg" in message for message in said), run.text
    assert TOKEN not in run.text + project.events()
    assert "deployable_ref" not in project.stack_outputs()
    state = json.loads(project.export())["deployment"]["resources"]
    image = next(each for each in state if each["type"] == "docker-build:index:Image")
    repository, digest = image["outputs"]["tags"][0].rpartition(":")[0], image["outputs"]["digest"]
    children = [each["digest"] for each in manifest(project, f"{repository}@{digest}")["manifests"]]
    assert [project.attached(f"{repository}@{each}") for each in (digest, *children)] == [[], [], []]

    project.configure("failOn", "critical")
    run = project.up()
    assert run.code == 0, run.text
    assert run.steps["app-image"] == run.steps["app-sbom"] == "same"


def test_from_yaml(project: SecuredProject, plugin: Path) -> None:
    """As from any other language: the secret stays one across the provider boundary."""
    (project.folder / "__main__.py").unlink()
    project.write("Pulumi.yaml", YAML)
    project.environment["PATH"] = f"{plugin}:{project.environment['PATH']}"
    run = project.up()
    assert run.code == 0, run.text
    assert project.stack_outputs()["status"] == "secured"
    assert len(manifest(project, project.stack_outputs()["deployable_ref"])["manifests"]) == 2
    check_the_secret_is_in_its_resource_alone(project)
    assert set(project.up().steps.values()) == {"same"}
    project.write("Pulumi.yaml", YAML.replace("linux/arm64", "linux/amr64"))
    run = project.preview()
    assert run.code != 0
    assert "build.platforms[1]: unknown platform; did you mean linux/arm64?" in run.text, run.text
    assert "Traceback" not in run.text


def test_another_machine_sees_no_change_and_destroying_leaves_the_image(project: SecuredProject) -> None:
    assert project.up().code == 0
    elsewhere = project.folder.parent / "elsewhere"
    project.folder.rename(elsewhere)
    project.folder = elsewhere
    shutil.rmtree(elsewhere / ".sc")
    assert project.changed() == {}
    ref = project.stack_outputs()["deployable_ref"]
    run = project.destroy()
    assert run.code == 0, run.text
    assert len(manifest(project, ref)["manifests"]) == 2
    assert project.run("cosign", "verify", *BY_KEY, ref).returncode == 0
