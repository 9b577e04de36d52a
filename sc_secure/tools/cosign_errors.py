"""What a cosign that failed says, as an error that says what to do next."""

from __future__ import annotations

import re
from typing import NoReturn

from sc_secure.errors import ConfigError, InfrastructureError, NotAuthorised
from sc_secure.tools.log_request import CannotAsk
from sc_secure.tools.process import Completed
from sc_secure.tools.transient import classify, failure

# What registries say of a tag that stays as it is. The repository's name, which may be anything, is within the URL.
_IMMUTABLE = re.compile(r"\bPUT \S+/manifests/\S+: .*(immutab|cannot be overwritten)", re.IGNORECASE)
# Of a certificate by this machine's clock, where nobody else tells the time.
_BAD_TIME = "certificate has expired or is not yet valid"
_FULCIO_REFUSES = re.compile(
    r"processing the identity token|Fulcio returned 40[13]\b|not verified by identity provider"
)


def fail(done: Completed) -> NoReturn:
    """Raise the error for a run that failed.

    Raises:
        ConfigError, CannotAsk, InfrastructureError, NotAuthorised: always one of them.
    """
    if "decryption failed" in done.stderr:
        raise ConfigError("--key: its password is wrong", advice="set the variable that --password-env names")
    if "invalid pem block" in done.stderr or "unsupported pem type" in done.stderr:
        raise ConfigError("--key: not a key that cosign can use", advice="`cosign generate-key-pair` makes one")
    if _FULCIO_REFUSES.search(done.stderr):
        raise NotAuthorised(
            f"the certificate authority (Fulcio) doesn't accept this identity: {done.summary()}",
            advice="it must know the token's issuer, and the token mustn't have run out",
        )
    if _BAD_TIME in done.stderr:
        raise CannotAsk(done.summary(), advice="is this machine's clock right?")
    if _IMMUTABLE.search(done.stderr):
        raise InfrastructureError(
            f"a tag of the registry can't be overwritten: {done.summary()}",
            advice="let tags that start with sha256- be overwritten, or use a registry with the referrers API, "
            "and bundles: see docs/registries.md",
        )
    if "[404] createLogEntry" in done.stderr:
        raise InfrastructureError(
            f"what answers at the transparency log's URL isn't a Rekor 1: {done.summary()}",
            advice="check the URL, and how the trusted root names the log; a Rekor 2 goes with bundles alone",
        )
    if "404 Not Found" in done.stderr or "MANIFEST_UNKNOWN" in done.stderr:
        raise InfrastructureError(f"the registry doesn't hold this image: {done.summary()}")
    raise failure(classify(done.stderr), done.summary())
