"""docs/migrating.md on `sc`: its files and its program, as they stand there.

tests/engine/test_migrating.py is about the script.
"""

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from devtools import cli_reference
from sc_secure import load_security
from sc_secure.policy.security import parse_security
from tests.command_line import in_process
from tests.components.mocked import REFERENCE, Mocks, run
from tests.docs.test_readme import ROOT, blocks

PAGE = ROOT / "docs/migrating.md"
_, _, SHOW = blocks(PAGE, "sh")
_, BY_STACK = blocks(PAGE, "python")
SC, BASELINE, CHILD = blocks(PAGE, "yaml")
FILES = {
    ".sc/stacks/myapp/client.yaml": SC,
    ".sc/parent-stacks/security.yaml": BASELINE,
    ".sc/stacks/child/client.yaml": CHILD,
}


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_of_sc_is_read_as_it_is(stacks: Path) -> None:
    security = parse_security(load_security(str(stacks / ".sc/stacks/myapp/client.yaml")), camel=False)
    block = yaml.safe_load(SC)["security"]
    assert security.signing.keyless
    assert security.signing.verify.identity_regexp == block["signing"]["verify"]["identityRegexp"]
    assert security.attaches_sbom
    assert security.provenance.enabled
    assert security.scan.effective_fail_on == "critical"


def test_the_program_for_it(stacks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported: dict[str, pulumi.Output[Any]] = {}
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)
    monkeypatch.setattr(pulumi.Config, "require", lambda *_: "registry.example/team")
    mocks = Mocks()

    def whole() -> pulumi.Output[Any]:
        exec(compile(BY_STACK, "migrating.md", "exec"), {})  # noqa: S102 - it's our own document
        return exported["deployable_ref"]

    assert run(whole, mocks) == REFERENCE
    commands = mocks.commands()
    assert "--keyless" in commands["myapp-sign"]
    assert "--certificate-identity-regexp '^https://github.com/myorg/.*$'" in commands["myapp-verify"]


def test_inheritance_and_the_commands_on_it(stacks: Path, monkeypatch: Any, capsys: Any) -> None:
    sc = in_process({}, stacks, monkeypatch, capsys)
    assert sc("config validate --stack myapp").stderr == ""
    warned = sc("config validate --stack child")
    assert warned.code == 0
    assert "signing.verify must name identityRegexp and oidcIssuer" in warned.stderr
    (shown,) = blocks(PAGE, "text")
    program, words = SHOW.strip().split(" ", 1)
    assert program == "sc-secure"
    assert sc(words).stdout == shown


def test_the_commands_of_the_table_are_there() -> None:
    known = {words.split(" ")[0] for words in cli_reference.commands()} | set(cli_reference.commands())
    rows = PAGE.read_text().partition("| `sc` | here |")[2].splitlines()
    for here in (row.split("|")[2] for row in rows if row.startswith("| `sc ") and "sc-secure" in row):
        first, *more = [each.strip(" `") for each in here.split(",")]
        group = first.removeprefix("sc-secure ").split(" ")[0]
        assert first.removeprefix("sc-secure ") in known
        assert {f"{group} {each}" for each in more} <= known
