"""Identity tokens, as an OIDC issuer gives them out: who somebody is, signed."""

import base64
import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from devtools.sigstore import openssl

Kind = Literal["email", "github-workflow", "gitlab-pipeline"]
KINDS: tuple[Kind, ...] = ("email", "github-workflow", "gitlab-pipeline")
"""Fulcio's own names of issuer types: for people, and for jobs of GitHub Actions and of GitLab CI."""
AUDIENCE = "sigstore"
KEY_ID = "1"
_LIFETIME = 600
_PIPELINE = re.compile(r"https://(?P<path>gitlab\.com/(?P<project>[^@]+)//[^@]+@refs/(?P<type>heads|tags)/(?P<ref>.+))")
_WORKFLOW = re.compile(r"https://github\.com/(?P<path>(?P<repository>[^/@]+/[^/@]+)/[^@]+@(?P<ref>.+))")


def make(key: Path, issuer: str, identity: str, kind: Kind, **changed: Any) -> str:
    """An identity token, good for ten minutes.

    Args:
        key: the issuer's private key.
        issuer: its URL.
        identity: what the certificate will name: an e-mail address,
            `https://github.com/OWNER/REPOSITORY/.github/workflows/FILE@REF`, or
            `https://gitlab.com/GROUP/PROJECT//FILE@REF`.
        kind: which of them.
        changed: claims that are to be others, as `aud` and `exp`.

    Raises:
        ValueError: the identity isn't of that kind.
    """
    claims = {"email": _email, "github-workflow": _github, "gitlab-pipeline": _gitlab}[kind](identity)
    now = int(time.time())
    claims |= {"iss": issuer, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + _LIFETIME} | changed
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


def _gitlab(pipeline: str) -> dict[str, Any]:
    """The claims of https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload that Fulcio reads."""
    match = _PIPELINE.fullmatch(pipeline)
    if not match:
        raise ValueError(f"{pipeline} isn't https://gitlab.com/GROUP/PROJECT//FILE@REF")
    kind, commit = {"heads": "branch", "tags": "tag"}[match["type"]], "0" * 40
    return {
        "sub": f"project_path:{match['project']}:ref_type:{kind}:ref:{match['ref']}",
        "ci_config_ref_uri": match["path"],
        "ci_config_sha": commit,
        "ref": match["ref"],
        "ref_type": kind,
        "sha": commit,
        "namespace_id": "1",
        "namespace_path": match["project"].rpartition("/")[0],
        "project_id": "2",
        "project_path": match["project"],
        "project_visibility": "public",
        "pipeline_id": "3",
        "pipeline_source": "push",
        "job_id": "4",
        "runner_id": 5,
        "runner_environment": "gitlab-hosted",
    }
