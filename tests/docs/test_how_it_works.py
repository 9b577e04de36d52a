"""What docs/how-it-works.md says of the graph, and its commands by hand, with cosign, crane and grype alone."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sc_secure import SecuredImage
from tests.command_line import in_process
from tests.components.mocked import REFERENCE, STEP_OF, Mocks, run
from tests.docs.test_readme import ROOT, blocks
from tests.images import VULNERABLE, push_image

PAGE = ROOT / "docs/how-it-works.md"
SECURITY: dict[str, Any] = {
    "scan": {"fail_on": "critical"},
    "sbom": {},
    "signing": {"key": "cosign.key"},
    "provenance": {"builder_id": "https://ci.example/builder"},
}
POLICY = """
security:
  scan: {failOn: critical}
  sbom: {}
  signing: {key: cosign.key, verify: {key: cosign.pub}}
  provenance: {builderId: "https://ci.example/builder", includeGit: false, includeDockerfile: false}
"""


def test_the_steps_are_those_of_the_table() -> None:
    mocks = Mocks()
    run(lambda: SecuredImage("app", {"image_ref": REFERENCE, "security": SECURITY}).deployable_ref, mocks)
    rows = re.findall(r"^\| `<name>-([\w-]+)` \| `(.*?)` \|", PAGE.read_text(), re.MULTILINE)
    commands = mocks.commands()
    assert [f"app-{step}" for step, _ in rows] == list(commands)
    for step, words in rows:
        assert f"sc-secure {words} " in commands[f"app-{step}"]
    assert {words for _, words in rows} == set(STEP_OF)


@pytest.mark.engine
def test_by_hand(
    tools_env: dict[str, str],
    registry: str,
    key_pair: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = key_pair.parent
    env = tools_env | {"COSIGN_PASSWORD": "test"}
    image = push_image(env, folder, f"{registry}/by-hand", VULNERABLE)
    (folder / "policy.yaml").write_text(POLICY)
    released = in_process(env, folder, monkeypatch, capsys)("release create --policy policy.yaml --image", image)
    assert released.code == 0, released.stderr
    (program,) = blocks(PAGE, "python")
    (folder / "predicate.py").write_text(program)

    # Neither our password nor our key is of use to who verifies.
    (folder / "cosign.key").rename(folder / "ours.key")
    signed, attested, read, listed = (_shell(each, folder, tools_env, image) for each in blocks(PAGE, "sh"))
    assert (signed.returncode, attested.returncode, read.returncode, listed.returncode) == (0, 0, 0, 0), read.stderr
    assert "GHSA-2m57-hf25-phgg" in read.stdout, "grype finds in the SBOM what was found in the image"
    assert "https://ci.example/builder" in read.stdout
    assert json.loads((folder / "scan.json").read_text())["scanner"]["db"]["version"]
    assert len(json.loads(listed.stdout)["manifests"]) == 4, "a signature and three attestations"


@pytest.mark.engine
def test_an_attestation_alone_is_noticed_by_hand(tools_env: dict[str, str], registry: str, key_pair: Path) -> None:
    folder, env = key_pair.parent, tools_env | {"COSIGN_PASSWORD": "test"}
    image = push_image(env, folder, f"{registry}/attested-alone", VULNERABLE)
    attest = """
    cosign signing-config create --out no-log.json
    cosign trusted-root create --out nobody.json
    echo {} > empty.json
    cosign attest --key cosign.key --signing-config no-log.json --trusted-root nobody.json --predicate empty.json "$ref"
    """
    assert _shell(attest, folder, env, image).returncode == 0
    verify, _, _, _ = blocks(PAGE, "sh")
    *cosign, _ = verify.splitlines()
    assert _shell("\n".join(cosign), folder, tools_env, image).returncode == 0, "the page is right about cosign"
    assert _shell(verify, folder, tools_env, image).returncode == 1


def _shell(script: str, folder: Path, env: dict[str, str], image: str) -> "subprocess.CompletedProcess[str]":
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=folder, env=env | {"ref": image}, capture_output=True, text=True, timeout=120, check=False
    )
