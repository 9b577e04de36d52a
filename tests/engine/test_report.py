"""The reports of what the real engine deployed, from its state alone."""

import json
import subprocess
from collections.abc import Callable

import pytest

from tests.engine.secured_project import STEPS, SecuredProject

pytestmark = pytest.mark.engine


def test_from_the_state(new_project: Callable[..., SecuredProject]) -> None:
    project = new_project()
    assert project.up().code == 0
    outputs = {key.removeprefix("app_"): value for key, value in project.stack_outputs().items()}
    made = subprocess.run(
        [".sc/bin/sc-secure", "report", "--output", "json"],
        input=project.export(),
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stderr == ""
    reports = json.loads(made.stdout)["reports"]
    release = json.loads((project.folder / reports["json"]).read_text())
    assert (release["subject"], release["verdict"]) == (outputs["deployable_ref"], "secured")
    assert [step["name"] for step in release["steps"]] == list(STEPS)
    needs = {step["name"]: step["needs"] for step in release["steps"]}
    attests = ["attest-sbom", "attest-provenance", "attest-scan"]
    assert [needs["sbom"], needs["scan"], needs["sign"], needs["verify"]] == [[], ["sbom"], ["scan"], attests]
    assert [needs[name] for name in attests] == [["sign"]] * 3
    attached = {each["kind"]: each["digest"] for each in release["attachments"]}
    assert attached.pop("signature")
    assert attached == outputs["attestations"]
    found = [(each["package"], each["action"]) for each in release["scan"]["findings"]]
    assert found == [("sqlparse", "allow"), ("idna", "allow")]
    page = (project.folder / reports["html"]).read_text()
    assert "cosign verify --key cosign.pub" in page
    assert "Deployable" in page
