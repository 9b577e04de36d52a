import json
import subprocess
from pathlib import Path

from tests.command_line import CommandLine

SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
CYCLONEDX = "https://cyclonedx.org/bom"


def attached(sc: CommandLine, image: str) -> dict[str, str]:
    done = sc(f"image status --image {image} --output json")
    assert done.code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["subject"] == image
    return {each["kind"]: each["digest"] for each in document["attached"]}


def test_what_is_attached(sc: CommandLine, image: str, key: str) -> None:
    assert attached(sc, image) == {}
    assert "nothing is attached" in sc(f"image status --image {image}").stdout
    signed = sc(f"image sign --image {image} {key} --output json").result
    sc(f"sbom attach --image {image} {key}")
    found = attached(sc, image)
    assert set(found) == {SIGNATURE, CYCLONEDX}
    assert found[SIGNATURE] == signed["outputs"]["signatureDigest"]
    text = sc(f"image status --image {image}").stdout.splitlines()
    assert text[0] == image
    assert f"{found[SIGNATURE]}  {SIGNATURE}" in text


def test_what_was_deleted_is_not_listed(
    sc: CommandLine, image: str, key: str, tools_env: dict[str, str], tmp_path: Path
) -> None:
    sc(f"image sign --image {image} {key}")
    repository, digest = image.split("@")
    tag = f"{repository}:{digest.replace(':', '-')}"
    subprocess.run(["crane", "delete", tag], env=tools_env, check=True, capture_output=True)
    assert attached(sc, image) == {}


def test_an_image_that_is_not_there(sc: CommandLine, image: str) -> None:
    done = sc(f"image status --image {image.split('@', maxsplit=1)[0]}@sha256:{'0' * 64}")
    assert done.code == 6
    assert "isn't in its registry" in done.stderr


def test_a_registry_that_does_not_answer(sc: CommandLine) -> None:
    done = sc(f"image status --image 127.0.0.1:1/app@sha256:{'0' * 64} --timeout 20")
    assert done.code == 6
    assert "127.0.0.1:1" in done.stderr
