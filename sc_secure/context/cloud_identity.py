"""Which identity of a cloud this machine has, told from where the cloud's own libraries look. No secret is told.

The order is theirs: variables, files, and at last the machine's metadata service, which is asked for no longer than a
second. Whether the identity is good for anything is for its cloud to say.

AWS: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html;
Google: https://cloud.google.com/docs/authentication/application-default-credentials.
"""

from __future__ import annotations

import http.client
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.text import printable

_METADATA_TIMEOUT = 1.0
_METADATA = "169.254.169.254"
_LONGEST = 64 * 1024
_OK = 200
_GOOGLE_FILE = "GOOGLE_APPLICATION_CREDENTIALS"


def aws_identity(environ: Mapping[str, str]) -> str:
    """Where AWS's libraries find an identity, for people; empty: nowhere.

    Raises:
        ConfigError: a variable names a file that can't be read, or half of an access key is set.
    """
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return "an access key in AWS_ACCESS_KEY_ID"
    if key or secret:
        unset = "AWS_SECRET_ACCESS_KEY" if key else "AWS_ACCESS_KEY_ID"
        raise ConfigError(f"{unset}: not set, and it is half of an access key", advice="set both, or neither")
    token, role = environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"), environ.get("AWS_ROLE_ARN")
    if token and role:
        _readable("AWS_WEB_IDENTITY_TOKEN_FILE", token)
        return f"a token for the role {_shown(role)}"
    profile = environ.get("AWS_PROFILE") or "default"
    if _has_profile(environ, profile):
        return f"the profile {_shown(profile)}"
    if environ.get("AWS_PROFILE"):
        raise ConfigError(f"AWS_PROFILE: there is no profile {_shown(profile)}", advice="`aws configure list-profiles`")
    if environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") or environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return "the container's role"
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return ""
    service = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or f"http://{_METADATA}"
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    return "the machine's role" if _answers("PUT", service, "/latest/api/token", ttl) is not None else ""


def google_identity(environ: Mapping[str, str]) -> str:
    """Where Google's libraries find an identity, for people; empty: nowhere.

    Raises:
        ConfigError: a variable names a file that can't be read, or that holds no credentials.
    """
    named = environ.get(_GOOGLE_FILE)
    if named:
        content = _readable(_GOOGLE_FILE, named)
        try:
            return f"{_kind(parse_object(content, named))} in {_GOOGLE_FILE}"
        except InfrastructureError:
            raise ConfigError(f"{_GOOGLE_FILE}: {_shown(named)} holds no credentials: it isn't JSON") from None
    folder = environ.get("CLOUDSDK_CONFIG") or Path(environ.get("HOME") or Path.home(), ".config/gcloud")
    try:
        found = Path(folder, "application_default_credentials.json").read_bytes()
        return f"{_kind(parse_object(found, 'gcloud'))} of gcloud"
    except (OSError, InfrastructureError):
        pass
    service = f"http://{environ.get('GCE_METADATA_HOST') or _METADATA}"
    path = "/computeMetadata/v1/instance/service-accounts/default/email"
    said = _answers("GET", service, path, {"Metadata-Flavor": "Google"}, flavor="Google")
    return f"the machine's service account {_shown(said)}" if said is not None else ""


def _kind(credentials: Json) -> str:
    """A key's kind and whose it is; neither is a secret."""
    kind, whose = credentials.get("type"), credentials.get("client_email")
    shown = _shown(kind).replace("_", " ") if isinstance(kind, str) else "credentials"
    return f"{shown} {_shown(whose)}" if isinstance(whose, str) else shown


def _has_profile(environ: Mapping[str, str], profile: str) -> bool:
    home = Path(environ.get("HOME") or Path.home(), ".aws")
    credentials = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials")
    config = Path(environ.get("AWS_CONFIG_FILE") or home / "config")
    return f"[{profile}]" in _headings(credentials) or bool(
        {f"[profile {profile}]", f"[{profile}]"} & _headings(config)
    )


def _headings(path: Path) -> set[str]:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return set()
    return {" ".join(line.split()) for line in lines if line.startswith("[")}


def _readable(variable: str, name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(_LONGEST)
    except OSError as error:
        raise ConfigError(f"{variable}: {_shown(name)}: {error.strerror or 'cannot be read'}") from None


def _answers(method: str, service: str, path: str, headers: dict[str, str], *, flavor: str = "") -> str | None:
    """What a metadata service says; None: it doesn't answer, or isn't that cloud's. Never through a proxy."""
    try:
        parts = urllib.parse.urlsplit(service)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_METADATA_TIMEOUT)
    except (ValueError, http.client.HTTPException):
        return None
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        said = answer.read(_LONGEST).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    known = not flavor or answer.headers.get("Metadata-Flavor") == flavor
    return said if answer.status == _OK and known else None


def _shown(text: str) -> str:
    return printable(text, limit=200)
