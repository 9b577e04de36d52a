"""cosign's older way of keeping signatures (`.sig` and `.att` tags): written, read back, verified, by us and by cosign.

The image and its statements are signed by `ours`, and nobody witnesses it; with witnesses it is in
`test_legacy_witnessed.py`. Verifiers that don't know bundles are played by cosign, told so.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bundles import put_referrer
from tests.command_line import CommandLine
from tests.images import CLEAN, VULNERABLE, attachments, push_index
from tests.steps.conftest import PushImage

KEY = "--key cosign.key --no-transparency-log"
PUBLIC = "--key cosign.pub"
OLD = "--new-bundle-format=false"
SIGNATURE = "https://sigstore.dev/cosign/sign/v1"

Cosign = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cosign(tools_env: dict[str, str], project: Path) -> Cosign:
    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        known = [*words[:1], "--key", "cosign.pub", "--insecure-ignore-tlog", *words[1:]]
        return subprocess.run(
            ["cosign", *known], env=tools_env, cwd=project, check=False, capture_output=True, text=True
        )

    return run


@pytest.fixture
def layers(tools_env: dict[str, str]) -> Callable[[str, str], list[str]]:
    """The digests of what one of an image's older tags holds."""

    def read(image: str, kind: str) -> list[str]:
        repository, _, digest = image.partition("@")
        argv = ["crane", "manifest", f"{repository}:{digest.replace(':', '-')}.{kind}"]
        done = subprocess.run(argv, env=tools_env, check=False, capture_output=True, text=True)
        return [layer["digest"] for layer in json.loads(done.stdout)["layers"]] if done.returncode == 0 else []

    return read


Layers = Callable[[str, str], list[str]]


@pytest.mark.parametrize("form", ["legacy", "both"])
def test_signed_and_attested(
    sc: CommandLine, image: str, key: str, cosign: Cosign, layers: Layers, *, form: str
) -> None:  # fmt: skip
    flags = f"--image {image} {key} --signature-format {form} --output json"
    steps = {"signature": "image sign", "sbom": "sbom attach", "provenance": "provenance attach", "scan": "scan attach"}
    made = {name: sc(f"{step} {flags}").result for name, step in steps.items()}
    assert {each["status"] for each in made.values()} == {"passed"}
    kept = (layers(image, "sig"), layers(image, "att"), attachments(image))
    assert [len(each) for each in kept] == [1, 3, 4 if form == "both" else 0]

    # Once more adds nothing, and what is found is what was made.
    again = {name: sc(f"{step} {flags}").result for name, step in steps.items()}
    assert {each["status"] for each in again.values()} == {"reused"}
    assert (layers(image, "sig"), layers(image, "att"), attachments(image)) == kept
    assert [each["outputs"] for each in again.values()] == [each["outputs"] for each in made.values()]

    # By our own, and by both ways of cosign.
    wanted = "--attestation cyclonedx --attestation slsaprovenance1 --attestation vuln"
    verified = sc(f"image verify --image {image} {PUBLIC} {wanted} --output json").result["outputs"]["verified"]
    assert verified["signature"] == made["signature"]["outputs"]["signatureDigest"]
    assert verified["https://slsa.dev/provenance/v1"] == made["provenance"]["outputs"]["attestationDigest"]
    assert (verified["signature"] in layers(image, "sig")) == (form == "legacy")
    for how in ([OLD], []):
        assert cosign("verify", *how, image).returncode == 0
        for kind in ("cyclonedx", "slsaprovenance1", "vuln"):
            assert cosign("verify-attestation", "--type", kind, *how, image).returncode == 0

    # What is attached is told, with the digests of the results.
    (row,) = sc(f"image status --image {image} --output json").result["images"]
    told = {each["digest"]: each["kind"] for each in row["attached"]}
    assert told[made["signature"]["outputs"]["signatureDigest"]] == SIGNATURE
    assert told[made["sbom"]["outputs"]["attestationDigest"]] == "https://cyclonedx.org/bom"


def test_another_format_is_added_beside(sc: CommandLine, image: str, key: str, layers: Layers) -> None:
    assert sc(f"image sign --image {image} {key}").code == 0
    result = sc(f"image sign --image {image} {key} --signature-format legacy --output json").result
    assert (result["status"], len(layers(image, "sig")), len(attachments(image))) == ("passed", 1, 1)
    assert sc(f"image sign --image {image} {key} --signature-format both --output json").result["status"] == "reused"


def test_what_isnt_ours_doesnt_count(
    sc: CommandLine, image: str, key: str, keys: Path, layers: Layers
) -> None:  # fmt: skip
    del key
    theirs = f"--image {image} --key {keys / 'other.key'} --no-transparency-log --signature-format legacy"
    assert sc(f"image sign {theirs}").code == 0
    assert sc(f"sbom attach {theirs}").code == 0
    for step in ("image verify", "sbom verify"):
        done = sc(f"{step} --image {image} {PUBLIC}")
        assert (done.code, "not there, or not by this key" in done.stderr) == (4, True)
    # Ours goes beside it, and is found among them.
    ours = sc(f"image sign --image {image} {KEY} --signature-format legacy --output json").result
    assert (ours["status"], len(layers(image, "sig"))) == ("passed", 2)
    assert sc(f"image verify --image {image} {PUBLIC}").code == 0
    assert sc(f"sbom verify --image {image} {PUBLIC}").code == 4


def test_an_attestation_is_no_signature(sc: CommandLine, image: str, key: str) -> None:
    assert sc(f"sbom attach --image {image} {key} --signature-format legacy").code == 0
    assert sc(f"image verify --image {image} {PUBLIC}").code == 4
    assert sc(f"sbom verify --image {image} {PUBLIC}").code == 0


def test_another_images_tag_doesnt_count(
    sc: CommandLine, new_image: PushImage, tools_env: dict[str, str], key: str
) -> None:  # fmt: skip
    signed, other = new_image(VULNERABLE), new_image(CLEAN)
    for step in ("image sign", "sbom attach"):
        assert sc(f"{step} --image {signed} {key} --signature-format legacy").code == 0
    for kind in ("sig", "att"):
        names = [
            f"{each.partition('@')[0]}:{each.partition('@')[2].replace(':', '-')}.{kind}" for each in (signed, other)
        ]
        subprocess.run(["crane", "copy", *names], env=tools_env, check=True, capture_output=True)
    for step in ("image verify", "sbom verify"):
        assert sc(f"{step} --image {signed} {PUBLIC}").code == 0
        assert sc(f"{step} --image {other} {PUBLIC}").code == 4


def test_what_another_tool_attached_doesnt_hide_it(sc: CommandLine, image: str, key: str) -> None:
    for step in ("image sign", "sbom attach"):
        assert sc(f"{step} --image {image} {key} --signature-format legacy").code == 0
    put_referrer(image, b"no bundle")
    done = sc(f"image verify --image {image} {PUBLIC} --attestation cyclonedx")
    assert done.code == 0, done.stderr


def test_each_platforms_image(
    sc: CommandLine, tools_env: dict[str, str], registry: str, tmp_path: Path, key: str
) -> None:  # fmt: skip
    index = push_index(
        tools_env, tmp_path, f"{registry}/legacy-index", {"linux/amd64": CLEAN, "linux/arm64": CLEAN | {"six": "1"}}
    )
    assert sc(f"image sign --image {index} {key} --signature-format legacy").code == 0
    assert sc(f"image verify --image {index} {PUBLIC}").code == 0


def test_a_release(sc: CommandLine, image: str, key: str, project: Path, layers: Layers) -> None:
    del key
    signing: dict[str, Any] = {"key": "cosign.key", "format": "both", "verify": {"key": "cosign.pub"}}
    (project / "p.yaml").write_text(
        json.dumps({"security": {"scan": {}, "sbom": {}, "provenance": {}, "signing": signing}})
    )
    assert sc(f"release create --image {image} --policy p.yaml").code == 0
    assert (len(layers(image, "sig")), len(layers(image, "att")), len(attachments(image))) == (1, 3, 4)
