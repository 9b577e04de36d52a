"""The files of examples/ci, looked at: by linters, by the published schemas, and for what no linter knows."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from devtools import tools
from sc_secure.tools import table, versions
from tests.ci.shop import EXAMPLE, installed_versions

WORKFLOWS = sorted((EXAMPLE / ".github/workflows").glob("*.yml"))
SCRIPTS = sorted((EXAMPLE / "ci").glob("*.sh"))
BIN = Path(sys.executable).parent


def check(*command: str | Path) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [(name, job) for file in WORKFLOWS for name, job in yaml.safe_load(file.read_text())["jobs"].items()]


def test_actionlint_finds_nothing() -> None:
    check(tools.ensure(["actionlint"])["actionlint"], "-shellcheck=", "-pyflakes=", *WORKFLOWS)


def test_zizmor_finds_nothing() -> None:
    check(BIN / "zizmor", "--offline", "--quiet", "--persona=pedantic", *WORKFLOWS)


def test_they_are_as_the_published_schemas_say() -> None:
    program = BIN / "check-jsonschema"
    check(program, "--builtin-schema=vendor.github-workflows", *WORKFLOWS)
    gitlab = EXAMPLE / ".gitlab-ci.yml"
    check(program, "--builtin-schema=vendor.gitlab-ci", "--data-transform=gitlab-ci", gitlab)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_for_any_shell(script: Path) -> None:
    text = script.read_text()
    assert text.startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in text
    assert not re.search(r"\[\[|\blocal\b|\bfunction\b|<\(|<<<|\bpipefail\b", text)
    for shell in filter(None, map(shutil.which, ("sh", "dash", "bash", "busybox"))):
        check(shell, *(["sh"] if shell.endswith("busybox") else []), "-n", script)


def test_an_action_is_pinned_once_and_for_all() -> None:
    lines = [line for file in WORKFLOWS for line in file.read_text().splitlines() if "uses:" in line]
    pins = [re.fullmatch(r"\s+(?:- )?uses: ([\w/-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line) for line in lines]
    assert all(pins)
    found = {(pin[1], pin[2], pin[3]) for pin in pins if pin}
    assert len(found) == len({name for name, *_ in found}) == 6


def test_only_the_deployment_signs_and_only_its_own_job_comments() -> None:
    for name, job in jobs():
        scopes = {scope: level for scope, level in job["permissions"].items() if level == "write"}
        expected = {
            "deploy": {"packages", "id-token"},
            "comment": {"pull-requests"},
            "code-scanning": {"security-events"},
        }
        assert set(scopes) == expected.get(name, set())
        assert job["timeout-minutes"] <= 60
        # What may write to GitHub runs nothing of the repository.
        if scopes and name != "deploy":
            assert not [step for step in job["steps"] if "run" in step or "checkout" in step["uses"]]


def test_a_secret_is_in_the_step_that_needs_it_alone() -> None:
    for name, job in jobs():
        assert "secrets." not in str({key: value for key, value in job.items() if key != "steps"})
        steps = [step for step in job["steps"] if "secrets." in str(step)]
        if steps:
            assert job.get("environment"), name
        assert not [step for step in steps if "secrets." in str(step.get("run")) or "secrets." in str(step.get("with"))]


def test_the_installed_versions_are_new_enough() -> None:
    installed = installed_versions()
    assert set(installed) == {"cosign", "syft", "grype", "pulumi"}
    for name, version in installed.items():
        assert not versions.too_old(table.tool(name), versions.Installed(Path(name), version)), name
