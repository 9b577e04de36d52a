"""What a Rekor 2 is told of a key, with keys that openssl made. That it takes it is in tests/steps/test_rekor_v2.py."""

import base64
import subprocess
from pathlib import Path

import pytest

from sc_secure.tools.key_details import KeyDetails, of_certificate, of_public_key

KINDS = {
    "ec -pkeyopt ec_paramgen_curve:P-256": KeyDetails("PKIX_ECDSA_P256_SHA_256", "sha256", "SHA2_256"),
    "ec -pkeyopt ec_paramgen_curve:P-384": KeyDetails("PKIX_ECDSA_P384_SHA_384", "sha384", "SHA2_384"),
    "ec -pkeyopt ec_paramgen_curve:P-521": KeyDetails("PKIX_ECDSA_P521_SHA_512", "sha512", "SHA2_512"),
    "rsa:2048": KeyDetails("PKIX_RSA_PKCS1V15_2048_SHA256", "sha256", "SHA2_256"),
    "rsa:3072": KeyDetails("PKIX_RSA_PKCS1V15_3072_SHA256", "sha256", "SHA2_256"),
    "rsa:1024": None,
    "ec -pkeyopt ec_paramgen_curve:secp256k1": None,
    "ed25519": None,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_and_its_certificate_say_the_same(tmp_path: Path, kind: str) -> None:
    words = ["openssl", "req", "-x509", "-newkey", *kind.split(" "), "-nodes", "-subj", "/CN=x", "-keyout", "key"]
    subprocess.run([*words, "-outform", "DER", "-out", "certificate"], cwd=tmp_path, check=True, capture_output=True)
    words = ["openssl", "pkey", "-in", "key", "-pubout"]
    public = subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    key = base64.b64decode("".join(public.splitlines()[1:-1]))
    certificate = (tmp_path / "certificate").read_bytes()
    assert of_public_key(key) == of_certificate(certificate) == KINDS[kind]
    for length in range(len(key) - 1):
        assert of_public_key(key[:length]) is None
    for length in range(0, len(certificate) - 1, 7):
        assert of_certificate(certificate[:length]) is None


@pytest.mark.parametrize("rubbish", [b"", b"\\x30\\x00", b"\\x30\\x02\\x30\\x00", b"\\xff" * 40, b"-----BEGIN"])
def test_rubbish_is_of_no_kind(rubbish: bytes) -> None:
    assert of_public_key(rubbish) is of_certificate(rubbish) is None
