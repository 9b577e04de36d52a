"""What the registry lost and what grew old comes back with the next update, and shows in the preview before."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.secured_project import SecuredProject

pytestmark = pytest.mark.engine
NewProject = Callable[..., SecuredProject]

ATTACHED = {"app-sign", "app-attest-sbom", "app-attest-provenance", "app-attest-scan"}


def changes(project: SecuredProject) -> dict[str, dict[str, str]]:
    """What a preview would change: a step's name -> the variables of its environment that differ."""
    found: dict[str, dict[str, str]] = {}
    for name, step in project.changed().items():
        assert step["op"] == "update", step["op"]
        old, new = (step[state]["inputs"] for state in ("oldState", "newState"))
        assert old["create"] == new["create"]
        changed = {key for key in new["environment"] if new["environment"][key] != old["environment"].get(key)}
        found[name] = {key: new["environment"][key] for key in changed}
    return found


def test_what_the_registry_lost_is_attached_again(new_project: NewProject) -> None:
    project = new_project()
    assert project.up().code == 0
    assert changes(project) == {}
    ref = project.stack_outputs()["app_deployable_ref"]
    before = {manifest["layers"][0]["digest"] for manifest in project.attached(ref)}
    repository, digest = ref.split("@")
    project.run("crane", "delete", f"{repository}:{digest.replace(':', '-')}")
    assert project.attached(ref) == []

    again = {"SC_SECURE_ATTEMPT": "2"}
    assert changes(project) == dict.fromkeys(ATTACHED | {"app-verify"}, again)
    run = project.up()
    assert run.code == 0, run.text
    assert "app-sign runs again: gone from the registry: signature" in run.text
    assert {name for name, op in run.steps.items() if op == "update"} == ATTACHED | {"app-verify"}
    assert len(project.attached(ref)) == len(before) == 4
    assert changes(project) == {}


def test_another_key_under_the_same_path(new_project: NewProject, tools_env: dict[str, str], tmp_path: Path) -> None:
    project = new_project()
    assert project.up().code == 0
    env = tools_env | {"COSIGN_PASSWORD": "test"}
    command = ["cosign", "generate-key-pair", "--output-key-prefix", "another"]
    subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True)
    for suffix in ("key", "pub"):
        shutil.copy(tmp_path / f"another.{suffix}", project.folder / f"cosign.{suffix}")
    changed = changes(project)
    assert set(changed) == ATTACHED | {"app-verify"}
    assert all(set(variables) == {"SC_SECURE_KEY"} for variables in changed.values())
    assert project.up().code == 0
    ref = project.stack_outputs()["app_deployable_ref"]
    verified = project.run("cosign", "verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", ref)
    assert verified.returncode == 0, verified.stderr
    (project.folder / "cosign.key").unlink()  # as in a pull request's job, which previews without the key
    assert changes(project) == {}


def test_an_old_scan_is_made_anew(new_project: NewProject) -> None:
    project = new_project()
    program = (project.folder / "__main__.py").read_text()
    project.write("__main__.py", program.replace('or "critical"}', 'or "critical", "rescan_after": "24h"}'))
    assert project.up().code == 0
    assert changes(project) == {}
    age(project, "app-scan", "2026-01-01T00:00:00Z")
    assert changes(project) == {"app-scan": {"SC_SECURE_ATTEMPT": "2"}, "app-attest-scan": {"SC_SECURE_SCAN": "2"}}
    run = project.up()
    assert run.code == 0, run.text
    assert "and the policy wants one every 24 h" in run.text
    assert changes(project) == {}


def age(project: SecuredProject, name: str, ended: str) -> None:
    """Makes a step's result older in the state, as if the last update had been long ago."""
    state = json.loads(project.export())
    for resource in state["deployment"]["resources"]:
        if resource["type"] == "command:local:Command" and resource["urn"].endswith(f"::{name}"):
            result = json.loads(resource["outputs"]["stdout"])
            result["startedAt"] = result["finishedAt"] = ended
            resource["outputs"]["stdout"] = json.dumps(result)
    project.write("state.json", state)
    project._pulumi("stack", "import", "--file", "state.json", "--stack", "dev")
