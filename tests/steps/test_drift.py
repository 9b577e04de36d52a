"""`sc-secure drift` on a stack's state, against the real registry."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine

COMMAND = "command:local:Command"


def state(folder: Path, *results: dict[str, Any]) -> str:
    """A file with what `pulumi stack export` prints of these steps."""
    words = {"sign": "image sign", "attest": "sbom attach"}
    resources = [
        {
            "urn": f"urn:pulumi:dev::trial::{COMMAND}::app-{result['step']}",
            "type": COMMAND,
            "inputs": {"create": f".sc/bin/sc-secure {words[result['step']]} --image {result['subject']} --key k"},
            "outputs": {"stdout": json.dumps(result)},
        }
        for result in results
    ]
    file = folder / "state.json"
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    return f"drift --stack-state {file}"


def test_what_is_gone_is_named(
    sc: CommandLine,
    image: str,
    key: str,
    project: Path,
    tools_env: dict[str, str],
) -> None:
    signed = sc(f"image sign --image {image} {key} --output json").result
    attested = sc(f"sbom attach --image {image} {key} --output json").result
    command = state(project, signed, attested)
    clean = sc(command)
    assert clean.code == 0, clean.stderr
    assert clean.stdout == f"{image}\n  as it was\n"

    repository, digest = image.split("@")
    tag = f"{repository}:{digest.replace(':', '-')}"
    subprocess.run(["crane", "delete", tag], env=tools_env, check=True, capture_output=True)
    done = sc(f"{command} --output json")
    assert done.code == 4
    assert "drifted: 1 of 1 images" in done.stderr
    (row,) = json.loads(done.stdout)["images"]
    assert row["subject"] == image
    assert {each["digest"] for each in row["gone"]} == {
        signed["outputs"]["signatureDigest"],
        attested["outputs"]["attestationDigest"],
    }
    assert "gone: https://cyclonedx.org/bom sha256:" in sc(command).stdout


def test_a_soft_failure_is_drift(sc: CommandLine, image: str, key: str, project: Path) -> None:
    signed = sc(f"image sign --image {image} {key} --output json").result
    done = sc(state(project, signed | {"status": "soft_failed", "outputs": {}}))
    assert done.code == 4
    assert "failed softly: sign" in done.stdout


def test_a_registry_that_cannot_be_asked_is_no_all_clear(
    sc: CommandLine,
    image: str,
    key: str,
    project: Path,
) -> None:
    signed = sc(f"image sign --image {image} {key} --output json").result
    elsewhere = f"127.0.0.1:1/app@sha256:{'0' * 64}"
    done = sc(f"{state(project, signed | {'subject': elsewhere})} --timeout 20")
    assert done.code == 6
    assert "127.0.0.1:1" in done.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--stack-state none.json", "none.json: No such file"),
        ("--stack-state bad.json", "the stack's state"),
        ("--stack dev --stack-state bad.json", "exclude each other"),
        ("--stack dev", "pulumi"),
    ],
)
def test_bad_usage(sc: CommandLine, project: Path, flags: str, said: str) -> None:
    (project / "bad.json").write_text("[]")
    done = sc(f"drift {flags}")
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stack_without_images(sc: CommandLine, project: Path) -> None:
    done = sc(state(project))
    assert (done.code, done.stdout) == (0, "no image was secured in this stack\n")
