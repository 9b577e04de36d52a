"""`SecuredImage` whose steps run on a build host: the real engine, a real sshd on loopback, real tools on it."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sc_secure.report.commands import variables_of
from tests.engine.secured_project import STEPS, SecuredProject
from tests.project import kill
from tests.ssh_host import SshHost
from tests.waiting import process_id, wait_until

pytestmark = pytest.mark.engine

PROGRAM = """
import os
import pulumi
from sc_secure import SecuredImage

config = pulumi.Config()
execution = {
    "remote": {
        "host": "127.0.0.1",
        "port": config.require_int("port"),
        "user": config.require("user"),
        "host_key": config.require("hostKey"),
        "private_key": os.environ["BUILD_HOST_KEY"],
        "dial_error_limit": 0,
    },
    "folder": "builds/app",
    "files": ["cosign.key", "cosign.pub"],
}
image = SecuredImage("app", {
    "image_name": config.require("registry") + "/app:1",
    "build": {"context": "app", "dockerfile": "app/Dockerfile"},
    "security": {
        "scan": {"fail_on": config.get("failOn") or "critical"},
        "sbom": {"format": "cyclonedx-json"},
        "signing": {"key": "cosign.key", "password_env": "SIGNING_PASSWORD", "verify": {"key": "cosign.pub"}},
    },
    **({} if config.get_bool("here") else {"execution": execution}),
})
for output in ("deployable_ref", "sbom_path", "scan_summary", "status"):
    pulumi.export(output, getattr(image, output))
"""
OWN = tuple(step for step in STEPS if step != "attest-provenance")


@pytest.fixture
def host(tmp_path: Path, tools_env: dict[str, str], key_pair: Path) -> Iterator[SshHost]:
    host = SshHost(tmp_path / "host", tools_env | {"SIGNING_PASSWORD": "test"})
    folder = host.home / "builds/app"
    folder.mkdir(parents=True)
    shutil.copy(key_pair, folder / "cosign.key")
    shutil.copy(key_pair.with_suffix(".pub"), folder / "cosign.pub")
    yield host
    host.stop()


@pytest.fixture
def project(new_project: Callable[..., SecuredProject], host: SshHost) -> SecuredProject:
    project = new_project(PROGRAM)
    project.configure("port", str(host.port))
    project.configure("user", host.user)
    project.configure("hostKey", host.host_key)
    project.environment["BUILD_HOST_KEY"] = host.private_key
    # Whatever the steps need, they find on the host.
    for name in ("cosign.key", "cosign.pub"):
        (project.folder / name).unlink()
    del project.environment["SIGNING_PASSWORD"]
    return project


def test_the_steps_run_on_the_host_and_the_gate_opens(
    project: SecuredProject, host: SshHost, key_pair: Path, tools_env: dict[str, str]
) -> None:
    preview = project.preview()
    assert preview.code == 0, preview.text
    assert not (host.home / "builds/app/.sc").exists()
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert outputs["status"] == "secured"
    reference = outputs["deployable_ref"]
    resources = project.resources()
    assert {resources[f"app-{step}"]["type"] for step in OWN} == {"command:remote:Command"}

    # The documents are on the host, and what they hold is what the state says.
    assert (host.home / "builds/app" / outputs["sbom_path"]).is_file()
    assert not (project.folder / outputs["sbom_path"]).exists()
    assert len(project.attached(reference)) == 3
    shutil.copy(key_pair.with_suffix(".pub"), project.folder / "checked.pub")
    verified = project.run(
        "sc-secure", "image", "verify", "--image", reference, "--key", "checked.pub", "--attestation", "cyclonedx"
    )
    assert verified.returncode == 0, verified.stderr

    # As docs/remote.md says: fetched, and taken since each is what the state names.
    (project.folder / "known_hosts").write_text(f"* {host.host_key}\n")
    options = f"-F /dev/null -o UserKnownHostsFile=known_hosts -i {host.folder}/user_key -p {host.port}"
    fetch = f"ssh {options} {host.user}@127.0.0.1 tar -c -C builds/app .sc/artifacts | tar -x"
    done = project.run("bash", "-ec", f"{fetch}; pulumi stack export --stack dev | sc-secure report --output json")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    report = json.loads((project.folder / json.loads(done.stdout)["reports"]["json"]).read_text())
    assert [each["package"] for each in report["scan"]["findings"]] == ["sqlparse", "idna"], "not the counts alone"

    # Nothing secret in state, and nothing changes the second time.
    state = project.export()
    for secret in ("PRIVATE KEY", str(host.port), host.host_key, "SIGNING_PASSWORD=", host.private_key.split("\n")[1]):
        assert secret not in state
    assert project.preview("--expect-no-changes").code == 0

    # A stricter policy is one change of one step; the failing gate leaves the last good state.
    project.configure("failOn", "high")
    changed = project.changed()
    assert set(changed) == {"app-scan"}
    assert "--fail-on high" in changed["app-scan"]["newState"]["inputs"]["create"]
    failed = project.up()
    assert failed.code != 0
    assert "exited with status 3" in failed.text
    assert "GHSA-2m57-hf25-phgg" in failed.text
    assert len(project.attached(reference)) == 3
    project.configure("failOn", "critical")
    come_back(project, key_pair, reference)


def come_back(project: SecuredProject, key_pair: Path, reference: str) -> None:
    """Back to this machine: every step runs again, here, before the gate opens."""
    project.configure("here", "true")
    shutil.copy(key_pair, project.folder / "cosign.key")
    shutil.copy(key_pair.with_suffix(".pub"), project.folder / "cosign.pub")
    back = project.up()
    assert back.code != 0, "here, nobody said the password"
    assert "app-scan" in back.steps
    project.environment["SIGNING_PASSWORD"] = "test"
    back = project.up()
    assert back.code == 0, back.text
    again = {each["urn"].split("::")[-1]: each for each in json.loads(project.export())["deployment"]["resources"]}
    assert {again[f"app-{step}"]["type"] for step in OWN} == {"command:local:Command"}
    assert project.stack_outputs()["deployable_ref"] == reference
    assert len(project.attached(reference)) == 3, "nothing is attached twice"
    assert variables_of(again["app-scan"]["inputs"])["SC_SECURE_ATTEMPT"] == "1"


def test_a_failing_gate_stops_what_comes_after(project: SecuredProject, host: SshHost) -> None:
    project.configure("failOn", "high")
    run = project.up()
    assert run.code != 0
    assert "exited with status 3" in run.text
    assert project.attached(project.outputs("app-image")["repoDigest"]) == []
    assert "deployable_ref" not in project.stack_outputs()


def test_a_host_with_another_key_is_refused(project: SecuredProject, host: SshHost) -> None:
    project.configure("hostKey", host.other_key)
    run = project.up()
    assert run.code != 0
    assert "failed attempts" in run.text
    assert not (host.home / "builds/app/.sc").exists()
    assert "deployable_ref" not in project.stack_outputs()
    assert "PRIVATE KEY" not in run.text


def test_a_host_without_the_program_says_what_to_install(project: SecuredProject, host: SshHost) -> None:
    host.set_environment({"PATH": "/usr/bin:/bin"})
    run = project.up()
    assert run.code != 0
    assert "exited with status 5" in run.text
    assert "not on the PATH of the build host" in run.text
    assert "pip install sc-secure" in run.text


def test_a_step_ends_with_the_connection(project: SecuredProject, host: SshHost, tools_env: dict[str, str]) -> None:
    slow = host.folder / "bin"
    slow.mkdir()
    began = host.home / "began"
    (slow / "syft").write_text(
        f'#!/bin/sh\n[ "$1" = version ] && exec echo "Version: 1.57.0"\necho $$ > {began}\nsleep 100\n'
    )
    (slow / "syft").chmod(0o755)
    host.set_environment(tools_env | {"PATH": f"{slow}:{tools_env['PATH']}"})
    update = project.start("up", "--yes", "--skip-preview")
    try:
        wait_until(lambda: "app-image" in project.resources())
        process = process_id(began)
    finally:
        kill(update)

    def gone() -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        return False

    try:
        wait_until(gone)
    finally:
        if not gone():
            os.kill(process, signal.SIGKILL)
