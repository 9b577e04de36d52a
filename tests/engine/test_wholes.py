"""Whole nested arguments that are outputs or secrets, across the provider boundary: from a YAML program."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.components.mocked import REFERENCE
from tests.engine.secured_project import SecuredProject
from tests.plugins.basic_auth import PASSWORD, USERNAME, locked

pytestmark = pytest.mark.engine

TOKEN = "token-s3ntinel-9f7"
PROGRAM = """
name: trial
runtime: yaml
config:
  repository: {type: string}
  door: {type: string}
  open: {type: string}
  password: {type: string, secret: true}
resources:
  first:
    type: sc-secure:SecuredImage
    properties:
      imageName: ${open}/first:1
      build: {context: app}
      security: {scan: {failOn: critical}}
  app:
    type: sc-secure:SecuredImage
    properties:
      imageName: ${repository}/app:1
      build: BUILD
      registry: REGISTRY
      security: POLICY
outputs:
  status: ${app.status}
"""
IN_PARTS = {
    "BUILD": f"{{context: app, args: {{TOKEN: {{fn::secret: {TOKEN}}}}}}}",
    "REGISTRY": f"{{server: '${{door}}', username: {USERNAME}, password: '${{password}}'}}",
    "POLICY": "{scan: {failOn: critical}, timeouts: {scan: 300}}",
}
SECRETS = {
    "BUILD": f"{{context: app, args: {{fn::secret: {{TOKEN: {TOKEN}}}}}}}",
    "REGISTRY": f"{{fn::secret: {{server: '${{door}}', username: {USERNAME}, password: '${{password}}'}}}}",
    "POLICY": "{fn::secret: {scan: {failOn: critical}, timeouts: {scan: 300}}}",
}
LATER = SECRETS | {"REGISTRY": f"{{fn::select: [0, ['${{first.scanSummary}}', {SECRETS['REGISTRY']}]]}}"}
"""Not known before the first image is scanned."""


@pytest.fixture
def project(new_project: Callable[..., SecuredProject], plugin: Path, tmp_path: Path) -> SecuredProject:
    made = new_project()
    (made.folder / "__main__.py").unlink()
    made.environment["PATH"] = f"{plugin}:{made.environment['PATH']}"
    made.environment["DOCKER_CONFIG"] = str(tmp_path / "none")
    return made


def test_they_arrive_and_nothing_of_them_is_left_in_clear(project: SecuredProject, registry: str) -> None:
    """As an output that a preview doesn't know, and as secrets: the same as what is given in parts."""

    def write(given: dict[str, str]) -> None:
        text = PROGRAM
        for name, value in given.items():
            text = text.replace(name, value)
        project.write("Pulumi.yaml", text)

    with locked(registry) as door:
        write(LATER)
        project.configure("door", door)
        project.configure("repository", f"{door}/{project.registry.partition('/')[2]}")
        project._pulumi("config", "set", "--secret", "password", PASSWORD, "--stack", "dev")
        project.configure("open", project.registry)
        preview = project.preview("--diff")
        assert preview.code == 0, preview.text
        texts = [preview.text]
        for given, operation in ((SECRETS, "create"), (IN_PARTS, "same")):
            write(given)
            run = project.up("--diff")
            assert run.code == 0, run.text
            assert set(run.steps.values()) == {operation}, run.text
            assert project.stack_outputs()["status"] == "secured"
            texts += [run.text, project.export()]
    for text in texts:
        assert PASSWORD not in text, text
        assert TOKEN not in text, text
    resources = json.loads(project.export("--show-secrets"))["deployment"]["resources"]
    holders = {each["urn"].split("::")[-1] for each in resources if PASSWORD in json.dumps(each)}
    assert holders == {"app-image"}
    assert "--registry-config" in json.dumps(resources)


REFUSED = f"""
name: trial
runtime: yaml
resources:
  first:
    type: sc-secure:SecuredImage
    properties: {{imageName: r.example/first:1, build: {{context: app}}, security: {{scan: {{}}}}}}
  app:
    type: sc-secure:SecuredImage
    properties:
      imageRef: {REFERENCE}
      GIVEN
"""


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (
            "security: {fn::secret: {signing: {key: hush-9f8}}}",
            "security.signing.key: is a secret, and would be kept in the state as plain text",
        ),
        (
            "security: {fn::select: [0, ['${first.scanSummary}', {scan: {failOn: low}}]]}",
            "security: must be known when the program runs: it can't be an output of another resource",
        ),
    ],
)
def test_one_that_would_lose_something_is_refused(project: SecuredProject, given: str, refused: str) -> None:
    """Pulumi's own host would give the component one that asks for nothing, and open the gate."""
    project.write("Pulumi.yaml", REFUSED.replace("GIVEN", given))
    run = project.preview()
    assert run.code != 0, run.text
    assert f"  {refused}" in run.text, run.text
    assert "Traceback" not in run.text, run.text
    assert "hush" not in run.text, run.text
