"""What `docker_build.Image` does, on the real engine, BuildKit and a registry.

All of it is known of pulumi-docker-build 0.0.22, whose source says so: this machine's engine is too old for its buildx.
"""

import gzip
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.basic_auth import PASSWORD, USERNAME, locked
from tests.plugins.shared.sdk_schema import inputs_of, outputs_of
from tests.project import Project, Run
from tests.registry_content import fetched, fetched_bytes
from tests.shell import DOCKERFILE as SHELL
from tests.shell import put_shell

pytestmark = pytest.mark.engine

IMAGES = """
import json
from pathlib import Path
import pulumi
import pulumi_docker_build as docker_build
from pulumi_command import local

for name, args in json.loads(Path("images.json").read_text()).items():
    if "secrets" in args:
        args["secrets"] = pulumi.Output.secret(args["secrets"])
    for registry in args.get("registries", []):
        registry["password"] = pulumi.Output.secret(registry["password"])
    image = docker_build.Image(name, push=True, **args)
    local.Command(f"{name}-user", create=image.digest.apply(lambda digest: f"echo {digest or 'empty'}"))
"""
FOLDER = f"plugins-{secrets.token_hex(4)}"  # the registry may have seen other runs
DOCKERFILE = "FROM scratch AS base\nARG WHO=nobody\nLABEL who=$WHO\nCOPY file /file\nFROM base\nLABEL last=yes\n"
READS_SECRET = """
RUN --mount=type=secret,id=token read -r token < /run/secrets/token; echo ${#token} > /length
FROM scratch
COPY --from=shell /length /length
"""
BOTH = ["linux/amd64", "linux/arm64"]


@dataclass
class Phase:
    """A run, and what the state held after it."""

    run: Run
    resources: dict[str, dict[str, Any]]

    def digest(self, name: str) -> str:
        return self.resources[name]["outputs"]["digest"]


def _phase(project: Project, images: dict[str, dict[str, Any]], run: Callable[[], Run]) -> Phase:
    project.write("images.json", images)
    done = run()
    return Phase(done, project.resources())


def _images(registry: str, **changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    images: dict[str, dict[str, Any]] = {
        "both": {"context": {"location": "app"}, "platforms": BOTH, "build_on_preview": False},
        "one": {
            "context": {"location": "app"},
            "dockerfile": {"location": "app/Dockerfile"},
            "target": "base",
            "build_args": {"WHO": "one"},
        },
    }
    for name, image in images.items():
        image["tags"] = [f"{registry}/{FOLDER}/{name}:v1"]
    return {name: image | changes.get(name, {}) for name, image in images.items()}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, pulumi_env: dict[str, str]) -> Project:
    folder = tmp_path_factory.mktemp("docker-build")
    project = Project(folder, pulumi_env, IMAGES)
    project.write("app/Dockerfile", DOCKERFILE)
    project.write("app/.dockerignore", "ignored\n")
    project.write("app/file", str(folder))  # of this run: nothing comes from an earlier one's cache
    return project


@pytest.fixture(scope="module")
def previewed(project: Project, registry: str) -> Phase:
    return _phase(project, _images(registry), project.preview)


@pytest.fixture(scope="module")
def created(project: Project, registry: str, previewed: Phase) -> Phase:
    return _phase(project, _images(registry), project.up)


@pytest.fixture(scope="module")
def unchanged(project: Project, registry: str, created: Phase) -> Phase:
    project.write("app/ignored", "no build sees it")
    return _phase(project, _images(registry), lambda: project.up("--refresh"))


@pytest.fixture(scope="module")
def foreseen(project: Project, registry: str, unchanged: Phase) -> Phase:
    project.write("app/file", "changed")
    return _phase(project, _images(registry, one={"build_args": {"WHO": "other"}}), project.preview)


@pytest.fixture(scope="module")
def changed(project: Project, registry: str, foreseen: Phase) -> Phase:
    return _phase(project, _images(registry, one={"build_args": {"WHO": "other"}}), project.up)


def test_the_schema_is_the_sdk_s() -> None:
    assert inputs_of("docker-build:index:Image")["properties"]["platforms"]["items"] == {"type": "string"}
    assert outputs_of("docker-build:index:Image")["properties"].keys() == {"digest", "contextHash", "ref"}


def test_a_preview_pushes_nothing(previewed: Phase, registry: str) -> None:
    assert previewed.run.code == 0, previewed.run.text
    assert previewed.run.steps["both"] == "create"
    assert f"{FOLDER}/both" not in (fetched(registry, "_catalog")["repositories"] or [])


def test_several_platforms_are_an_index(created: Phase, registry: str) -> None:
    assert created.run.code == 0, created.run.text
    index = fetched(registry, f"{FOLDER}/both/manifests/{created.digest('both')}")
    assert index["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert [each["platform"] for each in index["manifests"]] == [
        {"os": "linux", "architecture": "amd64"},
        {"os": "linux", "architecture": "arm64"},
    ]
    for each in index["manifests"]:
        manifest = fetched(registry, f"{FOLDER}/both/manifests/{each['digest']}")
        config = fetched(registry, f"{FOLDER}/both/blobs/{manifest['config']['digest']}")
        assert config["architecture"] == each["platform"]["architecture"]
    assert created.resources["both-user"]["outputs"]["stdout"] == created.digest("both")


def test_one_platform_is_an_image(created: Phase, registry: str) -> None:
    manifest = fetched(registry, f"{FOLDER}/one/manifests/{created.digest('one')}")
    config = fetched(registry, f"{FOLDER}/one/blobs/{manifest['config']['digest']}")
    assert config["config"]["Labels"] == {"who": "one"}


def test_the_other_outputs(created: Phase, registry: str) -> None:
    outputs = created.resources["both"]["outputs"]
    assert outputs["ref"] == f"{registry}/{FOLDER}/both:v1@{outputs['digest']}"
    assert outputs["dockerfile"] == {"location": "app/Dockerfile"}
    assert outputs["network"] == "default"
    assert created.resources["both"]["id"] == outputs["digest"]


def test_nothing_a_build_sees_changed_is_no_change(created: Phase, unchanged: Phase) -> None:
    assert unchanged.run.code == 0, unchanged.run.text
    assert set(unchanged.run.steps.values()) <= {"same", "refresh"}
    assert unchanged.digest("both") == created.digest("both")


def test_preview_of_a_changed_file_gives_an_empty_digest(foreseen: Phase) -> None:
    """Which programs mustn't take for one."""
    assert foreseen.run.code == 0, foreseen.run.text
    assert foreseen.run.steps["both"] == foreseen.run.steps["one"] == "update"
    assert foreseen.run.planned["both-user"]["inputs"]["create"] == "echo empty"
    assert foreseen.run.planned["one-user"]["inputs"].get("create") != "echo empty", (
        "with a changed input, it's unknown"
    )


def test_a_changed_file_makes_a_new_image(created: Phase, changed: Phase) -> None:
    assert changed.run.code == 0, changed.run.text
    assert changed.digest("both") != created.digest("both")
    assert changed.digest("one") != created.digest("one")


def test_secrets_and_credentials(tmp_path: Path, pulumi_env: dict[str, str], registry: str) -> None:
    project = Project(tmp_path, pulumi_env, IMAGES)
    put_shell(project.folder / "app")
    project.write("app/Dockerfile", SHELL + READS_SECRET)
    with locked(registry) as address:
        image: dict[str, Any] = {
            "context": {"location": "app"},
            "platforms": BOTH,
            "network": "none",
            "tags": [f"{address}/{FOLDER}/secret:v1"],
            "secrets": {"token": "s3cret-sentinel"},
            "ignore_secrets_in_diff_calculation": ["token"],
            "registries": [{"address": address, "username": USERNAME, "password": PASSWORD}],
        }
        created = _phase(project, {"secret": image}, project.up)
        assert created.run.code == 0, created.run.text
        index = fetched(registry, f"{FOLDER}/secret/manifests/{created.digest('secret')}")
        for each in index["manifests"]:
            [layer] = fetched(registry, f"{FOLDER}/secret/manifests/{each['digest']}")["layers"]
            content = gzip.decompress(fetched_bytes(registry, f"{FOLDER}/secret/blobs/{layer['digest']}"))
            assert b"15\n" in content, "the build has read it"
            assert b"s3cret-sentinel" not in content
        state = json.dumps(created.resources)
        assert "s3cret-sentinel" not in state
        assert PASSWORD not in state
        image["secrets"] = {"token": "another"}
        image["registries"][0]["password"] = f"{PASSWORD}, expired"
        assert _phase(project, {"secret": image}, project.preview).run.steps["secret"] == "same"
        del image["ignore_secrets_in_diff_calculation"]
        assert _phase(project, {"secret": image}, project.preview).run.steps["secret"] == "update"


def test_destroying_deletes_what_was_pushed(changed: Phase, project: Project, registry: str) -> None:
    digest = changed.digest("both")
    assert project.destroy().code == 0
    with pytest.raises(AssertionError, match="404"):
        fetched(registry, f"{FOLDER}/both/manifests/{digest}")
