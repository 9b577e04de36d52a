"""Identity tokens, as an OIDC issuer gives them out: who somebody is, signed."""

import base64
import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from devtools.sigstore import openssl

Kind = Literal["email", "github-workflow"]
KINDS: tuple[Kind, ...] = ("email", "github-workflow")
"""Fulcio's own names of issuer types: for people, and for jobs of GitHub Actions."""
AUDIENCE = "sigstore"
KEY_ID = "1"
_LIFETIME = 600
_WORKFLOW = re.compile(r"https://github\.com/(?P<path>(?P<repository>[^/@]+/[^/@]+)/[^@]+@(?P<ref>.+))")


def make(key: Path, issuer: str, identity: str, kind: Kind) -> str:
    """An identity token, good for ten minutes.

    Args:
        key: the issuer's private key.
        issuer: its URL.
        identity: what the certificate will name: an e-mail address, or
            `https://github.com/OWNER/REPOSITORY/.github/workflows/FILE@REF`.
        kind: which of the two.

    Raises:
        ValueError: the identity isn't of that kind.
    """
    claims = _email(identity) if kind == "email" else _github(identity)
    now = int(time.time())
    claims |= {"iss": issuer, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + _LIFETIME}
    header = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
    signed = ".".join(unpadded(json.dumps(part).encode()) for part in (header, claims))
    with tempfile.TemporaryDirectory() as folder:
        text, signature = Path(folder) / "text", Path(folder) / "signature"
        text.write_text(signed)
        openssl.run("dgst", "-sha256", "-sign", key, "-out", signature, text)
        return f"{signed}.{unpadded(signature.read_bytes())}"


def public_key(key: Path) -> dict[str, str]:
    """The public half of an issuer's key, as a JSON Web Key."""
    modulus = openssl.run("rsa", "-in", key, "-noout", "-modulus").strip().partition("=")[2]
    number = {"n": unpadded(bytes.fromhex(modulus)), "e": unpadded((65537).to_bytes(3, "big"))}
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID, **number}


def unpadded(content: bytes) -> str:
    """URL-safe base64, without its padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _email(address: str) -> dict[str, Any]:
    if "@" not in address:
        raise ValueError(f"{address} isn't an e-mail address")
    return {"sub": address, "email": address, "email_verified": True}


def _github(workflow: str) -> dict[str, Any]:
    """The claims of https://docs.github.com/en/actions/reference/security/oidc that Fulcio reads."""
    match = _WORKFLOW.fullmatch(workflow)
    if not match:
        raise ValueError(f"{workflow} isn't https://github.com/OWNER/REPOSITORY/.github/workflows/FILE@REF")
    repository, commit = match["repository"], "0" * 40
    return {
        "sub": f"repo:{repository}:ref:{match['ref']}",
        "job_workflow_ref": match["path"],
        "job_workflow_sha": commit,
        "workflow_ref": match["path"],
        "workflow_sha": commit,
        "workflow": "release",
        "event_name": "push",
        "ref": match["ref"],
        "sha": commit,
        "repository": repository,
        "repository_id": "1",
        "repository_owner": repository.partition("/")[0],
        "repository_owner_id": "2",
        "repository_visibility": "public",
        "runner_environment": "github-hosted",
        "run_id": "3",
        "run_attempt": "1",
    }
