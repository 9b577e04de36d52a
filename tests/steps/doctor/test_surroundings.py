"""Tools, the docker engine, folders, git, and what hangs."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.command_line import ROOT, CommandLine, wrap
from tests.steps.doctor.looked import rows, status

FULL = "mount -t tmpfs -o size=16k,mode=700 none"
READ_ONLY = "mount -t tmpfs -o ro none"
_A_WHILE = "61.2537"
"""Seconds that no other program here sleeps."""


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A PATH with git alone."""
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "git").symlink_to(shutil.which("git") or os.devnull)
    return str(folder)


@pytest.mark.parametrize(
    ("policy", "code", "expected"),
    [
        (None, 5, {"cosign": "failed", "syft": "failed", "grype": "failed", "trivy": "ok"}),
        ("{enabled: false}", 0, {"cosign": "ok", "syft": "ok", "grype": "ok", "trivy": "ok"}),
        ("{sbom: {}}", 5, {"cosign": "ok", "syft": "failed", "grype": "ok"}),
        ("{sbom: {required: false}}", 0, {"cosign": "ok", "syft": "warning", "grype": "ok"}),
        ("{scan: {failOn: high}}", 5, {"cosign": "ok", "syft": "failed", "grype": "failed"}),
        (
            "{scan: {failOn: high, required: false}, sbom: {}}",
            5,
            {"cosign": "ok", "syft": "failed", "grype": "warning"},
        ),
        ("{scan: {failOn: high, tools: [{name: trivy}]}}", 5, {"grype": "ok", "syft": "ok", "trivy": "failed"}),
        (
            "{scan: {failOn: high, tools: [{name: grype}, {name: trivy, required: false}]}}",
            5,
            {"grype": "failed", "trivy": "warning"},
        ),
    ],
)
def test_a_policy_s_tools(
    *, sc: CommandLine, project: Path, bare: str, policy: str | None, code: int, expected: dict[str, str]
) -> None:
    (project / "p.yaml").write_text(f"security: {policy}\n")
    done = sc("doctor --output json" + (" --policy p.yaml" if policy else ""), PATH=bare)
    found = status(done, "tool")
    assert (done.code, {name: found[name] for name in expected}) == (code, expected)
    assert found["pulumi"] == "warning"
    assert "install" in rows(done)["tool.pulumi"]["remedy"]


def test_a_tool_that_is_too_old(sc: CommandLine, tools_env: dict[str, str], tmp_path: Path) -> None:
    env = wrap(tmp_path / "old", tools_env, "grype", "echo 'Version: 0.1.0'")
    done = sc("doctor --output json", PATH=env["PATH"])
    assert (done.code, rows(done)["tool.grype"]["detail"]) == (5, "grype 0.1.0 is older than 0.110.0")


def test_the_engine(sc: CommandLine, tools_env: dict[str, str], tmp_path: Path) -> None:
    done = sc("doctor --output json")
    assert rows(done)["engine"]["status"] == "ok"
    asked = ["docker", "version", "--format", "{{.Server.Version}}"]
    version = subprocess.run(asked, env=tools_env, check=True, capture_output=True, text=True).stdout.strip()
    assert f"docker {version} at unix://" in rows(done)["engine"]["detail"]


def test_an_engine_by_a_context(sc: CommandLine, tools_env: dict[str, str], tmp_path: Path) -> None:
    where = {"DOCKER_CONFIG": str(tmp_path / "docker")}
    make = ["docker", "context", "create", "here", "--docker", f"host={tools_env['DOCKER_HOST']}"]
    subprocess.run(make, env=tools_env | where | {"DOCKER_HOST": ""}, check=True, capture_output=True)
    (tmp_path / "docker/config.json").write_text(json.dumps({"currentContext": "here"}))
    found = rows(sc("doctor --output json", **where, DOCKER_HOST=""))["engine"]
    assert (found["status"], "the docker context here" in found["detail"]) == ("ok", True)
    (tmp_path / "docker/config.json").write_text(json.dumps({"currentContext": "gone"}))
    found = rows(sc("doctor --output json", **where, DOCKER_HOST=""))["engine"]
    assert (found["status"], "the docker context gone" in found["detail"]) == ("warning", True)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("unix:///nowhere/docker.sock", "No such file"),
        ("tcp://127.0.0.1:1", "refused"),
        ("tcp://user:sentinel@127.0.0.1:1", "refused"),
        ("tcp://127.0.0.1:notaport", "not an address"),
        ("REGISTRY", "no docker engine"),
    ],
)
def test_no_engine(sc: CommandLine, registry: str, address: str, said: str) -> None:
    done = sc("doctor --output json", DOCKER_HOST=address.replace("REGISTRY", f"tcp://{registry}"))
    found = rows(done)["engine"]
    assert (done.code, found["status"]) == (0, "warning"), "what is in a registry is secured without"
    assert said in found["detail"]
    assert "sentinel" not in done.stdout + done.stderr


def test_what_hangs_holds_up_nothing_else(
    sc: CommandLine, tools_env: dict[str, str], tmp_path: Path, project: Path
) -> None:
    """An engine that accepts and never answers, and a metadata service that does the same."""
    env = wrap(tmp_path / "wrapped", tools_env, "docker", f"exec sleep {_A_WHILE}")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=_accept, args=(silent,), daemon=True).start()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        sc("doctor --output json")
        began = time.monotonic()
        done = sc(
            "doctor --output json",
            DOCKER_HOST="ssh://nowhere",
            PATH=env["PATH"],
            AWS_EC2_METADATA_SERVICE_ENDPOINT=f"http://{address}",
            GCE_METADATA_HOST=address,
        )
        took = time.monotonic() - began
    found = rows(done)
    assert (done.code, found["engine"]["status"]) == (0, "warning")
    assert "no answer within" in found["engine"]["detail"]
    assert found["cloud.aws"]["detail"].startswith("no identity")
    assert took < 12, "6 on an idle machine"
    assert not [each for each in _arguments() if each == f"sleep\0{_A_WHILE}\0"], "its program was ended"


def _accept(server: socket.socket) -> None:
    held: list[socket.socket] = []
    while True:
        try:
            held.append(server.accept()[0])
        except OSError:
            return


def _arguments() -> list[str]:
    return [path.read_bytes().decode(errors="replace") for path in Path("/proc").glob("[0-9]*/cmdline")]


@pytest.mark.parametrize(
    ("how", "where", "check", "said"),
    [
        (FULL, ".sc", "disk.project", "0 MiB left"),
        (READ_ONLY, ".sc", "disk.project", "read-only"),
        (READ_ONLY, "cache", "disk.cache", "read-only"),
    ],
)
def test_a_disk_that_takes_nothing(
    *, tools_env: dict[str, str], project: Path, tmp_path: Path, how: str, where: str, check: str, said: str
) -> None:
    for place in (project / ".sc", tmp_path / "cache"):
        place.mkdir()
    mounted = project / ".sc" if where == ".sc" else tmp_path / "cache"
    program = [sys.executable, "-P", str(ROOT / "sc_secure" / "__main__.py"), "doctor", "--output", "json"]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", f'{how} "$0"; exec "$@"', str(mounted), *program],
        cwd=project,
        env={**tools_env, "SC_SECURE_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 6, done.stderr
    found = {each["check"]: each for each in json.loads(done.stdout)}[check]
    assert (found["status"], said in found["detail"].lower() or said in found["detail"]) == ("failed", True), found


def test_a_file_where_the_folder_should_be(sc: CommandLine, project: Path) -> None:
    (project / ".sc").write_text("")
    done = sc("doctor --output json")
    assert (done.code, rows(done)["disk.project"]["status"]) == (6, "failed")


def test_nothing_is_left_behind(sc: CommandLine, image: str, project: Path, tmp_path: Path) -> None:
    before = set(project.rglob("*"))
    (tmp_path / "temporary").mkdir()
    assert sc(f"doctor --image {image}", TMPDIR=str(tmp_path / "temporary")).code == 0
    assert set(project.rglob("*")) == before
    assert list((tmp_path / "temporary").iterdir()) == []


ORIGIN = "signing: {key: cosign.key, verify: {sourceUri: 'https://github.com/acme/app'}}"


def test_git(sc: CommandLine, key: str, project: Path) -> None:
    (project / "p.yaml").write_text(f"security: {{provenance: {{}}, {ORIGIN}}}\n")
    (project / "q.yaml").write_text("security: {provenance: {}, signing: {key: cosign.key}}\n")
    ceiling = {"GIT_CEILING_DIRECTORIES": str(project.parent)}

    def look(file: str, **env: str) -> tuple[int, str]:
        done = sc(f"doctor --policy {file} --output json", **ceiling, **env)
        return done.code, rows(done)["git"]["status"]

    assert look("q.yaml") == (0, "warning")
    assert look("p.yaml") == (2, "failed"), "a source is demanded, and there is none"
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=project, check=True)
    assert look("q.yaml") == (0, "ok")
    assert look("p.yaml") == (2, "failed"), "it is nowhere that others could look"
    subprocess.run(
        ["git", "remote", "add", "origin", "https://x:sentinel@github.com/acme/app"], cwd=project, check=True
    )
    assert look("p.yaml") == (0, "ok")
    assert "sentinel" not in sc("doctor", **ceiling).stdout
    (project / "new.txt").write_text("")
    assert look("q.yaml") == (0, "warning")
    assert look("p.yaml") == (2, "failed"), "such a source is refused"


def test_the_ci_run(sc: CommandLine) -> None:
    job = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "acme/app"}
    found = rows(sc("doctor --output json", **job))["ci"]
    assert found["detail"] == "github: https://github.com/acme/app/actions/runs/7/attempts/1"
