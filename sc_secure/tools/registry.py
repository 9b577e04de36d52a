"""A small read-only client of the OCI distribution API: manifests, blobs, referrers.

Specification: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md. Every manifest and blob that
is asked for by digest is checked against it, and every answer is bounded in size.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from sc_secure.errors import InfrastructureError, VerificationFailed
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.text import printable
from sc_secure.tools.transient import (
    Kind,
    TransientFailure,
    classify,
    classify_status,
    failure,
    retry_after,
    with_retries,
)
from sc_secure.tools.web import is_loopback, opener_for

MAX_MANIFEST = 4 * 1024 * 1024
"""Bytes; the distribution specification's own limit."""
_MAX_REFERRERS = 1000
_TIMEOUT = 30.0
_NOT_FOUND = 404
_UNAUTHORIZED = 401
NO_REFERRERS = (_NOT_FOUND, 400, 406)
"""How registries say that they have no referrers API."""
INDEX = "application/vnd.oci.image.index.v1+json"
"""The media type of a list of referrers."""
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.manifest.v1+json",
        INDEX,
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)


@dataclass(frozen=True)
class Credentials:
    """What a registry or its token service is given. Never printed, never kept."""

    username: str = ""
    password: str = ""
    identity_token: str = ""
    """A refresh token in place of a password."""

    def __repr__(self) -> str:
        """Never the values."""
        return "Credentials(…)"


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index, its digest checked."""

    digest: str
    content: Json


class Registry:
    """Reads one repository.

    Args:
        host: the registry's host and port, `index.docker.io` for Docker Hub.
        repository: the path in it.
        credentials: asked once, and only if the registry wants any; None: there are none.
    """

    timeout = _TIMEOUT
    """Seconds that one answer may take."""
    actions = "pull"
    """What a token is asked for, as its scope writes it."""

    def __init__(self, host: str, repository: str, credentials: Callable[[], Credentials | None]) -> None:
        self._host = "registry-1.docker.io" if host == "index.docker.io" else host
        self._repository = repository
        self._credentials = credentials
        self._base = f"{'http' if is_loopback(self._host) else 'https'}://{self._host}"
        self._authorization = ""
        self._manifests: dict[str, Manifest] = {}
        """By digest, whose content never changes; a tag is asked for each time."""
        self._opener = opener_for(self._host, redirects=True)

    def manifest(self, reference: str) -> Manifest | None:
        """The manifest or index of a digest or a tag; None: there is none.

        Raises:
            InfrastructureError, NotAuthorised, VerificationFailed: see `blob`.
        """
        if reference in self._manifests:
            return self._manifests[reference]
        body = self._get(f"/v2/{self._repository}/manifests/{reference}", limit=MAX_MANIFEST, accept=_ACCEPT)
        if body is None:
            return None
        digest = _digest(body)
        if reference.startswith("sha256:") and digest != reference:
            raise VerificationFailed(f"{self._host}: manifest {reference} has other content ({digest})")
        manifest = Manifest(digest, parse_object(body, f"{self._host}: manifest {reference}"))
        self._manifests[digest] = manifest
        return manifest

    def blob(self, digest: str, *, limit: int) -> bytes | None:
        """The content of that digest; None: there is none.

        Args:
            digest: `sha256:…`.
            limit: the greatest size in bytes.

        Raises:
            InfrastructureError: the registry failed, after retries, or the content is larger than `limit`.
            NotAuthorised: it refused.
            VerificationFailed: the content isn't the digest's.
        """
        body = self._get(f"/v2/{self._repository}/blobs/{digest}", limit=limit, accept="*/*")
        if body is not None and _digest(body) != digest:
            raise VerificationFailed(f"{self._host}: blob {digest} has other content")
        return body

    def referrers(self, digest: str) -> list[str]:
        """Digests of the manifests whose subject is `digest`, newest last where the registry says so.

        The referrers API, or else the fallback tag `sha256-<hex>` (specification, "Listing Referrers"). That there is
        no such API, registries say in several ways; what cosign takes for it (go-containerregistry's `Referrers`) is
        taken here too, since it writes by that.
        """
        path: str | None = f"/v2/{self._repository}/referrers/{digest}"
        found: list[str] = []
        asked = 0
        while path and asked < _MAX_REFERRERS:
            asked += 1
            link: list[str] = []
            body = self._get(path, limit=MAX_MANIFEST, accept=INDEX, link=link, absent=NO_REFERRERS)
            if body is None and asked == 1:
                fallback = self.manifest(digest.replace(":", "-"))
                return _digests(fallback.content) if fallback else []
            found += _digests(parse_object(body or b"{}", f"{self._host}: referrers of {digest}"))
            path = self._next(link)
        return found[:_MAX_REFERRERS]

    def _next(self, link: list[str]) -> str | None:
        """The path of the next page, on the same host only."""
        match = re.match(r"<([^>]+)>\s*;\s*rel=\"?next", link[0]) if link else None
        if match is None:
            return None
        url = urllib.parse.urljoin(self._base + f"/v2/{self._repository}/referrers/", match[1])
        return url.removeprefix(self._base) if url.startswith(self._base + "/v2/") else None

    def _get(
        self,
        path: str,
        *,
        limit: int,
        accept: str,
        link: list[str] | None = None,
        absent: Collection[int] = (_NOT_FOUND,),
    ) -> bytes | None:
        """The content; None: the registry answers with a status of `absent`, or, where a list is to be linked (`link`
        gets the links to more of it), with anything but a list."""
        return with_retries(lambda: self._get_once(path, limit, accept, link, absent))

    def _get_once(
        self, path: str, limit: int, accept: str, link: list[str] | None, absent: Collection[int]
    ) -> bytes | None:
        for last in (False, True):
            request = urllib.request.Request(self._base + path, headers={"Accept": accept})  # noqa: S310 - http(s) only
            if self._authorization:
                # "unredirected": a redirect to a storage host must not carry the registry's credentials
                request.add_unredirected_header("Authorization", self._authorization)
            try:
                with self._open(request) as response:
                    if link is not None:
                        if response.headers.get("Content-Type") != INDEX:
                            return None  # a page for people, as of a host that knows no such path
                        link[:] = response.headers.get_all("Link") or []
                    return _bounded(response, limit, self._host)
            except urllib.error.HTTPError as error:
                challenge = error.headers.get("WWW-Authenticate") or ""
                after = retry_after(error.headers.get("Retry-After"), datetime.now(UTC))
                error.close()
                if error.code in absent:
                    return None
                if error.code != _UNAUTHORIZED or last or not challenge:
                    message = (
                        f"{self._host}/{self._repository}: HTTP {error.code} {printable(str(error.reason), limit=80)}"
                    )
                    raise failure(classify_status(error.code), message, after=after) from None
            self._authorize(challenge)
        raise AssertionError("unreachable")

    def _open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        try:
            return cast("http.client.HTTPResponse", self._opener.open(request, timeout=self.timeout))
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException) as error:
            said = printable(str(getattr(error, "reason", error)) or type(error).__name__, limit=200)
            permanent = "CERTIFICATE_VERIFY_FAILED" in said or classify(said) is Kind.NOT_AUTHORISED
            raise failure(Kind.PERMANENT if permanent else Kind.TRANSIENT, f"{self._host}: {said}") from None

    def _authorize(self, challenge: str) -> None:
        """Answer a challenge (RFC 7235; https://distribution.github.io/distribution/spec/auth/token/)."""
        scheme, _, rest = challenge.partition(" ")
        credentials = self._credentials()
        if scheme.lower() == "basic" and credentials:
            self._authorization = _basic(credentials)
            return
        if scheme.lower() != "bearer":
            raise failure(Kind.NOT_AUTHORISED, f"{self._host}: needs a login, and the docker config has none for it")
        fields = dict(cast("list[tuple[str, str]]", re.findall(r'(\w+)="([^"]*)"', rest)))
        realm = urllib.parse.urlsplit(fields.get("realm", ""))
        if realm.scheme != "https" and not (realm.scheme == "http" and is_loopback(realm.netloc)):
            raise InfrastructureError(f"{self._host}: its token service isn't https")
        query = {"service": fields.get("service", "")}
        if self._repository:
            query["scope"] = f"repository:{self._repository}:{self.actions}"
        headers: dict[str, str] = {}
        data: bytes | None = None
        if credentials and credentials.identity_token:
            form = query | {
                "grant_type": "refresh_token",
                "client_id": "sc-secure",
                "refresh_token": credentials.identity_token,
            }
            data = urllib.parse.urlencode(form).encode()
        elif credentials:
            headers["Authorization"] = _basic(credentials)
        target = realm.geturl() if data else f"{realm.geturl()}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(target, data=data)  # noqa: S310 - checked above
        for name, value in headers.items():
            request.add_unredirected_header(name, value)
        try:
            with self._open(request) as response:
                token = parse_object(_bounded(response, MAX_MANIFEST, realm.netloc), "the token service's answer")
        except urllib.error.HTTPError as error:
            after = retry_after(error.headers.get("Retry-After"), datetime.now(UTC))
            error.close()
            message = f"{realm.netloc}: HTTP {error.code} for a token"
            raise failure(classify_status(error.code), message, after=after) from None
        value = token.get("token") or token.get("access_token")
        if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
            raise InfrastructureError(f"{realm.netloc}: its answer holds no token")
        self._authorization = f"Bearer {value}"


def _basic(credentials: Credentials) -> str:
    return "Basic " + base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()


def _bounded(response: http.client.HTTPResponse, limit: int, host: str) -> bytes:
    try:
        body = response.read(limit + 1)
    except (OSError, http.client.HTTPException) as error:
        raise TransientFailure(f"{host}: the answer broke off ({type(error).__name__})") from None
    if len(body) > limit:
        raise InfrastructureError(f"{host}: an answer of more than {limit} bytes")
    if response.length:  # http.client says nothing of a connection that ends early when a size was asked for
        raise TransientFailure(f"{host}: the answer broke off ({response.length} bytes are missing)")
    return body


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def _digests(index: Json) -> list[str]:
    entries = index.get("manifests")
    found: list[str] = []
    for entry in cast("list[object]", entries) if isinstance(entries, list) else []:
        digest = cast("Json", entry).get("digest") if isinstance(entry, dict) else None
        if isinstance(digest, str) and re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            found.append(digest)
    return found
