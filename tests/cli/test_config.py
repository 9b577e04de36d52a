"""`config show|validate|schema`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from devtools import configuration
from sc_secure.policy.loading import load_policy
from tests.command_line import ROOT, CommandLine, in_process
from tests.policy.files import write

ENV = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
BASE = "security:\n  scan:\n    failOn: high\n  signing:\n    key: base.key\n"
CLIENT = "uses: base\nsecurity:\n  signing:\n    key: web.key\n"


@pytest.fixture
def sc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    call = in_process(ENV, tmp_path, monkeypatch, capsys)
    write(".sc/parent-stacks/base.yaml", BASE)
    write(".sc/stacks/web/client.yaml", CLIENT)
    return call


@pytest.mark.parametrize("words", ["config", "config show", "config validate", "config schema"])
def test_help(sc: CommandLine, words: str) -> None:
    done = sc(f"{words} --help")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: sc-secure {words}")
    assert "config" in sc("--help").stdout


def test_show(sc: CommandLine) -> None:
    done = sc("config show --stack web")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "security:",
        "  scan:",
        "    failOn: high  # .sc/parent-stacks/base.yaml:3",
        "  signing:",
        "    key: web.key  # .sc/stacks/web/client.yaml:4",
    ]
    assert done == sc("config show --file .sc/stacks/web/client.yaml -v")


def test_show_for_machines(sc: CommandLine) -> None:
    done = sc("config show --stack web --output json")
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout) == {
        "files": [".sc/stacks/web/client.yaml", ".sc/parent-stacks/base.yaml"],
        "security": {"scan": {"failOn": "high"}, "signing": {"key": "web.key"}},
        "origins": {
            "security.scan.failOn": {"file": ".sc/parent-stacks/base.yaml", "line": 3},
            "security.signing.key": {"file": ".sc/stacks/web/client.yaml", "line": 4},
        },
    }


@pytest.mark.parametrize(
    "key",
    [
        "plain",
        "yes",
        "1",
        "null",
        "~",
        "2026-12-31",
        "a: b # c",
        "[x]",
        "'",
        '"',
        "ключ",
        "a\u202eb",
        "tail ",
        "*",
        "a\\nb",
        "a\nb",
    ],
)
def test_what_show_prints_is_a_policy_that_says_the_same(sc: CommandLine, key: str) -> None:
    write("client.yaml", yaml.safe_dump({"security": {"signing": {"key": key}, "scan": {"vex": [key]}}}))
    shown = sc("config show --file client.yaml").stdout
    assert shown.isascii()
    assert shown.count("\n") == 6
    write("shown.yaml", shown)
    assert load_policy("shown.yaml").block.plain == load_policy("client.yaml").block.plain
    assert load_policy("shown.yaml").security.signing.key == key


def test_empty_sections_and_lists_are_shown(sc: CommandLine) -> None:
    write("client.yaml", "security:\n  scan: {vex: [], tools: [{name: grype}, ]}\n  sbom: {}\n")
    assert sc("config show --file client.yaml").stdout.splitlines() == [
        "security:",
        "  scan:",
        "    vex: []          # client.yaml:2",
        "    tools:",
        "      - name: grype  # client.yaml:2",
        "  sbom: {}           # client.yaml:3",
    ]
    write("client.yaml", "security: {}\n")
    assert sc("config show --file client.yaml").stdout == "security: {}  # client.yaml:1\n"


def test_validate(sc: CommandLine) -> None:
    done = sc("config validate --stack web")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == "valid: .sc/stacks/web/client.yaml (inherits from .sc/parent-stacks/base.yaml)\n"
    done = sc("config validate --stack web --output json")
    files = [".sc/stacks/web/client.yaml", ".sc/parent-stacks/base.yaml"]
    assert json.loads(done.stdout) == {"valid": True, "files": files, "problems": [], "warnings": []}
    assert sc("config validate --file .sc/parent-stacks/base.yaml").stdout == "valid: .sc/parent-stacks/base.yaml\n"


def test_validate_says_every_problem(sc: CommandLine) -> None:
    write(".sc/stacks/web/client.yaml", "uses: base\nsecurity:\n  scna: {}\n  enabled: 1\n")
    write(".sc/parent-stacks/base.yaml", "security:\n  timeouts: {scan: 0}\n")
    done = sc("config validate --stack web")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "sc-secure: .sc/stacks/web/client.yaml:3: security.scna: unknown key; did you mean scan?",
        ".sc/stacks/web/client.yaml:4: security.enabled: Input should be a valid boolean",
        ".sc/parent-stacks/base.yaml:2: security.timeouts.scan: Input should be greater than or equal to 1",
    ]
    assert sc("config show --stack web").code == 2
    done = sc("config validate --stack web --output json")
    assert (done.code, done.stderr) == (2, "")
    said = json.loads(done.stdout)
    assert (said["valid"], said["files"]) == (False, [])
    assert said["problems"][0] == {
        "file": ".sc/stacks/web/client.yaml",
        "line": 3,
        "path": "security.scna",
        "reason": "unknown key; did you mean scan?",
    }
    assert len(said["problems"]) == 3


def test_validate_warns_of_what_a_deployment_refuses(sc: CommandLine) -> None:
    write("client.yaml", "security:\n  signing:\n    keyless: true\n")
    done = sc("config validate --file client.yaml")
    assert (done.code, done.stdout) == (0, "valid: client.yaml\n")
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("warning: client.yaml:3: security.signing.verify: SecuredImage refuses it")
    said = json.loads(sc("config validate --file client.yaml --output json").stdout)
    assert [warning["line"] for warning in said["warnings"]] == [3]
    for verify in ("enabled: false", "identityRegexp: '^dev@acme.test$', oidcIssuer: 'https://i.test'"):
        write("client.yaml", f"security:\n  signing: {{keyless: true, verify: {{{verify}}}}}\n")
        assert sc("config validate --file client.yaml").stderr == ""
    write("client.yaml", "security:\n  enabled: false\n  signing: {keyless: true}\n")
    assert sc("config validate --file client.yaml").stderr == ""


def test_schema(sc: CommandLine) -> None:
    done = sc("config schema")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == configuration.SCHEMA.read_text()


@pytest.mark.parametrize("words", ["show", "validate"])
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("", "either --stack NAME (stacks here: web) or --file FILE"),
        ("--stack web --file client.yaml", "either --stack NAME (stacks here: web) or --file FILE"),
        ("--stack ../web", "a stack's name is one folder's name"),
        ("--stack nope", ".sc/stacks/nope/client.yaml: No such file or directory"),
        ("--file nope.yaml", "nope.yaml: No such file or directory"),
        ("--stack web --output xml", "--output"),
        ("--stak web", "--stak"),
    ],
)
def test_bad_usage(sc: CommandLine, words: str, flags: str, said: str) -> None:
    done = sc(f"config {words} {flags}")
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize("words", ["config --help", "config show --help", "config validate --help", "config schema"])
def test_nothing_is_imported_that_is_not_needed(words: str, tmp_path: Path) -> None:
    def modules(arguments: str) -> set[Any]:
        command = [sys.executable, "-X", "importtime", "-m", "sc_secure", *arguments.split()]
        done = subprocess.run(command, cwd=ROOT, env=ENV, capture_output=True, text=True, check=True)
        return {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}

    imported = modules(words)
    assert "pulumi" not in imported
    if "--help" in words:
        assert not imported & {"yaml", "pydantic"}
