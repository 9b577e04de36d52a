"""`SecuredImage` across the provider boundary: from a YAML program, as from any other language."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.secured_project import STEPS, SecuredProject

pytestmark = pytest.mark.engine

PROGRAM = """
name: trial
runtime: yaml
config:
  registry: {type: string}
  failOn: {type: string, default: critical}
resources:
  app:
    type: sc-secure:SecuredImage
    properties:
      imageName: ${registry}/app:1
      build: {context: app, dockerfile: app/Dockerfile}
      security:
        scan: {failOn: FAIL_ON}
        sbom: {format: cyclonedx-json}
        signing: {key: cosign.key, passwordEnv: SIGNING_PASSWORD, verify: {key: cosign.pub}}
        provenance: {enabled: true}
        timeouts: {scan: 300}
outputs:
  deployable_ref: ${app.deployableRef}
  status: ${app.status}
  attestations: ${app.attestations}
"""


def test_from_yaml(new_project: Callable[..., SecuredProject], plugin: Path) -> None:
    project = new_project()
    (project.folder / "__main__.py").unlink()
    project.write("Pulumi.yaml", PROGRAM.replace("FAIL_ON", "critical"))
    project.environment["PATH"] = f"{plugin}:{project.environment['PATH']}"
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert outputs["status"] == "secured"
    assert len(outputs["attestations"]) == 3
    assert len(project.attached(outputs["deployable_ref"])) == 4
    assert {f"app-{step}" for step in STEPS} <= set(run.steps)

    assert set(project.up().steps.values()) == {"same"}

    project.write("Pulumi.yaml", PROGRAM.replace("FAIL_ON", "high"))
    assert set(project.changed()) == {"app-scan"}
    project.write("Pulumi.yaml", PROGRAM.replace("FAIL_ON", "worst"))
    run = project.preview()
    assert run.code != 0
    assert "security.scan.fail_on: Input should be" in run.text, run.text
    assert "Traceback" not in run.text, run.text
