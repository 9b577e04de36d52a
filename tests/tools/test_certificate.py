"""The names in a certificate, against the library that everybody uses, and on rubbish."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from sc_secure.tools.certificate import bundle_identity

WORKFLOW = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"
_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")


def certificate(*names: x509.GeneralName, issuer: str | None = ISSUER) -> bytes:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key(), 1, now, now + timedelta(minutes=10))
        .add_extension(x509.KeyUsage(*[True] + [False] * 8), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
    )
    if issuer is not None:
        text = issuer.encode()
        head = bytes([0x0C, len(text)]) if len(text) < 128 else bytes([0x0C, 0x82]) + len(text).to_bytes(2, "big")
        made = made.add_extension(x509.UnrecognizedExtension(_ISSUER, head + text), critical=False)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def bundle(der: bytes) -> bytes:
    return json.dumps({"verificationMaterial": {"certificate": {"rawBytes": base64.b64encode(der).decode()}}}).encode()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (x509.RFC822Name("dev@acme.test"), "dev@acme.test"),
        (x509.UniformResourceIdentifier(WORKFLOW), WORKFLOW),
        (x509.UniformResourceIdentifier("https://x.test/" + "y" * 400), "https://x.test/" + "y" * 400),
    ],
)
@pytest.mark.parametrize("issuer", [ISSUER, "https://i.test/" + "z" * 300])
def test_one_name_and_its_issuer(name: x509.GeneralName, text: str, issuer: str) -> None:
    assert bundle_identity(bundle(certificate(name, issuer=issuer))) == (text, issuer)


def test_no_name_or_two_or_no_issuer() -> None:
    email = x509.RFC822Name("dev@acme.test")
    for der in (
        certificate(x509.DNSName("acme.test")),
        certificate(email, x509.RFC822Name("ops@acme.test")),
        certificate(email, issuer=None),
        certificate(email, issuer=""),
    ):
        assert bundle_identity(bundle(der)) is None
    assert bundle_identity(b"{}") is None
    assert bundle_identity(b'{"verificationMaterial": {"certificate": {"rawBytes": "?"}}}') is None


WHOLE = certificate(x509.RFC822Name("dev@acme.test"))


@given(at=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255), keep=st.integers(0, len(WHOLE)))
def test_a_broken_one_is_no_error(at: int, value: int, keep: int) -> None:
    broken = bytearray(WHOLE)
    broken[at] = value
    for der in (bytes(broken), WHOLE[:keep]):
        found = bundle_identity(bundle(der))
        assert found is None or all(found)


@given(st.binary(max_size=300))
def test_rubbish_is_no_error(der: bytes) -> None:
    assert bundle_identity(bundle(der)) is None
