"""Each step's component by itself, chained by its user, and its command pasted into a shell."""

import json
import shlex
from collections.abc import Callable

import pytest

from tests.engine.secured_project import SecuredProject

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
import pulumi_docker as docker
from sc_secure import AttestCommand, SbomCommand, ScanCommand, SignCommand, VerifyCommand

registry = pulumi.Config().require("registry")
image = docker.Image("image", image_name=registry + "/alone:1", build={"context": "app"})
key = {"key": "cosign.key", "password_env": "SIGNING_PASSWORD"}
sbom = SbomCommand("sbom", {"image": image.repo_digest, "format": "spdx-json"})
scan = ScanCommand("scan", {"image": sbom.passed_ref, "fail_on": "critical", "warn_on": "high"})
sign = SignCommand("sign", {"image": scan.passed_ref, **key})
attest = AttestCommand("attest", {"image": sign.passed_ref, "predicate": "sbom", "format": "spdx-json", **key})
verify = VerifyCommand("verify", {"image": attest.passed_ref, "key": "cosign.pub", "attestations": ["spdx"]})
pulumi.export("ref", verify.passed_ref)
pulumi.export("verified", verify.verified)
pulumi.export("summary", scan.scan_summary)
"""


def test_steps_are_components_of_their_own(new_project: Callable[..., SecuredProject]) -> None:
    project = new_project(PROGRAM)
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert set(outputs["verified"]) == {"signature", "https://spdx.dev/Document"}
    assert outputs["summary"]["verdict"] == "warn"
    state = json.loads(project.export())["deployment"]["resources"]
    types = {each["type"] for each in state}
    assert {f"sc-secure:index:{kind}Command" for kind in ("Sbom", "Scan", "Sign", "Attest", "Verify")} <= types

    # Each command works as it stands, from the project's folder, without the virtual environment on PATH.
    venv = f"{project.environment['VIRTUAL_ENV']}/bin"
    path = ":".join(folder for folder in project.environment["PATH"].split(":") if folder != venv)
    attached = len(project.attached(outputs["ref"]))
    for each in state:
        if each["type"] == "command:local:Command":
            command = each["inputs"]["create"]
            assert shlex.split(command)[0] == ".sc/bin/sc-secure"
            done = project.run("/bin/sh", "-c", command, PATH=path)
            assert done.returncode == 0, done.stderr
            result = json.loads(done.stdout)
            assert result["subject"] == outputs["ref"]
            assert done.stdout.count("\n") == 1
            if result["step"] in ("sbom", "sign", "attest"):
                assert result["status"] == "reused"
    assert len(project.attached(outputs["ref"])) == attached == 2
