"""The program of docs/monorepo.md on the real engine: many images, few steps at a time, and none round the gate."""

import itertools
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.docs.test_readme import blocks
from tests.engine.secured_project import SecuredProject

pytestmark = pytest.mark.engine

PAGE = Path(__file__).parents[2] / "docs/monorepo.md"
SERVICES = ("api", "shop", "web")


@pytest.fixture
def project(new_project: Callable[..., SecuredProject], tmp_path: Path) -> SecuredProject:
    (program,) = blocks(PAGE, "python")
    (policy,) = blocks(PAGE, "yaml")
    project = new_project(program)
    project.write("security.yaml", policy)
    for name in SERVICES:
        project.write_app(f"services/{name}", content=name)
    project.environment |= {"COSIGN_PASSWORD": "test", "SC_SECURE_CACHE": str(tmp_path / "cache")}
    return project


def periods(project: SecuredProject) -> list[tuple[datetime, datetime]]:
    """From when to when each step was at work."""
    resources = json.loads(project.export())["deployment"]["resources"]
    results = [json.loads(each["outputs"]["stdout"]) for each in resources if each["type"] == "command:local:Command"]
    return sorted(
        (datetime.fromisoformat(each["startedAt"]), datetime.fromisoformat(each["finishedAt"])) for each in results
    )


def test_many_images_one_step_at_a_time(project: SecuredProject) -> None:
    project.configure("sc-secure:maxParallel", "1")
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert set(outputs) == set(SERVICES)
    assert len(set(outputs.values())) == len(SERVICES)
    assert all(len(project.attached(reference)) == 3 for reference in outputs.values())

    at_work = periods(project)
    assert len(at_work) == 6 * len(SERVICES)
    assert all(ended <= began for (_, ended), (began, _) in itertools.pairwise(at_work))

    # Another number runs nothing again.
    project.configure("sc-secure:maxParallel", "3")
    assert project.preview("--expect-no-changes").code == 0

    # An image that goes round the gate stops the update.
    program = (project.folder / "__main__.py").read_text()
    project.write(
        "__main__.py",
        program
        + '\nimport pulumi_docker\npulumi_docker.Image("loose", image_name=config.require("registry") + "/loose:1",'
        ' build={"context": "services/web"})\n',
    )
    run = project.up()
    assert run.code != 0
    assert "loose: build images with SecuredImage" in run.text
    assert "loose" not in project.resources()


def test_one_image_that_does_not_pass_stops_no_other(project: SecuredProject) -> None:
    project.write_app("services/shop", packages={"h11": "0.14.0"})
    run = project.up("--continue-on-error")
    outputs = project.stack_outputs()
    assert run.code != 0, "h11 0.14.0 has a critical advisory"
    assert {name for name, value in outputs.items() if "@sha256:" in str(value)} == {"api", "web"}
