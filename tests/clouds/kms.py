"""What moto's KMS leaves out: a digest that is signed as it is (`MessageType: DIGEST`), which is how cosign signs.

moto hashes it once more. A message as long as a digest is taken for one here: nothing signs such a message as it is.
"""

import contextlib
from collections.abc import Iterator
from unittest.mock import patch

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from moto.kms.utils import ECDSAPrivateKey


@contextlib.contextmanager
def completed() -> Iterator[None]:
    """Have moto do what it leaves out."""
    sign, verify = ECDSAPrivateKey.sign, ECDSAPrivateKey.verify
    digest = ec.ECDSA(Prehashed(SHA256()))

    def sign_digest(key: ECDSAPrivateKey, message: bytes, signing_algorithm: str) -> bytes:
        if len(message) != SHA256.digest_size:
            return sign(key, message, signing_algorithm)
        return key.private_key.sign(message, digest)

    def verify_digest(key: ECDSAPrivateKey, message: bytes, signature: bytes, signing_algorithm: str) -> bool:
        if len(message) != SHA256.digest_size:
            return verify(key, message, signature, signing_algorithm)
        try:
            key.private_key.public_key().verify(signature, message, digest)
        except InvalidSignature:
            return False
        return True

    with (
        patch.object(ECDSAPrivateKey, "sign", sign_digest),
        patch.object(ECDSAPrivateKey, "verify", verify_digest),
    ):
        yield
