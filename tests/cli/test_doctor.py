"""The command itself: its usage, its two forms, and its exit code."""

import json
import time
from pathlib import Path

import pytest

from tests.command_line import CommandLine, in_process
from tests.steps.doctor.looked import rows


@pytest.fixture
def sc(
    tools_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return in_process(tools_env, tmp_path, monkeypatch, capsys)


def test_all_is_well(sc: CommandLine, registry: str) -> None:
    done = sc(f"doctor --image {registry}/app")
    assert (done.code, done.stderr) == (0, "")
    assert {"cosign", "syft", "grype"} <= set(done.stdout.split())
    assert "fulcio" not in done.stdout, "no user needs the tests' Sigstore"
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert [line.split()[:2] for line in lines] == [
        [each["status"], each["check"]]
        for each in json.loads(sc(f"doctor --image {registry}/app --output json").stdout)
    ]


def test_what_is_wrong_is_told_with_what_to_do(sc: CommandLine) -> None:
    done = sc("doctor", PATH="/nowhere")
    assert done.code == 5
    said = done.stdout.splitlines()
    (line,) = [number for number, each in enumerate(said) if each.startswith("failed  tool.cosign ")]
    assert "cosign is not on PATH" in said[line]
    assert said[line + 1].startswith("        install cosign 3.1.0 or newer")
    assert done.stderr == "sc-secure: a deployment wouldn't work here: tool.cosign, tool.syft, tool.grype\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--image x --registry y.example", "either --image or --registry"),
        ("--stack a --policy b", "either --stack NAME, or --policy FILE"),
        ("--image x@sha256:12", "--image x@sha256:12"),
        ("--image UPPER", "--image UPPER"),
        ("--registry https://ghcr.io", "--registry https://ghcr.io"),
        ("--registry ghcr.io/acme", "not a registry's host"),
        ("--registry-username-env A", "go together"),
        ("--registry-username-env A --registry-password-env B", "goes with --image or --registry"),
        ("--output yaml", "--output"),
    ],
)
def test_bad_usage(sc: CommandLine, flags: str, said: str) -> None:
    done = sc(f"doctor {flags}")
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_stack(sc: CommandLine, tmp_path: Path) -> None:
    stack, parent = tmp_path / ".sc/stacks/web/client.yaml", tmp_path / ".sc/parent-stacks/base.yaml"
    for file, text in ((stack, "uses: base\nsecurity: {sbom: {}}\n"), (parent, "security: {scan: {failOn: high}}\n")):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    done = sc("doctor --stack web --output json")
    assert done.code == 0, done.stderr
    assert rows(done)["policy"]["detail"] == (
        ".sc/stacks/web/client.yaml, which inherits from .sc/parent-stacks/base.yaml"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("security: {scan: {failOn: hihg}}\n", "p.yaml:1: security.scan.failOn: "),
        ("security: {skan: {}, sbon: {}}\n", "; p.yaml:1: security.sbon"),
        ("security: [", "p.yaml"),
        ("a: 1\n", "p.yaml"),
        (None, "p.yaml"),
    ],
)
def test_a_policy_that_is_none(sc: CommandLine, tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "p.yaml").write_text(text)
    done = sc("doctor --policy p.yaml --output json")
    assert (done.code, rows(done)["policy"]["status"]) == (2, "failed")
    assert said in rows(done)["policy"]["detail"]
    assert "tool.cosign" in rows(done), "the rest is looked at all the same"


def test_the_first_failure_s_code(sc: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("security: {skan: {}}\n")
    assert sc("doctor --policy p.yaml --image 127.0.0.1:1/x", PATH="/nowhere").code == 2
    assert sc("doctor --image 127.0.0.1:1/x", PATH="/nowhere").code == 5
    assert sc("doctor --image 127.0.0.1:1/x").code == 6


def test_an_expression_that_takes_for_ever(sc: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        r"security: {signing: {keyless: true, verify: {identityRegexp: '(\S+)+!', oidcIssuer: 'https://x.example'}}}"
    )
    sc("doctor")
    began = time.monotonic()
    done = sc("doctor --policy p.yaml --output json")
    assert (done.code, rows(done)["sigstore"]["status"]) == (6, "failed")
    assert "longer than 8 s" in rows(done)["sigstore"]["detail"]
    assert time.monotonic() - began < 30, "8 on an idle machine"


def test_a_hostile_environment(sc: CommandLine, tmp_path: Path) -> None:
    """Text from outside is one line each, without control characters."""
    job = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "7\x1b[2J", "GITHUB_REPOSITORY": "a\nb"}
    env = {"DOCKER_HOST": "unix:///x\x1b[31m\n", "AWS_PROFILE": "p\x1b]0;x\x07", "GCE_METADATA_HOST": "no such\thost:x"}
    done = sc("doctor", **job, **env)
    assert done.code == 0, done.stderr
    assert all(line.isprintable() for line in done.stdout.splitlines())
