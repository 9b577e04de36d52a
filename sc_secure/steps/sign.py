"""Signs the image's digest; the signature goes into the image's registry."""

from __future__ import annotations

from functools import partial

from sc_secure.steps.platforms import platforms_output, whole_and_parts
from sc_secure.steps.result import StepResult
from sc_secure.steps.session import Session
from sc_secure.steps.writing import write
from sc_secure.tools.cosign import SIGNATURE, Signer
from sc_secure.tools.key import Key
from sc_secure.tools.reference import ImageReference


def sign(session: Session, image: ImageReference, signer: Signer) -> StepResult:
    """The step `image sign`. An image that this signer has signed already is left as it is (`reused`).

    Of an index, each platform's image is signed too, and first: what is signed as a whole is signed in all its parts.

    Raises:
        ConfigError: the key can't sign, its password is wrong, or the identity token isn't one.
        ToolMissing, InfrastructureError, NotAuthorised: it couldn't be signed, or the signature didn't stay.
    """
    used = session.use("cosign")
    for warning in signer.warnings if isinstance(signer, Key) else ():
        session.warn(warning)
    parts = whole_and_parts(session.registry(image), image)
    written = [
        write(session, part, signer, SIGNATURE, accept=lambda _: True, make=partial(session.cosign.sign, part, signer))
        for _, part in reversed(parts)
    ]
    found, _, witnesses = written[-1]
    reused = all(was_there for _, was_there, _ in written)
    outputs = {"signatureDigest": found.manifest, "rekorUuid": "", "rekorLogIndex": "", **witnesses}
    return session.result("sign", image, used, reused=reused, outputs={**outputs, **platforms_output(parts)})
