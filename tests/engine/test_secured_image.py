"""`SecuredImage` through the real engine, from the first preview to destroy."""

import json
import os
import re
import shutil
from collections.abc import Callable

import pytest

from tests.engine.secured_project import STEPS, SecuredProject

pytestmark = pytest.mark.engine
NewProject = Callable[..., SecuredProject]

SBOM, PROVENANCE = "https://cyclonedx.org/bom", "https://slsa.dev/provenance/v1"
SCAN, SIGNATURE = "https://cosign.sigstore.dev/attestation/vuln/v1", "https://sigstore.dev/cosign/sign/v1"


def test_up_secures_and_a_second_up_changes_nothing(new_project: NewProject) -> None:
    project = new_project()
    run = project.up()
    assert run.code == 0, run.text
    check_outputs(project)
    check_graph(project)
    check_cosign_agrees(project)
    check_state_holds_no_secret_and_no_path(project)

    again = project.up()
    assert again.code == 0, again.text
    assert set(again.steps.values()) == {"same"}
    assert len(project.attached(project.stack_outputs()["app_image_ref"])) == 4

    check_policy_change_is_one_flag(project)
    check_changed_application_runs_every_step(project)

    ref = project.stack_outputs()["app_deployable_ref"]
    assert project.destroy().code == 0
    assert kinds(project, ref) == sorted([SBOM, PROVENANCE, SCAN, SIGNATURE])


def check_outputs(project: SecuredProject) -> None:
    outputs = {key.removeprefix("app_"): value for key, value in project.stack_outputs().items()}
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", outputs["digest"])
    assert outputs["image_ref"] == outputs["deployable_ref"]
    assert outputs["image_ref"].endswith(f"/app@{outputs['digest']}")
    assert outputs["status"] == "secured"
    assert set(outputs["attestations"]) == {SBOM, PROVENANCE, SCAN}
    assert outputs["rekor_uuid"] == outputs["rekor_log_index"] == ""
    summary = outputs["scan_summary"]
    counted = {key: summary[key] for key in ("critical", "high", "medium", "low", "negligible", "unknown", "ignored")}
    assert counted == {"critical": 0, "high": 1, "medium": 1, "low": 0, "negligible": 0, "unknown": 0, "ignored": 0}
    assert summary["verdict"] == "pass"
    assert summary["databaseBuilt"].startswith("20")
    assert any("sample" in warning for warning in outputs["warnings"])
    sbom = json.loads((project.folder / outputs["sbom_path"]).read_text())
    assert {(c["name"], c["version"]) for c in sbom["components"] if c["type"] == "library"} == {
        ("sqlparse", "0.4.4"),
        ("idna", "3.6"),
    }


def check_graph(project: SecuredProject) -> None:
    """The resources and their dependencies are exactly those of the contract."""
    resources = json.loads(project.export())["deployment"]["resources"]
    types = {each["urn"].split("::")[2].split("$")[-1] + " " + each["urn"].split("::")[-1] for each in resources}
    kind = {"sbom": "Sbom", "scan": "Scan", "sign": "Sign", "verify": "Verify"}
    steps = {f"sc-secure:index:{kind.get(step, 'Attest')}Command app-{step}" for step in STEPS}
    commands = {f"command:local:Command app-{step}" for step in STEPS}
    expected = steps | commands | {"sc-secure:index:SecuredImage app", "docker:index/image:Image app-image"}
    assert {each for each in types if not each.startswith("pulumi:")} == expected

    waits = {
        each["urn"].split("::")[-1]: {urn.split("::")[-1].removeprefix("app-") for urn in each.get("dependencies", [])}
        for each in resources
        if each["type"] == "command:local:Command"
    }
    assert waits["app-sbom"] == {"image"}
    assert waits["app-scan"] == {"image", "sbom"}
    assert waits["app-sign"] == {"image", "sbom", "scan"}
    for attest in ("attest-sbom", "attest-provenance", "attest-scan"):
        assert waits[f"app-{attest}"] == {"image", "sbom", "scan", "sign"}
    assert waits["app-verify"] == {"image", *STEPS} - {"verify"}


def check_cosign_agrees(project: SecuredProject) -> None:
    ref = project.stack_outputs()["app_deployable_ref"]
    by_key = ("--key", "cosign.pub", "--insecure-ignore-tlog=true")
    assert project.run("cosign", "verify", *by_key, ref).returncode == 0
    for kind in ("cyclonedx", "slsaprovenance1"):
        done = project.run("cosign", "verify-attestation", *by_key, "--type", kind, ref)
        assert done.returncode == 0, done.stderr
    repository = ref.split("@")[0]
    assert (
        project.run("crane", "append", "--base", ref, "--new_layer", "/dev/null", "-t", f"{repository}:1").returncode
        == 0
    )
    assert project.run("cosign", "verify", *by_key, f"{repository}:1").returncode != 0  # the tag was moved
    assert project.run("cosign", "verify", *by_key, ref).returncode == 0


def check_state_holds_no_secret_and_no_path(project: SecuredProject) -> None:
    state = project.export()
    private = (project.folder / "cosign.key").read_text().splitlines()[1]
    resources = json.loads(state)["deployment"]["resources"]
    text = json.dumps([each for each in resources if not each["type"].startswith("pulumi:pulumi")])
    assert private not in state
    assert '"test"' not in text
    assert str(project.folder) not in state
    assert not re.findall(r'[" =](/(?:root|home|tmp|usr|var|work|opt)/[^"]*)', text)


def check_policy_change_is_one_flag(project: SecuredProject) -> None:
    project.configure("failOn", "high")
    changed = project.changed()
    assert set(changed) == {"app-scan"}
    step = changed["app-scan"]
    assert step["op"] == "update"
    assert set(step["detailedDiff"]) == {"create"}
    before, after = step["oldState"]["inputs"]["create"], step["newState"]["inputs"]["create"]
    assert before.replace("--fail-on critical", "--fail-on high") == after
    project.configure("failOn", "critical")


def check_changed_application_runs_every_step(project: SecuredProject) -> None:
    before = project.stack_outputs()
    project.write_app(content="changed")
    run = project.up()
    assert run.code == 0, run.text
    after = project.stack_outputs()
    assert after["app_digest"] != before["app_digest"]
    assert after["app_deployable_ref"].endswith(after["app_digest"])
    assert {name for name, op in run.steps.items() if op == "update"} >= {f"app-{step}" for step in STEPS}
    assert after["app_attestations"] != before["app_attestations"]


def kinds(project: SecuredProject, ref: str) -> list[str]:
    """The predicate types of what is attached to the image, and signatures."""
    found = [m.get("annotations", {}).get("dev.sigstore.bundle.predicateType") for m in project.attached(ref)]
    return sorted(str(kind) for kind in found)


def test_a_closed_gate_signs_nothing_and_resumes(new_project: NewProject) -> None:
    project = new_project()
    project.configure("failOn", "high")
    run = project.up()
    assert run.code != 0
    state = json.loads(project.export())["deployment"]["resources"]
    image = next(each for each in state if each["type"] == "docker:index/image:Image")
    assert project.attached(image["outputs"]["repoDigest"]) == []
    assert not any("deployable" in key for key in project.stack_outputs())
    said = [m["message"] for m in run.messages if m["severity"] == "error" and "app-scan" in m.get("urn", "")]
    assert any("GHSA-2m57-hf25-phgg" in message and "sqlparse" in message for message in said), run.text
    assert all(len(message.strip().splitlines()) <= 16 for message in said), said
    assert not any("Traceback" in message for message in said)
    assert (
        project.folder / f".sc/artifacts/{image['outputs']['repoDigest'].split('@')[1].replace(':', '-')}/scan.json"
    ).exists()

    project.configure("failOn", "critical")
    run = project.up()
    assert run.code == 0, run.text
    assert run.steps["app-image"] == run.steps["app-sbom"] == "same"
    assert project.stack_outputs()["app_status"] == "secured"

    project.configure("failOn", "medium")  # and a gate that was open closes again
    run = project.up()
    assert run.code != 0
    assert "app-sign" not in {name for name, op in run.steps.items() if op == "update"}


def test_the_first_preview_needs_no_tool_no_docker_and_no_network(new_project: NewProject) -> None:
    project = new_project()
    pulumi_only = project.folder / "bin"
    pulumi_only.mkdir()
    for program in ("pulumi", "pulumi-language-python", "pulumi-language-python-exec"):
        found = project.run("sh", "-c", f"command -v {program}").stdout.strip()
        if found:
            (pulumi_only / program).symlink_to(found)
    venv = project.environment["VIRTUAL_ENV"]
    project.environment["PATH"] = f"{venv}/bin:{pulumi_only}:/bin"
    if os.environ.get("SC_SECURE_PLUGINS") != "official":
        # The official docker plugin connects to the engine when it is configured, in a preview too
        # (https://github.com/pulumi/pulumi-docker/pull/697). What is ours needs none.
        project.environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    assert project.run("sh", "-c", "command -v cosign syft grype crane").stdout == ""
    run = project.preview()
    assert run.code == 0, run.text
    assert {f"app-{step}" for step in STEPS} <= {name for name, op in run.steps.items() if op == "create"}
    assert not (project.folder / ".sc/artifacts").exists()


def test_two_images_in_one_program(new_project: NewProject) -> None:
    project = new_project()
    project.write_app("app", "one")
    project.write_app("other", "two", {"requests": "2.31.0"})
    project.configure("images", "app,other")
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    for name in ("app", "other"):
        assert outputs[f"{name}_status"] == "secured"
        folder = project.folder / ".sc/artifacts" / outputs[f"{name}_digest"].replace(":", "-")
        assert outputs[f"{name}_sbom_path"].startswith(f".sc/artifacts/{folder.name}/")
        assert json.loads((folder / "scan.json").read_text())["subject"] == outputs[f"{name}_deployable_ref"]
        assert len(project.attached(outputs[f"{name}_deployable_ref"])) == 4
    assert outputs["app_digest"] != outputs["other_digest"]
    happened = run.begun_and_ended
    assert happened.index(("begun", "other-sbom")) < happened.index(("ended", "app-verify"))
    assert happened.index(("begun", "app-sbom")) < happened.index(("ended", "other-verify"))


def test_another_machine_sees_no_change(new_project: NewProject) -> None:
    project = new_project()
    assert project.up().code == 0
    elsewhere = project.folder.parent / "elsewhere"
    project.folder.rename(elsewhere)
    project.folder = elsewhere
    shutil.rmtree(elsewhere / ".sc")  # neither the documents nor the launcher are there
    assert project.changed() == {}


def test_an_image_that_exists_is_secured_without_a_build(new_project: NewProject) -> None:
    built = new_project()
    built.write(
        "__main__.py", built_program := (built.folder / "__main__.py").read_text().replace('"security": security,', "")
    )
    assert "SecuredImage" in built_program
    run = built.up()
    assert run.code == 0, run.text
    outputs = built.stack_outputs()
    assert outputs["app_status"] == "unsecured"
    assert outputs["app_deployable_ref"] == outputs["app_image_ref"]
    assert not any(name.startswith("app-") and name != "app-image" for name in run.steps)
    assert built.attached(outputs["app_image_ref"]) == []

    given = new_project()
    program = (given.folder / "__main__.py").read_text()
    start, end = program.index('        "image_name"'), program.index('        "security"')
    given.write("__main__.py", f'{program[:start]}        "image_ref": "{outputs["app_image_ref"]}",\n{program[end:]}')
    run = given.up()
    assert run.code == 0, run.text
    assert "app-image" not in run.steps
    assert given.stack_outputs()["app_deployable_ref"] == outputs["app_image_ref"]
    assert given.stack_outputs()["app_status"] == "secured"
