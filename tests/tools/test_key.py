from pathlib import Path

import pytest

from sc_secure.errors import ConfigError
from sc_secure.tools.key import parse_key

PRIVATE = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nx\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
PUBLIC = "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize(
    "address",
    [
        "awskms:///alias/my-key",
        "awskms://localhost:4566/arn:aws:kms:eu-west-1:123456789012:key/abc",
        "gcpkms://projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        "azurekms://my-vault.vault.azure.net/my-key",
        "hashivault://transit-key",
        "k8s://namespace/secret",
        "pkcs11:token=t;slot-id=1;object=o?module-path=/usr/lib/x.so",
    ],
)
def test_key_services_are_passed_through(address: str) -> None:
    key = parse_key(address, None, {"COSIGN_PASSWORD": "pw"})
    assert key.reference == address
    assert not key.public


@pytest.mark.parametrize(
    "address",
    [
        "awskms://",
        "awskms://x",
        "gcpkms://projects/p",
        "azurekms://vault",
        "hashivault://",
        "k8s://one",
        "pkcs11:",
        "hashivault://a b",
        "hashivault://a\n",
        "gitlab://x",
        "https://example.com/key",
        "env://",
        "env://A-B",
        "env://UNSET",
        "nowhere.key",
    ],
)
def test_what_is_no_key(address: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_key(address, None, {})
    assert "\n" not in error.value.message


def test_files(tmp_path: Path) -> None:
    private, public, other = tmp_path / "k.key", tmp_path / "k.pub", tmp_path / "k.txt"
    private.write_text(PRIVATE)
    private.chmod(0o640)
    public.write_text(PUBLIC)
    other.write_text("x")
    key = parse_key(str(private), None, {})
    assert not key.public
    assert key.environment == {"COSIGN_PASSWORD": ""}
    assert len(key.warnings) == 1
    private.chmod(0o600)
    assert parse_key(str(private), None, {}).warnings == ()
    assert parse_key(str(public), None, {}).public
    with pytest.raises(ConfigError, match="neither"):
        parse_key(str(other), None, {})
    with pytest.raises(ConfigError):
        parse_key(str(tmp_path), None, {})


def test_the_password_is_read_by_name_and_never_printed(tmp_path: Path) -> None:
    environ = {"K": PRIVATE, "P": "hunter2", "COSIGN_PASSWORD": "other"}
    key = parse_key("env://K", "P", environ)
    assert key.environment == {"COSIGN_PASSWORD": "hunter2", "K": PRIVATE}
    assert "hunter2" not in repr(key)
    assert parse_key("env://K", None, environ).environment["COSIGN_PASSWORD"] == "other"
    assert parse_key("env://K", "P", {**environ, "K": PUBLIC}).public
    for name in ("UNSET", "A B", "-x"):
        with pytest.raises(ConfigError, match="--password-env"):
            parse_key("env://K", name, environ)
