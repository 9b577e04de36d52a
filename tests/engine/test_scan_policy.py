"""The scan's policy on the real engine: a closed gate, an ignore rule, a VEX document, a day that comes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.engine.conftest import NewProject
from tests.engine.secured_project import SecuredProject
from tests.policy.vex_documents import statement, vex

pytestmark = pytest.mark.engine

PROGRAM = """
import json
import pulumi
from sc_secure import SecuredImage

config = pulumi.Config()
image = SecuredImage("app", {
    "image_name": config.require("registry") + "/app:1",
    "build": {"context": "app", "dockerfile": "app/Dockerfile"},
    "security": {"scan": {"fail_on": "high", **json.loads(config.get("scan") or "{}")}},
})
pulumi.export("ref", image.deployable_ref)
pulumi.export("summary", image.scan_summary)
"""
TODAY = datetime.now(UTC).date()


def rule(days: int) -> dict[str, str]:
    expires = str(TODAY + timedelta(days=days))
    return {"id": "CVE-2024-4340", "package": "sqlparse", "reason": "it isn't reached", "expires": expires}


def configure(project: SecuredProject, **scan: Any) -> None:
    project.configure("scan", json.dumps(scan))


def only_change(project: SecuredProject) -> dict[str, Any]:
    """The one step that a preview would change."""
    changed = project.changed()
    assert set(changed) == {"app-scan"}
    assert changed["app-scan"]["op"] == "update"
    return changed["app-scan"]


def test_each_exception_is_one_small_diff_and_decides_again(new_project: NewProject) -> None:
    project = new_project(PROGRAM)
    closed = project.up()
    assert closed.code != 0
    assert "scan.failOn: high forbids 1 finding" in closed.text

    configure(project, ignore=[rule(30)])
    run = project.up()
    assert run.code == 0, run.text
    assert project.stack_outputs()["summary"]["ignored"] == 1

    project.write("app.openvex.json", vex(statement("pkg:pypi/sqlparse")).decode())
    configure(project, vex=["app.openvex.json"])
    step = only_change(project)
    before, after = step["oldState"]["inputs"]["create"], step["newState"]["inputs"]["create"]
    flag = f"""--ignore 'CVE-2024-4340 in sqlparse until {rule(30)["expires"]}: it isn'"'"'t reached'"""
    assert before.replace(flag, "--vex app.openvex.json") == after
    assert project.up().code == 0
    assert project.changed() == {}

    # The document says something else: only what the command's environment says of it changes.
    project.write("app.openvex.json", vex(statement("pkg:pypi/idna")).decode())
    step = only_change(project)
    assert set(step["detailedDiff"]) == {"environment.SC_SECURE_VEX"}
    closed = project.up()
    assert closed.code != 0
    assert "scan.failOn: high forbids 1 finding" in closed.text

    configure(project, ignore=[rule(-1)])
    closed = project.up()
    assert closed.code != 0
    assert f"scan.ignore, expired: CVE-2024-4340 in sqlparse ({rule(-1)['expires']})" in closed.text
