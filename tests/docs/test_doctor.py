"""docs/doctor.md: its commands run, and its table is that of the checks."""

import re
import shlex
import subprocess
from pathlib import Path

import yaml

from sc_secure.cli.doctor import command
from tests.command_line import CommandLine
from tests.docs.test_readme import ROOT, blocks
from tests.steps.conftest import key, keys, project, sc  # noqa: F401 - fixtures
from tests.steps.doctor.looked import rows

# ruff: noqa: F811 - a fixture's name is an argument's

PAGE = ROOT / "docs/doctor.md"
POLICY = "security: {scan: {failOn: high}, signing: {key: cosign.key}}\n"


def said(heading: str) -> set[str]:
    table = PAGE.read_text().partition(f"| {heading} |")[2].partition("\n\n")[0]
    return {name for line in table.splitlines()[2:] for name in re.findall(r"`([\w.…]+)`", line.split("|")[1])}


def test_every_flag_is_one() -> None:
    options = {flag for parameter in command.params for flag in parameter.opts if flag.startswith("--")}
    assert set(re.findall(r"`(--[a-z-]+)", PAGE.read_text())) == options - {"--verbose"}


def test_the_first_command_and_its_checks(sc: CommandLine, registry: str, key: str, project: Path) -> None:
    (project / ".sc/stacks/web").mkdir(parents=True)
    (project / ".sc/stacks/web/client.yaml").write_text(POLICY)
    first, _ = blocks(PAGE, "sh")
    program, *words = shlex.split(first.replace("registry.example.com", registry))
    done = sc(shlex.join([*words, "--output", "json"]))
    assert (program, done.code) == ("sc-secure", 0), done.stdout
    found = {re.sub(r"^(tool|database|disk)\..*", r"\1.…", each) for each in rows(done)}
    assert found == said("check") - {"sigstore"}, "this policy signs with a key"


def test_the_json_command(tools_env: dict[str, str], tmp_path: Path) -> None:
    _, line = blocks(PAGE, "sh")
    env = {**tools_env, "GRYPE_DB_CACHE_DIR": "/nowhere"}
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert done.stdout == "database.grype\n", done.stderr


def test_the_step_of_a_pipeline() -> None:
    (step,) = yaml.safe_load(blocks(PAGE, "yaml")[0])
    program, name, *words = shlex.split(step["run"])
    assert (program, name) == ("sc-secure", "doctor")
    command.make_context("doctor", words)


def test_the_schema_is_beside_it() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", PAGE.read_text()):
        assert (PAGE.parent / target).exists(), target
    assert said("member") == {"check", "status", "detail", "remedy"}
