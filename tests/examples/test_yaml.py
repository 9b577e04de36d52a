"""`examples/yaml` with its README's commands, on the real engine; Google's API is the fake, the registry on loopback.

The commands under "Before" log in to Google, and have the language host run the package: neither can be had here.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.as_plugin import write_plugin
from tests.engine.secured_project import STEPS, SecuredProject

if TYPE_CHECKING:
    from tests.clouds.google.server import Google

EXAMPLE = Path(__file__).parents[2] / "examples/yaml"
PROJECT = "sc-secure-tests"
COMMANDS = dict(
    re.findall(r"^## ([^\n]+)\n.*?^```sh\n(.*?)^```", (EXAMPLE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
)


class Example(SecuredProject):
    """A copy of the example."""

    def follow(self, heading: str) -> "subprocess.CompletedProcess[str]":
        """Runs the README's commands under a heading, in a shell that ends with the first that fails."""
        text = COMMANDS[heading].replace("my-project", PROJECT).replace("$(openssl rand -hex 16)", "test")
        # The base image is in a registry that can't be reached, and nothing runs the service here.
        text = text.replace("pulumi stack init dev\n", "pulumi stack init dev\npulumi config set base scratch\n")
        command = ["bash", "-euo", "pipefail", "-c", text]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=540,
            check=False,
        )


@pytest.fixture
def example(tmp_path: Path, pulumi_env: dict[str, str], registry: str, key_pair: Path, google: "Google") -> Example:
    env = pulumi_env | google.environment | {"SC_SECURE_TEST_ARTIFACT_REGISTRY": registry, "COSIGN_PASSWORD": "test"}
    env["PATH"] = f"{write_plugin(tmp_path / 'plugin')}:{env['PATH']}"
    copy = Example(tmp_path / "example", env, registry, key_pair, "")
    shutil.rmtree(copy.folder)
    shutil.copytree(EXAMPLE, copy.folder, ignore=shutil.ignore_patterns("*.key", "*.pub", "Pulumi.*.yaml", ".sc"))
    return copy


@pytest.mark.engine
def test_the_example_runs_as_its_readme_says(example: Example, google: "Google") -> None:
    done = example.follow("Deploy")
    assert done.returncode == 0, done.stdout
    first = example.stack_outputs()
    assert re.fullmatch(rf".+/{PROJECT}/images-.+/web@sha256:[0-9a-f]{{64}}", first["image"]), first["image"]
    assert first["status"] == "secured"
    assert len(first["attestations"]) == 3
    assert first["scanSummary"]["verdict"] == "pass"
    assert len(example.attached(first["image"])) == 4
    assert serving(google, first["serviceName"]) == (first["image"], "v1")
    resources = json.loads(example.export())["deployment"]["resources"]
    commands = {each["urn"].split("::")[-1] for each in resources if each["type"] == "command:local:Command"}
    assert commands == {f"image-{step}" for step in STEPS} | {"web-verify"}

    add_a_vulnerable_package(example)
    done = example.follow("A new version")
    assert done.returncode == 0, done.stdout
    second = example.stack_outputs()
    assert second["image"] != first["image"]
    assert serving(google, first["serviceName"]) == (second["image"], "v2")

    done = example.follow("Close the gate")
    assert done.returncode != 0
    assert "--fail-on critical" in done.stdout, done.stdout
    assert "GHSA-2m57-hf25-phgg" in done.stdout
    assert serving(google, first["serviceName"]) == (second["image"], "v2")
    assert google.deployed(first["serviceName"]).serving() == {second["revision"]: 100}

    done = example.follow("Take it away")
    assert done.returncode == 0, done.stdout
    assert google.cloud_run.services == {}


def add_a_vulnerable_package(example: Example) -> None:
    """One with a published advisory of severity high."""
    dockerfile = (example.folder / "app/Dockerfile").read_text()
    example.write("app/Dockerfile", f"{dockerfile}COPY packages /usr/lib/python3/dist-packages\n")
    metadata = "Metadata-Version: 2.1\nName: sqlparse\nVersion: 0.4.4\n"
    example.write("app/packages/sqlparse-0.4.4.dist-info/METADATA", metadata)


def serving(google: "Google", name: str) -> tuple[str, str]:
    """The service's image, and the version that it is told."""
    (container,) = google.deployed(name).service.template.containers
    return container.image, next(each.value for each in container.env if each.name == "VERSION")


def test_links_lead_somewhere() -> None:
    readme = EXAMPLE / "README.md"
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", readme.read_text()):
        assert (EXAMPLE / target).exists(), target
