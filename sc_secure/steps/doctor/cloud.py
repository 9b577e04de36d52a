"""The clouds' ambient identities: what a registry, a key service or a deployment of theirs would use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sc_secure.context.cloud import helper_of
from sc_secure.context.cloud_identity import aws_identity, google_identity
from sc_secure.errors import NotAuthorised, ScSecureError
from sc_secure.steps.doctor.finding import Findings, ok, wrong
from sc_secure.steps.doctor.situation import Look, Situation


@dataclass(frozen=True)
class _Cloud:
    name: str
    identity: Callable[[Mapping[str, str]], str]
    keys: str
    """How its key service's addresses begin."""
    helper: str
    """The docker credential helper of its registry."""
    advice: str


_AWS = _Cloud(
    "AWS",
    aws_identity,
    "awskms://",
    "ecr-login",
    "`aws sso login`, or AWS_PROFILE, or in a CI aws-actions/configure-aws-credentials",
)
_GOOGLE = _Cloud(
    "Google Cloud",
    google_identity,
    "gcpkms://",
    "gcloud",
    "`gcloud auth application-default login`, or in a CI google-github-actions/auth",
)


def _look(check: str, cloud: _Cloud) -> Look:
    def look(situation: Situation) -> Findings:
        signing, place = situation.signing, situation.place
        sign = signing is not None and (signing.key or "").startswith(cloud.keys)
        pull = place is not None and helper_of(place.registry) == cloud.helper
        try:
            found = cloud.identity(situation.environ)
        except ScSecureError as error:
            # Whoever deploys nothing to this cloud may not care.
            yield wrong(check, error, needed=sign and signing is not None and signing.required)
            return
        if found:
            yield ok(check, found)
        elif sign or pull:
            what = "the key of signing.key is there" if sign else "the image's registry is there"
            none = NotAuthorised(f"no identity for {cloud.name}, and {what}", advice=cloud.advice)
            # docker's configuration may have a login for the registry: its own line tells.
            yield wrong(check, none, needed=sign and signing is not None and signing.required)
        else:
            yield ok(check, f"no identity for {cloud.name}; only what is deployed or kept there needs one")

    return look


look_at_aws = _look("cloud.aws", _AWS)
look_at_google = _look("cloud.google", _GOOGLE)
