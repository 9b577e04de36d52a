import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from sc_secure.steps.attest import _as_protobuf
from tests.command_line import CommandLine, start
from tests.images import CLEAN, attachments
from tests.steps.conftest import PushImage
from tests.waiting import wait_until

KINDS = {
    "sbom attach --format cyclonedx-json": "https://cyclonedx.org/bom",
    "sbom attach --format spdx-json": "https://spdx.dev/Document",
    "sbom attach --format syft-json": "https://syft.dev/bom",
    "provenance attach --no-include-git": "https://slsa.dev/provenance/v1",
    "scan attach": "https://cosign.sigstore.dev/attestation/vuln/v1",
}


@pytest.mark.parametrize("command", [name for name in KINDS if "spdx" not in name and "syft" not in name])
def test_attached_once(sc: CommandLine, image: str, key: str, command: str, project: Path) -> None:
    first = sc(f"{command} --image {image} {key} --output json").result
    assert first["status"] == "passed"
    assert first["outputs"]["attestationDigest"] == attachments(image)[0]
    shutil.rmtree(project / ".sc")  # as on another machine
    second = sc(f"{command} --image {image} {key} --output json").result
    assert second["status"] == "reused"
    assert second["outputs"] == first["outputs"]
    assert len(attachments(image)) == 1


def test_cosign_accepts_what_was_attached(
    sc: CommandLine, image: str, key: str, project: Path, tools_env: dict[str, str]
) -> None:
    for command, uri in KINDS.items():
        result = sc(f"{command} --image {image} {key} --output json").result
        assert (result["status"], result["outputs"]["predicateType"]) == ("passed", uri)
        if "format" in command:
            assert result["outputs"]["predicateSha256"] == result["artifacts"][0]["sha256"]
    for kind in ("cyclonedx", "spdxjson", "slsaprovenance1", "vuln", "https://syft.dev/bom"):
        words = ["cosign", "verify-attestation", "--type", kind, "--key", "cosign.pub", "--insecure-ignore-tlog", image]
        subprocess.run(words, cwd=project, env=tools_env, check=True, capture_output=True)


def test_parallel_writes_all_stay(
    sc: CommandLine, image: str, key: str, project: Path, tools_env: dict[str, str]
) -> None:
    assert sc(f"image scan --image {image} --fail-on critical").code == 0
    env = {**tools_env, "COSIGN_PASSWORD": "test"}
    flags = ["--image", image, *key.split(), "--output", "json"]
    commands = [command for command in KINDS if "syft" not in command]
    running = [start(env, project, *command.split(), *flags) for command in commands]
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert json.loads(out)["status"] == "passed"
    assert len(attachments(image)) == 4
    kinds = "--attestation cyclonedx --attestation spdx --attestation slsaprovenance1 --attestation vuln"
    done = sc(f"image verify --image {image} {key} {kinds}")
    assert done.code == 4
    assert "signature" in done.stderr
    assert sc(f"image sign --image {image} {key}").code == 0
    verified = sc(f"image verify --image {image} --key cosign.pub --no-transparency-log {kinds} --output json").result
    assert sorted(verified["outputs"]["verified"].values()) == sorted(attachments(image))
    assert {"signature", *KINDS.values()} - {"https://syft.dev/bom"} == set(verified["outputs"]["verified"])


WAITS = """#!/bin/sh
case "$*" in
verify-blob-attestation*cyclonedx*)
    touch {here}/verifying
    for second in $(seq 20); do test -e {here}/signing && exec {real} "$@"; sleep 1; done
    exit 9 ;;
attest*slsaprovenance1*) touch {here}/signing ;;
esac
exec {real} "$@"
"""


def test_one_is_written_while_another_is_read_back(
    image: str, key: str, project: Path, tools_env: dict[str, str], tmp_path: Path
) -> None:
    here = tmp_path / "wrapped"
    here.mkdir()
    (here / "cosign").write_text(WAITS.format(here=here, real=shutil.which("cosign", path=tools_env["PATH"])))
    (here / "cosign").chmod(0o755)
    env = {**tools_env, "COSIGN_PASSWORD": "test", "PATH": f"{here}:{tools_env['PATH']}"}
    flags = ["--image", image, *key.split()]
    first = start(env, project, "sbom", "attach", *flags)
    wait_until((here / "verifying").exists)
    second = start(env, project, "provenance", "attach", "--no-include-git", *flags)
    for process in (first, second):
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert len(attachments(image)) == 2


def test_the_scan_is_attested_as_facts(sc: CommandLine, image: str, key: str, project: Path) -> None:
    assert sc(f"image scan --image {image} --fail-on high").code == 3
    result = sc(f"scan attach --image {image} {key} --output json").result
    assert any("sample" in warning for warning in result["warnings"])
    (facts,) = (project / ".sc").rglob("scan.vuln.json")
    text = facts.read_text()
    assert "GHSA-2m57-hf25-phgg" in text
    assert "failOn" not in text
    assert "action" not in text
    facts.write_text(text.replace("GHSA-2m57-hf25-phgg", "GHSA-0000-0000-0000"))  # as one that came with the source
    assert sc(f"scan attach --image {image} {key} --output json").result["status"] == "reused"
    assert "GHSA-2m57-hf25-phgg" in facts.read_text()


def test_another_images_attestation_is_refused(
    sc: CommandLine, image: str, new_image: PushImage, key: str, tools_env: dict[str, str]
) -> None:
    """The attachments of one image, moved to another by someone who can write to the registry."""
    other = new_image(CLEAN, name=image.partition("@")[0].partition("/")[2])
    assert sc(f"image sign --image {other} {key}").code == 0
    assert sc(f"sbom attach --format cyclonedx-json --image {other} {key}").code == 0
    repository, _, digest = image.partition("@")
    moved = f"{repository}:{digest.replace(':', '-')}"
    theirs = f"{repository}:{other.partition('@')[2].replace(':', '-')}"
    subprocess.run(["crane", "copy", theirs, moved], env=tools_env, check=True, capture_output=True)
    assert attachments(image) == attachments(other) != []
    done = sc(f"image verify --image {image} {key} --attestation cyclonedx")
    assert done.code == 4
    assert "signature" in done.stderr
    assert "cyclonedx" in done.stderr


def test_an_empty_predicate_proves_nothing(
    sc: CommandLine, image: str, key: str, project: Path, tools_env: dict[str, str]
) -> None:
    (project / "empty.json").write_text("{}")
    (project / "config.json").write_text('{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}')
    (project / "root.json").write_text('{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}')
    offline = ["--signing-config=config.json", "--trusted-root=root.json", "--key=cosign.key", "--yes"]
    words = ["cosign", "attest", "--type=cyclonedx", "--predicate=empty.json", *offline, image]
    env = {**tools_env, "COSIGN_PASSWORD": "test"}
    subprocess.run(words, cwd=project, env=env, check=True, capture_output=True)
    assert sc(f"sbom verify --format cyclonedx-json --image {image} {key}").code == 4


def test_an_attachment_that_is_gone_is_made_again(sc: CommandLine, image: str, key: str) -> None:
    command = f"sbom attach --format cyclonedx-json --image {image} {key} --output json"
    assert sc(command).result["status"] == "passed"
    host, _, rest = image.partition("@")[0].partition("/")
    tag = image.partition("@")[2].replace(":", "-")
    request = urllib.request.Request(f"http://{host}/v2/{rest}/manifests/{tag}", method="DELETE")
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - http on loopback
        pass
    assert sc(f"sbom verify --format cyclonedx-json --image {image} {key}").code == 4
    assert sc(command).result["status"] == "passed"


def test_an_image_that_is_not_there_is_no_failed_verification(sc: CommandLine, image: str, key: str) -> None:
    missing = image[:-4] + ("0000" if image[-4:] != "0000" else "1111")
    done = sc(f"image verify --image {missing} {key}")
    assert done.code == 6
    assert "isn't in its registry" in done.stderr


def test_a_registry_that_is_down(sc: CommandLine, image: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)
    gone = f"127.0.0.1:1/{image.partition('/')[2]}"
    done = sc(f"image verify --image {gone} {key}")
    assert done.code == 6
    assert "refused" in done.stderr


def test_a_key_that_others_can_read_is_warned_of(sc: CommandLine, image: str, key: str, project: Path) -> None:
    (project / "cosign.key").chmod(0o644)
    result = sc(f"provenance attach --no-include-git --image {image} {key} --output json").result
    assert "cosign.key can be read by others: chmod 600 cosign.key" in result["warnings"]


def test_statements_are_compared_as_cosign_carries_them() -> None:
    """A protobuf structure: numbers are doubles, and what is empty isn't told from what is absent."""
    said = {"whole": 1, "yes": True, "half": 0.5, "huge": 2**1001, "empty": {"none": []}, "list": [2, {"x": {}}]}
    carried = _as_protobuf(said)
    assert carried == {"whole": 1.0, "yes": True, "half": 0.5, "huge": 2**1001, "list": [2.0, {}]}
    assert isinstance(carried, dict)
    assert [type(carried[name]) for name in ("whole", "yes", "huge")] == [float, bool, int]
