"""What a registry lets us do, asked in a way that changes nothing there.

Specification: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md. Nothing is tried again: a person
waits for the answer.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools.reference import Place
from sc_secure.tools.registry import INDEX, NO_REFERRERS, Credentials, Registry
from sc_secure.tools.text import printable
from sc_secure.tools.transient import Kind, classify_status, failure

_TIMEOUT = 3.0
_LONGEST = 64 * 1024
_OK, _ACCEPTED, _UNAUTHORIZED, _NOT_FOUND = 200, 202, 401, 404
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json"
)
_NOWHERE = "sha256:" + "0" * 64


@dataclass(frozen=True)
class _Answer:
    status: int
    reason: str
    headers: Message
    body: bytes

    @property
    def names_no_repository(self) -> bool:
        """Its error is that there is no such repository, not that what was asked for isn't in it."""
        try:
            said = cast("dict[str, list[dict[str, object]]]", json.loads(self.body))
            return any(each.get("code") == "NAME_UNKNOWN" for each in said["errors"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False


class Access(Registry):
    """Asks about one repository.

    Args:
        place: the repository, and what is looked for in it.
        credentials: asked once, and only if the registry wants any; None: there are none.
        push: a token is asked for that may push too: some services refuse it as a whole to who may not.
    """

    timeout = _TIMEOUT

    def __init__(self, place: Place, credentials: Callable[[], Credentials | None], *, push: bool = False) -> None:
        super().__init__(place.registry, place.repository, credentials)
        self._place = place
        self._challenge = ""
        self.actions = "pull,push" if push else "pull"

    def wants_login(self) -> bool:
        """Whether the registry lets nobody in without a login, or at least a token.

        Raises:
            InfrastructureError: nobody answers, or it is no registry.
        """
        answer = self._once("GET", "/v2/")
        if answer.status not in (_OK, _UNAUTHORIZED):
            raise self._refused(answer, "as no registry does: ")
        self._challenge = answer.headers.get("WWW-Authenticate") or ""
        return answer.status == _UNAUTHORIZED

    def log_in(self) -> None:
        """Have the registry, or its token service, look at our login, after `wants_login`.

        Raises:
            NotAuthorised: it refuses it, or wants one and there is none.
            InfrastructureError: it failed.
        """
        self._authorize(self._challenge)
        # A token's service has looked at the login by now; what the token is good for is another question.
        if self._challenge.lower().startswith("basic"):
            answer = self._once("GET", "/v2/")
            if answer.status != _OK:
                raise self._refused(answer)

    def may_pull(self) -> bool:
        """Whether what is looked for is there: the tag or digest if one is named, else the repository.

        Raises:
            NotAuthorised: we may not read it.
            InfrastructureError: the registry failed.
        """
        repository, reference = f"/v2/{self._place.repository}", self._place.reference
        if reference:
            answer = self._logged_in("HEAD", f"{repository}/manifests/{reference}")
        else:
            answer = self._logged_in("GET", f"{repository}/tags/list?n=1")
        if answer.status not in (_OK, _NOT_FOUND):
            raise self._refused(answer)
        return answer.status == _OK

    def may_push(self) -> bool:
        """Whether an upload could begin: one is begun, and given up at once. False: there is no such repository.

        Raises:
            NotAuthorised: we may not write.
            InfrastructureError: the registry failed, or takes no uploads.
        """
        path = f"/v2/{self._place.repository}/blobs/uploads/"
        answer = self._logged_in("POST", path)
        if answer.status == _NOT_FOUND:
            return False
        if answer.status != _ACCEPTED:
            raise self._refused(answer)
        begun = urllib.parse.urlsplit(urllib.parse.urljoin(path, answer.headers.get("Location") or ""))
        # To this registry and nowhere else, whatever host it names: our login goes with it.
        if begun.path.startswith(path) and begun.path != path:
            self._give_up(begun._replace(scheme="", netloc="", fragment="").geturl())
        return True

    def _give_up(self, upload: str) -> None:
        """End an upload. A registry that doesn't do that forgets it in time: nothing is in it."""
        # The CNCF's registry wants the right to delete for it. It is asked for now alone: a service may refuse a token
        # as a whole to who hasn't got it, as most who push have not.
        self.actions = "pull,push,delete"
        with contextlib.suppress(InfrastructureError):
            self._logged_in("DELETE", upload)

    def has_referrers(self) -> bool | None:
        """Whether it lists what refers to an image; None: that can't be told before the repository is there.

        Raises:
            NotAuthorised, InfrastructureError: see `may_pull`.
        """
        digest = self._place.reference if self._place.reference.startswith("sha256:") else _NOWHERE
        answer = self._logged_in("GET", f"/v2/{self._place.repository}/referrers/{digest}")
        if answer.status not in (_OK, *NO_REFERRERS):
            raise self._refused(answer)
        if answer.names_no_repository:
            return None
        return answer.status == _OK and answer.headers.get("Content-Type") == INDEX

    def _refused(self, answer: _Answer, why: str = "") -> InfrastructureError:
        said = f"HTTP {answer.status} {printable(answer.reason, limit=80)}".rstrip()
        kind = classify_status(answer.status)
        advice = "check its address; if that is right, its operator's log knows why" if kind is Kind.PERMANENT else ""
        return failure(kind, f"{self._host} answers {why}{said}", advice=advice)

    def _logged_in(self, method: str, path: str) -> _Answer:
        answer = self._once(method, path)
        challenge = answer.headers.get("WWW-Authenticate")
        if answer.status == _UNAUTHORIZED and challenge:
            self._authorize(challenge)
            answer = self._once(method, path)
        return answer

    def _once(self, method: str, path: str) -> _Answer:
        headers = {"Accept": _MANIFESTS if "/manifests/" in path else "*/*"}
        data = None
        if method == "POST":
            data, headers["Content-Type"] = b"", "application/octet-stream"
        request = urllib.request.Request(self._base + path, data=data, headers=headers, method=method)  # noqa: S310 - http(s) only
        if self._authorization:
            # "unredirected": a redirect to a storage host must not carry the registry's credentials
            request.add_unredirected_header("Authorization", self._authorization)
        try:
            with self._open(request) as response:
                return _Answer(response.status, response.reason, response.headers, _some(response))
        except urllib.error.HTTPError as error:
            with error:
                return _Answer(error.code, str(error.reason), error.headers, _some(error))


def _some(response: http.client.HTTPResponse | urllib.error.HTTPError) -> bytes:
    """The beginning of an answer, as far as it arrives: it is for its error's name alone."""
    try:
        return response.read(_LONGEST)
    except (OSError, http.client.HTTPException):
        return b""
