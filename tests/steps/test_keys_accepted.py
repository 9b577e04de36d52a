"""Verifying by several keys: any of them is enough, as while a key is replaced."""

from pathlib import Path

from tests.command_line import CommandLine


def test_it_may_be_any_of_several_keys(sc: CommandLine, image: str, key: str, keys: Path) -> None:
    both = f"--key {keys / 'other.pub'} --key cosign.pub"
    assert sc(f"image sign --image {image} {key}").code == 0
    assert sc(f"sbom attach --image {image} --key {keys / 'other.key'} --no-transparency-log").code == 0
    assert sc(f"image verify --image {image} {both} --attestation cyclonedx").code == 0
    for one in both.split(" --key ")[1:]:
        assert sc(f"image verify --image {image} --key {one} --attestation cyclonedx").code == 4
    done = sc(f"image verify --image {image} {both} --attestation vuln")
    assert (done.code, "not by one of these keys" in done.stderr) == (4, True)
