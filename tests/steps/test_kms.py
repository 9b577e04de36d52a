"""A key in AWS KMS: cosign itself asks it, here moto's on loopback."""

import subprocess
from pathlib import Path

import pytest

from tests.clouds.aws import Aws
from tests.command_line import CommandLine, in_process

KEY = "--key awskms:///alias/release --no-transparency-log"


@pytest.fixture
def kms(
    aws: Aws,
    tools_env: dict[str, str],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandLine:
    client = aws.client("kms")
    made = client.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]
    client.create_alias(AliasName="alias/release", TargetKeyId=made["KeyId"])
    return in_process({**tools_env, **aws.environment}, project, monkeypatch, capsys)


def test_signing_attesting_and_verifying(
    kms: CommandLine, aws: Aws, image: str, tools_env: dict[str, str], project: Path
) -> None:
    for step in ("image sign", "sbom attach", "provenance attach"):
        assert kms(f"{step} --image {image} {KEY} --output json").result["status"] == "passed"
        assert kms(f"{step} --image {image} {KEY} --output json").result["status"] == "reused"
    assert {each.action for each in aws.requests("kms")} >= {"Sign", "GetPublicKey"}
    kinds = "--attestation cyclonedx --attestation slsaprovenance1"
    assert kms(f"image verify --image {image} --key awskms:///alias/release {kinds}").code == 0
    # Who verifies needs neither the service nor its credentials.
    argv = ["cosign", "public-key", "--key", "awskms:///alias/release", "--outfile", "release.pub"]
    subprocess.run(argv, cwd=project, env={**tools_env, **aws.environment}, check=True, capture_output=True)
    before = len(aws.requests())
    assert kms(f"image verify --image {image} --key release.pub {kinds}").code == 0
    assert len(aws.requests()) == before


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [
        ("awskms:///alias/nobody", 6, "Alias arn:aws:kms:eu-west-1:123456789012:alias/nobody is not found"),
        ("awskms://no/such key", 2, "not an address of the form that awskms:// takes"),
        ("gcpkms://projects/p/keys/k", 2, "not an address of the form that gcpkms:// takes"),
        ("vault://k", 2, "known: awskms://"),
    ],
)
def test_a_key_that_isnt_there(kms: CommandLine, image: str, key: str, code: int, said: str) -> None:
    done = kms(f"image sign --image {image} --no-transparency-log", "--key", key)
    assert (done.code, done.stdout) == (code, "")
    assert said in done.stderr
