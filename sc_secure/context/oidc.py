"""The OIDC token that says who we are, from the CI job that we are in: what Fulcio makes a certificate of.

`SIGSTORE_ID_TOKEN` comes first: GitLab sets it, and so can anybody. Else GitHub's endpoint is asked for one. What is
wrong with a token is told here, with the line to add: Fulcio says of all of it that there was an error.

GitLab: https://docs.gitlab.com/ci/secrets/id_token_authentication/;
GitHub: https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token.
"""

from __future__ import annotations

import base64
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from sc_secure.errors import ConfigError, InfrastructureError, NotAuthorised
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.process import Runner
from sc_secure.tools.text import printable
from sc_secure.tools.transient import Kind, classify_status, failure, retry_after, with_retries
from sc_secure.tools.web import is_loopback, opener_for

AUDIENCE = "sigstore"
"""Whom the token is for: what Fulcio takes alone."""
VARIABLE = "SIGSTORE_ID_TOKEN"
"""The environment variable that may hold it."""
FRESH = 30.0
"""Seconds that a token must still be good for: a signature takes a few."""
_REQUEST_URL, _REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_TIMEOUT = 10.0
_LONGEST = 64 * 1024
_PARTS = 3

_GITHUB = """add to the job in the workflow, and to the job that calls it where the workflow is reusable:
    permissions:
      contents: read
      id-token: write"""
_GITLAB = """add to the job in .gitlab-ci.yml:
    id_tokens:
      SIGSTORE_ID_TOKEN:
        aud: sigstore"""
_ANYWHERE = f"set {VARIABLE} to an OIDC token for the audience {AUDIENCE} where the step runs, or sign with a key"
_GITLAB_TIME = """add to the job in .gitlab-ci.yml, since its token is good for as long as the job may take:
    timeout: 1h"""


@dataclass(frozen=True)
class IdentityToken:
    """A token that is of the right form, not yet run out, and for Fulcio. Its signature is Fulcio's to verify."""

    value: str = field(repr=False)
    """A secret: whoever has it can sign as us."""
    expires: float
    """When it runs out, in seconds since 1970."""
    name: str
    """The identity that Fulcio's certificate names; empty where only Fulcio knows."""
    issuer: str
    """Who vouches for it, as the certificate names it."""
    issued_by: str
    """Who made the token: the issuer, or whoever passes on an issuer's word."""


def identity_token(environ: Mapping[str, str], runner: Runner) -> IdentityToken:
    """The job's identity token.

    Args:
        environ: our environment.
        runner: is told of the token, to hide it from all messages.

    Raises:
        NotAuthorised: there is none, it has run out, or GitHub refuses to give one.
        ConfigError: it isn't a token, or is for another audience.
        InfrastructureError: GitHub's endpoint failed, after retries.
    """
    value = environ.get(VARIABLE, "").strip()
    if not value and environ.get(_REQUEST_URL) and environ.get(_REQUEST_TOKEN):
        runner.hide([environ[_REQUEST_TOKEN]])
        value = with_retries(lambda: _ask_github(environ[_REQUEST_URL], environ[_REQUEST_TOKEN]))
    if not value:
        raise NotAuthorised("--keyless: this job has no identity to sign with", advice=_advice(environ))
    runner.hide([value])
    return _checked(value, environ)


def offers_identity(environ: Mapping[str, str]) -> bool:
    """Whether this environment says where a token is to be had. That one is given isn't said by it."""
    return bool(environ.get(VARIABLE, "").strip() or (environ.get(_REQUEST_URL) and environ.get(_REQUEST_TOKEN)))


def _advice(environ: Mapping[str, str]) -> str:
    if environ.get("GITHUB_ACTIONS") == "true":
        return _GITHUB
    return _GITLAB if environ.get("GITLAB_CI") == "true" else _ANYWHERE


def _ask_github(url: str, bearer: str) -> str:
    """A new token from GitHub; it is good for minutes."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.netloc)):
        raise ConfigError(f"{_REQUEST_URL}: an https:// URL is expected", advice="leave it as GitHub sets it")
    query = "&".join(part for part in (parts.query, f"audience={AUDIENCE}") if part)
    # S310: the scheme was looked at. "unredirected": no redirect may carry the job's secret elsewhere.
    request = urllib.request.Request(parts._replace(query=query).geturl(), headers={"Accept": "application/json"})  # noqa: S310
    request.add_unredirected_header("Authorization", f"bearer {bearer}")
    try:
        with opener_for(parts.netloc, redirects=True).open(request, timeout=_TIMEOUT) as response:
            answer = parse_object(response.read(_LONGEST), "GitHub's identity-token endpoint")
    except urllib.error.HTTPError as error:
        after = retry_after(error.headers.get("Retry-After"), datetime.now(UTC))
        error.close()
        kind = classify_status(error.code)
        message = f"GitHub's identity-token endpoint: HTTP {error.code}"
        advice = _GITHUB if kind is Kind.NOT_AUTHORISED else "try again; https://www.githubstatus.com knows of outages"
        raise failure(kind, message, advice=advice, after=after) from None
    except (OSError, http.client.HTTPException) as error:
        said = printable(str(getattr(error, "reason", error)) or type(error).__name__, limit=200)
        raise failure(Kind.TRANSIENT, f"GitHub's identity-token endpoint: {said}", advice="try again") from None
    value = answer.get("value")
    if not isinstance(value, str) or not value:
        raise InfrastructureError("GitHub's identity-token endpoint: its answer holds no token")
    return value


def _checked(value: str, environ: Mapping[str, str]) -> IdentityToken:
    claims = _claims(value, environ)
    audience = claims.get("aud")
    audiences = cast("list[object]", audience) if isinstance(audience, list) else [audience]
    if AUDIENCE not in audiences:
        named = ", ".join(printable(str(each), limit=80) for each in audiences[:3])
        raise ConfigError(
            f"the identity token is for the audience {named}; Sigstore takes tokens for {AUDIENCE} alone",
            advice=_advice(environ),
        )
    issuer, expires = claims.get("iss"), claims.get("exp")
    if not isinstance(issuer, str) or not isinstance(expires, int | float):
        raise ConfigError("the identity token names no issuer or no end (iss, exp)", advice=_advice(environ))
    if expires <= time.time():
        # Within what a date can be: an issuer may claim any number.
        since = datetime.fromtimestamp(max(0, expires), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        raise NotAuthorised(f"the identity token ran out at {since}", advice=_renewal(environ))
    return IdentityToken(value, float(expires), _name(claims), _vouching(claims, issuer), issuer)


def _renewal(environ: Mapping[str, str]) -> str:
    if environ.get("GITHUB_ACTIONS") == "true":
        return f"leave {VARIABLE} unset, so that each step asks GitHub for a new one; {_GITHUB}"
    if environ.get("GITLAB_CI") == "true":
        return f"start the job again; or {_GITLAB_TIME}"
    return f"set {VARIABLE} to a new one"


def _claims(value: str, environ: Mapping[str, str]) -> Json:
    """What a JSON Web Token says (RFC 7519, 7.2)."""
    parts = value.split(".")
    sound = len(parts) == _PARTS and all(parts) and value.isascii() and len(value) <= _LONGEST
    try:
        decoded = [base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True) for part in parts[:2]]
        header, claims = (parse_object(part, "a part of a token") for part in decoded) if sound else ({}, {})
    except (ValueError, InfrastructureError):
        header, claims = {}, {}
    if "alg" not in header:
        raise ConfigError("the identity token is no OIDC token (a JSON Web Token)", advice=_advice(environ))
    return claims


def _name(claims: Json) -> str:
    """The certificate's name, as https://github.com/sigstore/fulcio/blob/main/docs/oidc.md makes it of the claims."""
    workflow, pipeline = claims.get("job_workflow_ref"), claims.get("ci_config_ref_uri")
    email, subject = claims.get("email"), str(claims.get("sub"))
    if isinstance(workflow, str) and workflow:
        return f"https://github.com/{workflow}"
    if isinstance(pipeline, str) and pipeline:
        return f"https://{pipeline}"
    if isinstance(email, str) and email:
        return email
    kubernetes = claims.get("kubernetes.io")
    if isinstance(kubernetes, dict):
        pod = cast("Json", kubernetes)
        account = pod.get("serviceaccount")
        if isinstance(account, dict):
            path = f"{pod.get('namespace')}/serviceaccounts/{cast('Json', account).get('name')}"
            return f"https://kubernetes.io/namespaces/{path}"
    return subject if subject.startswith("spiffe://") else ""


def _vouching(claims: Json, issuer: str) -> str:
    """The issuer that the certificate names: Sigstore's own one for people passes on another's word."""
    federated = claims.get("federated_claims")
    connector = cast("Json", federated).get("connector_id") if isinstance(federated, dict) else None
    return connector if isinstance(connector, str) and connector else issuer
