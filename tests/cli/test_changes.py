"""`sc-secure changes`: from a preview's JSON and the policy's files, without Pulumi."""

import io
import os
import sys
from pathlib import Path

import pytest

from tests.command_line import CommandLine, in_process

ENV = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
BEFORE = "security:\n  scan: {failOn: critical, onlyFixed: true}\n"


@pytest.fixture
def sc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    (tmp_path / "preview.json").write_text('{"steps": []}')
    (tmp_path / "before.yaml").write_text(BEFORE)
    (tmp_path / "after.yaml").write_text(BEFORE.replace("critical", "high"))
    return in_process(ENV, tmp_path, monkeypatch, capsys)


def test_the_policy_is_compared_with_all_it_inherits(sc: CommandLine) -> None:
    Path(".sc/parent-stacks").mkdir(parents=True)
    Path(".sc/parent-stacks/base.yaml").write_text("security:\n  sbom: {format: spdx-json}\n")
    Path("after.yaml").write_text(f"uses: base\n{Path('after.yaml').read_text()}")
    done = sc("changes --preview preview.json --policy after.yaml --policy-before before.yaml")
    assert (done.code, done.stderr) == (0, "")
    assert '| `scan.failOn` | `"critical"` | `"high"` |' in done.stdout
    assert '| `sbom.format` |  | `"spdx-json"` |' in done.stdout
    assert "onlyFixed" not in done.stdout


def test_a_first_policy_is_all_new(sc: CommandLine) -> None:
    done = sc("changes --preview preview.json --policy after.yaml --policy-before none.yaml")
    assert "## Security: 2 values of the policy changed" in done.stdout


def test_from_standard_input(sc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"steps": []}')))
    assert "nothing changes" in sc("changes").stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--policy after.yaml", "give both --policy and --policy-before"),
        ("--policy none.yaml --policy-before before.yaml", "none.yaml"),
        ("--policy after.yaml --policy-before broken.yaml", "broken.yaml"),
    ],
)
def test_bad_usage(sc: CommandLine, *, flags: str, said: str) -> None:
    Path("broken.yaml").write_text("security: {scan: {failOn: hihg}}\n")
    done = sc(f"changes --preview preview.json {flags}")
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize("content", ["", "error: no stack", "[]", "[" * 100_000])
def test_what_is_no_preview(sc: CommandLine, content: str) -> None:
    Path("preview.json").write_text(content)
    done = sc("changes --preview preview.json")
    assert (done.code, done.stdout) == (2, "")
    assert "--preview:" in done.stderr
