"""Signs the image's digest with a key; the signature goes into the image's registry."""

from __future__ import annotations

from sc_secure.steps.attachments import find, write
from sc_secure.steps.result import StepResult
from sc_secure.steps.session import Session
from sc_secure.tools.cosign import SIGNATURE
from sc_secure.tools.key import Key
from sc_secure.tools.reference import ImageReference


def sign(session: Session, image: ImageReference, key: Key) -> StepResult:
    """The step `image sign`. An image that this key has signed already is left as it is (`reused`).

    Raises:
        ConfigError: the key can't sign, or its password is wrong.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be signed, or the signature didn't stay.
    """
    used = session.use("cosign")
    for warning in key.warnings:
        session.warn(warning)
    found, reused = write(
        session,
        image,
        look=lambda: find(session, image, key, SIGNATURE, lambda _: True),
        put=lambda: session.cosign.sign(image, key),
    )
    return session.result(
        "sign",
        image,
        used,
        reused=reused,
        outputs={"signatureDigest": found.manifest, "rekorUuid": "", "rekorLogIndex": ""},
    )
