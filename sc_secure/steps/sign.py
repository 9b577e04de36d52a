"""Signs the image's digest; the signature goes into the image's registry."""

from __future__ import annotations

from sc_secure.steps.result import StepResult
from sc_secure.steps.session import Session
from sc_secure.steps.writing import write
from sc_secure.tools.cosign import SIGNATURE, Signer
from sc_secure.tools.key import Key
from sc_secure.tools.reference import ImageReference


def sign(session: Session, image: ImageReference, signer: Signer) -> StepResult:
    """The step `image sign`. An image that this signer has signed already is left as it is (`reused`).

    Raises:
        ConfigError: the key can't sign, its password is wrong, or the identity token isn't one.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be signed, or the signature didn't stay.
    """
    used = session.use("cosign")
    for warning in signer.warnings if isinstance(signer, Key) else ():
        session.warn(warning)
    found, reused, witnesses = write(
        session,
        image,
        signer,
        SIGNATURE,
        accept=lambda _: True,
        make=lambda bundle, token: session.cosign.sign(image, signer, bundle, token),
    )
    outputs = {"signatureDigest": found.manifest, "rekorUuid": "", "rekorLogIndex": "", **witnesses}
    return session.result("sign", image, used, reused=reused, outputs=outputs)
