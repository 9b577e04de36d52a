"""Every command, program and YAML of the README and the quickstart's README, run as it stands there."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest

from devtools import base_image, cache
from sc_secure import load_security
from sc_secure.policy.security import parse_security
from tests.components.mocked import REFERENCE, Mocks, run

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENTS = [
    README,
    ROOT / "docs/contract.md",
    ROOT / "examples/quickstart/README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
]


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    commands = [line.split("#")[0].split() for line in blocks(README, "sh")[0].splitlines()]
    assert commands == [["make", "up"], ["make", "test"]]
    assert subprocess.run(["make", "-n", "up", "test"], cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_the_program_declares_what_the_picture_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = blocks(README, "python")
    exported: dict[str, pulumi.Output[Any]] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)
    mocks = Mocks()

    def whole() -> pulumi.Output[Any]:
        exec(compile(program, "README.md", "exec"), {})  # noqa: S102 - it's our own document
        return exported["deployable_ref"]

    assert run(whole, mocks) == REFERENCE
    steps = {"sbom", "scan", "sign", "attest-sbom", "attest-provenance", "attest-scan", "verify"}
    assert set(mocks.commands()) == {f"web-{step}" for step in steps}


def test_the_policy_in_yaml_is_one(tmp_path: Path) -> None:
    (text,) = blocks(README, "yaml")
    file = tmp_path / "client.yaml"
    file.write_text(text)
    security = parse_security(load_security(str(file)), camel=False)
    assert security.signing.key == "cosign.key"
    assert security.attaches_sbom
    assert security.scan.effective_fail_on == "critical"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.engine
def test_make_up_and_every_how_to(services: dict[str, Any], tmp_path: Path) -> None:
    """A copy of the repository, as a clone has it: `make up`, `make up` again, the how-to, `make down`."""
    clone = tmp_path / "clone"
    _copy_of_the_repository(clone)
    env = _environment(services, tmp_path)

    try:
        _try_everything(clone, env)
    finally:
        shown = _make(clone, env, "down")
    assert "registry" in shown


def _try_everything(clone: Path, env: dict[str, str]) -> None:
    first = _make(clone, env, "up")
    assert "status" in first, first
    assert re.search(r"deployable_ref +127\.0\.0\.1:\d+/quickstart@sha256:[0-9a-f]{64}", first), first
    assert re.search(r"status +secured", first), first
    for output in ("digest", "sbom_path", "scan_summary", "attestations"):
        assert output in first
    assert "sample vulnerability database" in first or "databaseBuilt" in first

    again = _make(clone, env, "up")
    assert re.search(r"\d+ unchanged", again), again
    assert not re.search(r"\d+ (created|updated|replaced)|[~+] ", again.split("Resources:")[1].split("Outputs:")[0]), (
        again
    )

    how_to = "\n".join(blocks(README, "sh")[1:])
    shown = _shell(clone, env, how_to)
    assert "GHSA-2m57-hf25-phgg" in shown
    assert "--fail-on critical" in shown
    quickstart = clone / "examples/quickstart"
    for attestation in ("sbom", "provenance"):
        assert json.loads((quickstart / f"{attestation}.attestation.json").read_text().splitlines()[0])["payload"]
    assert (quickstart / "another.pub").exists()
    _state_holds_no_secret_and_no_path(clone, env)
    _try_the_quickstart_s_own(clone, env)


def _try_the_quickstart_s_own(clone: Path, env: dict[str, str]) -> None:
    """The commands of the quickstart's README, on a port that is free here."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    make_up, *commands = blocks(clone / "examples/quickstart/README.md", "sh")
    assert make_up == "make up\n"
    script = 'eval "$(make env)"; cd examples/quickstart\n' + "\n".join(commands).replace("8080", port)
    # The machine's docker program may be newer than its engine and lack BuildKit's.
    assert "SELECT 1" in _shell(clone, env | {"DOCKER_BUILDKIT": "0"}, script).upper()


def _shell(clone: Path, env: dict[str, str], script: str) -> str:
    """What a person's shell prints for these commands, of which each has to succeed."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout


def _state_holds_no_secret_and_no_path(clone: Path, env: dict[str, str]) -> None:
    """What the issue asks of `pulumi stack export` after `make up`."""
    command = 'eval "$(make env)"; cd examples/quickstart; pulumi stack export; printf "\\0%s" "$COSIGN_PASSWORD"'
    done = subprocess.run(
        ["bash", "-euc", command], cwd=clone, env=env, capture_output=True, text=True, timeout=60, check=True
    )
    state, password = done.stdout.split("\0")
    assert password
    assert password not in state
    assert (clone / "examples/quickstart/cosign.key").read_text().splitlines()[1] not in state
    assert not re.findall(r'[" =](/(?:root|home|tmp|usr|var|work|opt)/[^"]*)', state)


def _copy_of_the_repository(clone: Path) -> None:
    tracked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(tracked, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)


def _environment(services: dict[str, Any], folder: Path) -> dict[str, str]:
    """A person's environment, with tools, an engine and the base image there already, to save minutes."""
    passed_on = {
        key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "VIRTUAL_ENV", "PYTHON"))
    }
    ambient = [folder for folder in os.get_exec_path() if not Path(folder).is_relative_to(sys.prefix)]
    path = os.pathsep.join([*services["path"], *ambient])
    if os.environ.get("SC_SECURE_PLUGINS") == "official":
        passed_on["PULUMI_HOME"] = services["pulumi_home"]
    own_cache = folder / "cache"
    made = cache.folder("quickstart")
    base_image.ensure(passed_on | {"PATH": path, "DOCKER_HOST": services["docker_host"]}, made)
    shutil.copytree(made, own_cache / "quickstart", ignore=shutil.ignore_patterns("*password*", "grype*"))
    (own_cache / ".made-by-sc-secure").touch()
    return passed_on | {
        "PATH": path,
        "DOCKER_HOST": services["docker_host"],
        "SC_SECURE_CACHE": str(own_cache),
    }


def _make(clone: Path, env: dict[str, str], target: str) -> str:
    done = subprocess.run(
        ["make", target], cwd=clone, env=env, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout + done.stderr
