"""What `docker.Image` does, on the real engine, docker and a registry. All of it holds for pulumi-docker 5.2.0, too."""

import http.client
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.basic_auth import PASSWORD, USERNAME, locked
from tests.project import Project, Run

pytestmark = pytest.mark.engine

# Images come from a file, so that a test can change them; a password is always a secret.
IMAGES = """
import json
from pathlib import Path
import pulumi
import pulumi_docker as docker
from pulumi_command import local

for name, args in json.loads(Path("images.json").read_text()).items():
    if "password" in args.get("registry", {}):
        args["registry"]["password"] = pulumi.Output.secret(args["registry"]["password"])
    image = docker.Image(name, args=docker.ImageArgs(**args))
    local.Command(f"{name}-user", create=image.repo_digest.apply(lambda digest: f"echo {digest}"))
"""
FOLDER = f"plugins-{secrets.token_hex(4)}"  # the registry may have seen other runs
DOCKERFILE = "FROM scratch AS base\nARG WHO=nobody\nLABEL who=$WHO\nCOPY . /app/\nFROM base\nLABEL last=yes\n"


@dataclass
class Phase:
    """A run, and what the state held after it."""

    run: Run
    resources: dict[str, dict[str, Any]]

    def digest(self, name: str) -> str:
        return self.resources[name]["outputs"]["repoDigest"]


def _phase(project: Project, images: dict[str, dict[str, Any]], run: Callable[[], Run]) -> Phase:
    project.write("images.json", images)
    done = run()
    return Phase(done, project.resources())


def _images(registry: str, **changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    images: dict[str, dict[str, Any]] = {
        "one": {"build": {"context": "one", "dockerfile": "one/Dockerfile", "platform": "linux/amd64"}},
        "two": {"build": {"context": "two", "args": {"WHO": "two"}, "target": "base"}},
        "local": {"build": {"context": "one"}, "skip_push": True},
    }
    for name, image in images.items():
        image["image_name"] = f"{registry}/{FOLDER}/{name}:v1"
        image["build"] = image["build"] | changes.get(name, {})
    return images


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, pulumi_env: dict[str, str], registry: str) -> Project:
    folder = tmp_path_factory.mktemp("docker")
    project = Project(folder, pulumi_env, IMAGES)
    for name in ("one", "two"):
        project.write(f"{name}/Dockerfile", DOCKERFILE)
        project.write(f"{name}/.dockerignore", "# notes\nignored\n**/*.tmp\n!kept.tmp\n/docs/*.md\na?c\n")
        project.write(f"{name}/ignored/file", "1")
        project.write(f"{name}/made.tmp", "1")
        project.write(f"{name}/who", str(folder))  # of this run: nothing comes from an earlier one's cache
    return project


@pytest.fixture(scope="module")
def previewed(project: Project, registry: str) -> Phase:
    return _phase(project, _images(registry), project.preview)


@pytest.fixture(scope="module")
def created(project: Project, registry: str, previewed: Phase) -> Phase:
    return _phase(project, _images(registry), project.up)


@pytest.fixture(scope="module")
def unchanged(project: Project, registry: str, created: Phase) -> Phase:
    """Files that no build sees have changed."""
    for name in ("one", "two"):
        project.write(f"{name}/ignored/file", "2")
        for file in ("sub/made.tmp", "docs/new.md", "abc"):
            project.write(f"{name}/{file}", "2")
    return _phase(project, _images(registry), lambda: project.up("--refresh"))


@pytest.fixture(scope="module")
def foreseen(project: Project, registry: str, unchanged: Phase) -> Phase:
    project.write("one/kept.tmp", "now seen: an exception of .dockerignore")
    return _phase(project, _images(registry, two={"args": {"WHO": "other"}}), project.preview)


@pytest.fixture(scope="module")
def changed(project: Project, registry: str, foreseen: Phase) -> Phase:
    return _phase(project, _images(registry, two={"args": {"WHO": "other"}}), project.up)


def _get(server: str, path: str) -> Any:
    connection = http.client.HTTPConnection(server)
    accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
    connection.request("GET", f"/v2/{path}", headers={"Accept": accept})
    answer = connection.getresponse()
    assert answer.status == 200, path
    document = json.load(answer)
    connection.close()
    return document


def _labels(reference: str) -> dict[str, str]:
    """Return the labels of the image in the registry, from its configuration there."""
    server, _, rest = reference.partition("/")
    repository, _, digest = rest.partition("@")
    manifest = _get(server, f"{repository}/manifests/{digest}")
    return _get(server, f"{repository}/blobs/{manifest['config']['digest']}")["config"]["Labels"]


def _repositories(registry: str) -> list[str]:
    return _get(registry, "_catalog")["repositories"] or []


def test_preview_builds_nothing(previewed: Phase, registry: str) -> None:
    assert previewed.run.code == 0, previewed.run.text
    assert previewed.run.steps["one"] == "create"
    assert f"{FOLDER}/one" not in _repositories(registry)


def test_repo_digest_is_that_of_the_pushed_image(created: Phase, registry: str) -> None:
    assert created.run.code == 0, created.run.text
    for name in ("one", "two"):
        assert created.digest(name).startswith(f"{registry}/{FOLDER}/{name}@sha256:")
        assert _labels(created.digest(name))  # so the registry knows it by this digest
    assert created.resources["one-user"]["outputs"]["stdout"] == created.digest("one")


def test_the_other_outputs(created: Phase, registry: str) -> None:
    outputs = created.resources["one"]["outputs"]
    assert outputs["imageName"] == outputs["baseImageName"] == f"{registry}/{FOLDER}/one:v1"
    assert outputs["context"] == "one"
    assert outputs["dockerfile"] == "Dockerfile"


def test_build_args_and_target_are_used(created: Phase) -> None:
    assert _labels(created.digest("one")) == {"who": "nobody", "last": "yes"}
    assert _labels(created.digest("two")) == {"who": "two"}


def test_an_image_that_is_not_pushed_gives_its_id(created: Phase, registry: str) -> None:
    assert created.digest("local").startswith("sha256:")
    assert f"{FOLDER}/local" not in _repositories(registry)


def test_nothing_a_build_sees_changed_is_no_change(created: Phase, unchanged: Phase) -> None:
    assert unchanged.run.code == 0, unchanged.run.text
    assert set(unchanged.run.steps.values()) <= {"same", "refresh"}
    assert unchanged.digest("one") == created.digest("one")


def test_preview_of_a_rebuild_does_not_know_the_digest(created: Phase, foreseen: Phase) -> None:
    assert foreseen.run.code == 0, foreseen.run.text
    assert foreseen.run.steps["one"] == foreseen.run.steps["two"] == "update"
    assert foreseen.run.steps["one-user"] == "update"
    assert foreseen.digest("one") == created.digest("one")


def test_a_changed_file_or_build_input_makes_a_new_image(created: Phase, changed: Phase) -> None:
    assert changed.run.code == 0, changed.run.text
    assert changed.digest("one") != created.digest("one")
    assert changed.digest("two") != created.digest("two")
    assert _labels(changed.digest("two")) == {"who": "other"}
    assert changed.resources["one-user"]["outputs"]["stdout"] == changed.digest("one")


def test_credentials_of_the_program_push_and_stay_secret(
    tmp_path: Path, pulumi_env: dict[str, str], registry: str
) -> None:
    project = Project(tmp_path, pulumi_env, IMAGES)
    project.write("app/Dockerfile", DOCKERFILE)
    with locked(registry) as address:
        login = {"server": address, "username": USERNAME, "password": PASSWORD}
        other = login | {"password": f"{PASSWORD}, expired"}
        private, refused, broken = (
            {"image_name": f"{address}/{FOLDER}/{name}:v1", "build": {"context": "app"}, "registry": login}
            for name in ("private", "refused", "broken")
        )
        refused["registry"] = other
        broken["build"] = {"context": "app", "target": "nosuch"}
        images = {"private": private, "refused": refused, "broken": broken}
        created = _phase(project, images, lambda: project.up("--continue-on-error"))
        assert created.digest("private").startswith(f"{address}/{FOLDER}/private@sha256:")
        assert PASSWORD not in json.dumps(created.resources)
        assert created.run.code != 0
        assert "nosuch" in created.run.text
        assert not {"refused", "broken"} & set(created.resources)

        renewed = _phase(project, {"private": private | {"registry": other}}, project.preview)
        assert renewed.run.steps["private"] == "same"
