"""A step that isn't required and fails leaves a degraded image, which the next update heals by itself."""

from collections.abc import Callable

import pytest

from tests.command_line import wrap
from tests.engine.secured_project import SecuredProject

pytestmark = pytest.mark.engine
NewProject = Callable[..., SecuredProject]

SECURITY = """"scan": {"fail_on": config.get("failOn") or "critical"},"""
VULN = "https://cosign.sigstore.dev/attestation/vuln/v1"
PREDICATES = {"https://cyclonedx.org/bom", "https://slsa.dev/provenance/v1", VULN}
OPTIONAL = """
    "retry": {"attempts": 1},
    "scan": {"fail_on": config.get("failOn") or "critical", "required": False},
"""


def test_a_degraded_image_heals(new_project: NewProject) -> None:
    project = new_project()
    program = (project.folder / "__main__.py").read_text()
    assert SECURITY in program
    project.write("__main__.py", program.replace(SECURITY, OPTIONAL))
    whole = project.environment
    broken = 'case "$1" in version) exec "$real" "$@";; esac; echo "the scanner is out of order" >&2; exit 1'
    project.environment = wrap(project.folder.parent / "bin", whole, "grype", broken)

    run = project.up()
    assert run.code == 0, run.text
    assert "the scanner is out of order" in run.text
    outputs = project.stack_outputs()
    assert outputs["app_status"] == "degraded"
    assert any("scan failed, and isn't required" in warning for warning in outputs["app_warnings"])
    assert set(outputs["app_attestations"]) == PREDICATES - {VULN}

    project.environment = whole
    assert {"app-scan", "app-attest-scan"} <= set(project.changed())
    run = project.up()
    assert run.code == 0, run.text
    assert "app-scan runs again: the last update's attempt failed softly" in run.text
    outputs = project.stack_outputs()
    assert outputs["app_status"] == "secured"
    assert not any("isn't required" in warning for warning in outputs["app_warnings"])
    assert set(outputs["app_attestations"]) == PREDICATES
    assert project.changed() == {}

    # What the policy forbids closes the gate all the same.
    project.configure("failOn", "medium")
    assert project.up().code != 0
