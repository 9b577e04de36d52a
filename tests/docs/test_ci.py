"""The commands and the policy of docs/ci.md and examples/ci/README.md are what they say they are."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from sc_secure.policy.loading import load_security
from tests.command_line import CommandLine, in_process
from tests.docs.test_readme import ROOT, blocks
from tests.report.documents import scan_document

PAGE = ROOT / "docs/ci.md"
EXAMPLE = ROOT / "examples/ci"


@pytest.fixture
def sc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return in_process({"HOME": str(tmp_path)}, tmp_path, monkeypatch, capsys)


def test_what_a_pull_request_shows(sc: CommandLine, tmp_path: Path) -> None:
    command = blocks(PAGE, "sh")[0].strip().partition(" | ")[2]
    (shown,) = blocks(PAGE, "markdown")
    scan = ".sc/bin/sc-secure image scan --image repo@sha256:1 --fail-on {} --output json"
    state = {
        key: {"inputs": {"create": scan.format(word)}} for key, word in (("oldState", "high"), ("newState", "critical"))
    }
    urn = "urn:pulumi:production::shop::sc-secure:index:ScanCommand$command:local:Command::web-scan"
    (tmp_path / "preview.json").write_text(json.dumps({"steps": [{"op": "update", "urn": urn, **state}]}))
    for name, word in (("before", "high"), ("policy", "critical")):
        (tmp_path / f"{name}.yaml").write_text(f"security: {{scan: {{failOn: {word}}}}}\n")
    done = sc(command.partition(" ")[2].replace("../main/policy", "before") + " --preview preview.json")
    assert done.stdout == f"<!-- sc-secure:changes -->\n\n{shown}"


def test_a_scan_s_report(sc: CommandLine, tmp_path: Path) -> None:
    words = shlex.split(blocks(PAGE, "sh")[-1])
    scan = tmp_path / words[words.index("--scan") + 1].replace("*", "a" * 64)
    scan.parent.mkdir(parents=True)
    scan.write_text(json.dumps(scan_document()))
    assert sc(shlex.join([str(scan) if "*" in word else word for word in words[1:]])).code == 0
    assert (tmp_path / "reports/release.sarif").exists()


def test_both_policies_are_carried_out(tmp_path: Path) -> None:
    ours = load_security(str(EXAMPLE / "policy.yaml"))
    (gitlab,) = blocks(PAGE, "yaml")
    (tmp_path / "gitlab.yaml").write_text(gitlab)
    theirs = load_security(str(tmp_path / "gitlab.yaml"))
    workflow = "https://github.com/acme/shop/.github/workflows/deploy.yml@refs/heads/main"
    pipeline = "https://gitlab.com/acme/shop//.gitlab-ci.yml@refs/heads/main"
    for policy, identity in ((ours, workflow), (theirs, pipeline)):
        assert re.fullmatch(policy["signing"]["verify"]["identity_regexp"], identity)
    assert workflow.replace("acme/shop", "OWNER/REPOSITORY") in PAGE.read_text()


def test_the_settings_are_those_that_the_workflows_read() -> None:
    page = PAGE.read_text()
    for file in (EXAMPLE / ".github/workflows").glob("*.yml"):
        for name in re.findall(r"(?:secrets|vars)\.(\w+)", file.read_text()):
            assert name == "GITHUB_TOKEN" or f"`{name}`" in page
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            assert "environment" not in job or f"`{job['environment']}`" in page


@pytest.mark.parametrize("page", [PAGE, EXAMPLE / "README.md"], ids=["page", "example"])
def test_links_and_files_are_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
    if page.name == "README.md":
        named = {Path(name).name for name in re.findall(r"`([\w./-]+\.\w+)`", page.read_text())}
        there = {path.name for path in EXAMPLE.rglob("*") if path.is_file()}
        assert named - {"requirements.txt", "Pulumi.production.yaml"} <= there
