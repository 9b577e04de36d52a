"""Pulumi's own runs: what the chain adds to `up`, and what many secured images cost when nothing changes."""

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks.conftest import RUNS, Record
from benchmarks.images import SIZES, Copies, forgotten
from benchmarks.measure import Pair, in_turn, middle, once
from benchmarks.results import Row
from benchmarks.test_chain import CRITICAL
from tests.images import CLEAN, push_image
from tests.project import Project

STEPS = ("sbom", "scan", "sign", "attest-sbom", "attest-provenance", "attest-scan", "verify")
SECURED = """
import json
import pulumi
from sc_secure import SecuredImage

config = pulumi.Config()
for number, reference in enumerate(config.require_object("images")):
    SecuredImage(f"app{number}", {
        "image_ref": reference,
        "security": {"enabled": config.get("security") != "off", "scan": {"fail_on": "critical"}, "sbom": {},
                     "signing": {"key": "cosign.key", "password_env": "COSIGN_PASSWORD",
                                 "verify": {"key": "cosign.pub"}},
                     "provenance": {"builder_id": "https://ci.example/builder"}},
    })
"""
BARE = f"""
import pulumi
from pulumi_command import local

class Part(pulumi.ComponentResource):
    def __init__(self, kind, name, opts=None):
        super().__init__("bare:index:" + kind, name, {{}}, opts)

for number, reference in enumerate(pulumi.Config().require_object("images")):
    whole = Part("Image", f"app{{number}}")
    for step in {STEPS!r}:
        name = f"app{{number}}-{{step}}"
        part = Part("Step", name, pulumi.ResourceOptions(parent=whole))
        local.Command(name, create=f"echo {{reference}}", opts=pulumi.ResourceOptions(parent=part))
"""


class Measured(Project):
    """A project whose engine runs are timed."""

    def __init__(self, folder: Path, environment: dict[str, str], program: str) -> None:
        super().__init__(folder, environment | {"COSIGN_PASSWORD": "test"}, program)
        once(["cosign", "generate-key-pair", "--output-key-prefix", "cosign"], self.environment, self.folder)

    def set(self, name: str, value: object) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        command = ["pulumi", "config", "set", name, text, "--stack", "dev", "--non-interactive"]
        subprocess.run(command, cwd=self.folder, env=self.environment, check=True, capture_output=True)

    def command(self, verb: str) -> list[str]:
        yes = ["--yes", "--skip-preview"] if verb == "up" else []
        return ["pulumi", verb, *yes, "--stack", "dev", "--non-interactive"]


@pytest.mark.parametrize("count", [1, 10, 50])
def test_nothing_changed(
    count: int, pulumi_env: dict[str, str], registry: str, tmp_path: Path, record: Record
) -> None:  # fmt: skip
    references = [push_image(pulumi_env, tmp_path, f"{registry}/bench/n{number}", CLEAN) for number in range(count)]
    projects: dict[str, Measured] = {}
    for side, program in (("ours", SECURED), ("theirs", BARE)):
        project = projects[side] = Measured(tmp_path / side, pulumi_env, program)
        project.set("images", references)
        first = once(project.command("up"), project.environment, project.folder)
        if side == "ours":
            record(Row(f"first `up` of {count} image{'s' * (count > 1)}", first.seconds, "s"))
    for verb in ("up", "preview"):
        pair = _both(projects["ours"], projects["theirs"], verb)
        ours, theirs = middle(pair.ours).seconds, middle(pair.theirs).seconds
        what = f"no-op `{verb}`, {count} image{'s' * (count > 1)}"
        record(Row(what, ours, "s", "bare components and commands", theirs, pair.ratio, 1.15))


def _both(ours: Measured, theirs: Measured, verb: str) -> Pair:
    pair = Pair([], [])
    for number in range(RUNS + 1):
        for project, costs in ((ours, pair.ours), (theirs, pair.theirs)):
            cost = once(project.command(verb), project.environment, project.folder)
            if number:
                costs.append(cost)
    return pair


@pytest.mark.parametrize("size", SIZES)
def test_what_the_chain_adds(
    size: str, pulumi_env: dict[str, str], registry: str, tmp_path: Path, record: Record
) -> None:  # fmt: skip
    copies = Copies(pulumi_env, registry, size)
    project = Measured(tmp_path / "project", pulumi_env, SECURED)
    where = (project.environment, project.folder)
    once(["cosign", "signing-config", "create", "--out", "empty.json"], *where)
    once(["cosign", "trusted-root", "create", "--out", "root.json"], *where)
    project.write("provenance.json", {"buildDefinition": {"buildType": "x"}, "runDetails": {}})
    project.write("critical.sh", CRITICAL)

    def with_security(state: str) -> list[str]:
        forgotten(project.folder)
        project.set("images", [copies.fresh()])
        project.set("security", state)
        return project.command("up")

    up = in_turn(lambda: with_security("on"), lambda: with_security("off"), where, RUNS)
    tools = [once(["sh", "critical.sh", copies.fresh()], *where) for _ in range(RUNS)]
    alone = middle(tools).seconds
    what = f"`up` takes longer with security on, {size}"
    record(Row(what, up.difference, "s", "the critical path of the tools alone", alone, up.difference / alone, 1.3))
