"""docs/adopting.md: the programs of the page, on the real engine."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.secured_project import STEPS, SecuredProject

pytestmark = pytest.mark.engine
NewProject = Callable[..., SecuredProject]

PAGE = Path(__file__).parents[2] / "docs/adopting.md"
BEFORE, TAKEN_OVER, LEFT = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
STEPS_OF_WEB = {f"web-{step}" for step in STEPS}
YAML = """
name: trial
runtime: yaml
config:
  registry: {type: string}
resources:
  web:
    type: sc-secure:SecuredImage
    properties:
      imageName: ${registry}/web:1.0
      build: {context: app, dockerfile: app/Dockerfile, platform: linux/amd64}
      imageAliases: ["URN"]
      security: {scan: {failOn: critical}}
outputs:
  image: ${web.deployableRef}
"""


@pytest.fixture
def deployed(new_project: NewProject) -> SecuredProject:
    """A stack with the image as it is before anything is adopted."""
    project = new_project(BEFORE)
    project.environment["COSIGN_PASSWORD"] = "test"
    run = project.up()
    assert run.code == 0, run.text
    return project


def not_built_again(project: SecuredProject, program: str, file: str = "__main__.py") -> None:
    """Changes the program, and checks that the image stays as it is, in the preview and in the update after it."""
    digest = project.stack_outputs()["image"]
    project.write(file, program)
    for run in (project.preview(), project.up()):
        assert run.code == 0, run.text
        images = {name: op for name, op in run.steps.items() if name in ("web", "web-image")}
        assert list(images.values()) == ["same"], images
        assert set(run.steps.values()) <= {"same", "create"}
        assert "Building the image" not in run.text, run.text
    assert project.stack_outputs()["image"] == digest


def images(project: SecuredProject) -> list[str]:
    """The URNs of the images in the state, without the stack's and the project's name."""
    resources = json.loads(project.export())["deployment"]["resources"]
    return [each["urn"].split("::", 2)[2] for each in resources if each["type"] == "docker:index/image:Image"]


def test_an_image_is_taken_over_as_it_is(deployed: SecuredProject) -> None:
    project = deployed
    project.write("__main__.py", TAKEN_OVER.replace('"image_aliases": ["web"]', '"image_aliases": ["misspelt"]'))
    assert project.changed()["web-image"]["op"] == "create"  # what the page warns of

    not_built_again(project, TAKEN_OVER)
    assert images(project) == ["sc-secure:index:SecuredImage$docker:index/image:Image::web-image"]
    assert set(project.resources()) >= STEPS_OF_WEB
    assert len(project.attached(project.stack_outputs()["image"])) == 4

    project.write("__main__.py", TAKEN_OVER.replace('        "image_aliases": ["web"],\n', ""))
    assert project.changed() == {}


def test_an_image_is_taken_over_by_its_urn_and_across_the_provider_boundary(
    deployed: SecuredProject, plugin: Path
) -> None:
    deployed.environment["PATH"] = f"{plugin}:{deployed.environment['PATH']}"
    [urn] = [each["urn"] for each in deployed.resources().values() if each["type"] == "docker:index/image:Image"]
    not_built_again(deployed, YAML.replace("URN", urn), "Pulumi.yaml")


def test_an_image_is_left_where_it_is(deployed: SecuredProject) -> None:
    before = images(deployed)
    not_built_again(deployed, LEFT)
    assert images(deployed) == before
    assert len(deployed.attached(deployed.stack_outputs()["image"])) == 4
