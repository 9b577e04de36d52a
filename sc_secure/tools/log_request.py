"""Asks a transparency log over HTTP. Tried once; who asks decides how often."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools.text import printable
from sc_secure.tools.transient import Kind, classify_status, failure, retry_after
from sc_secure.tools.web import opener_for

CONFLICT = 409
"""The log has such an entry already."""
ADVICE = "nothing was attached; try again, and if it stays, check the transparency log (Rekor) and the way to it"
NOT_FOUND = 404
_TIMEOUT = 60.0
_LONGEST = 64 * 1024 * 1024
_OK = 200


class CannotAsk(InfrastructureError):
    """A log can't be asked by us for this signature; cosign has to."""


@dataclass(frozen=True)
class Answer:
    """What the log answered."""

    status: int
    headers: Message[str, str]
    content: bytes
    """Empty where it isn't a success."""

    @property
    def ok(self) -> bool:
        """It is what was asked for."""
        return self.status == _OK or self.status == _OK + 1


def ask(url: str, data: bytes | None = None, *, also: Collection[int] = (CONFLICT,)) -> Answer:
    """The log's answer.

    Args:
        url: a checked one, of http or https.
        data: JSON to post; None: the page is read.
        also: statuses that aren't failures.

    Raises:
        TransientFailure, InfrastructureError, NotAuthorised: it failed or refused.
    """
    headers = {"Accept": "application/json" if data else "*/*", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - http(s) alone: `policy.sigstore.check_url`
    opener = opener_for(urllib.parse.urlsplit(url).netloc, redirects=False)
    try:
        with opener.open(request, timeout=_TIMEOUT) as response:
            content = cast("bytes", response.read(_LONGEST))
            if response.length:  # http.client says nothing of a connection that ends early when a size was asked for
                raise failure(Kind.TRANSIENT, f"{url}: its answer broke off", advice=ADVICE)
            return Answer(response.status, response.headers, content)
    except urllib.error.HTTPError as error:
        after = retry_after(error.headers.get("Retry-After"), datetime.now(UTC))
        said = error.headers
        error.close()
        if error.code in also:
            return Answer(error.code, said, b"")
        raise failure(classify_status(error.code), f"{url}: HTTP {error.code}", advice=ADVICE, after=after) from None
    except (OSError, http.client.HTTPException) as error:
        reason = printable(str(getattr(error, "reason", error)) or type(error).__name__, limit=200)
        kind = Kind.PERMANENT if "CERTIFICATE_VERIFY_FAILED" in reason else Kind.TRANSIENT
        raise failure(kind, f"{url}: {reason}", advice=ADVICE) from None


def not_a_rekor(url: str, version: int) -> InfrastructureError:
    """The error for an address that knows nothing of log entries of that version's interface."""
    return InfrastructureError(
        f"what answers at the transparency log's URL {url} isn't a Rekor {version}",
        advice="nothing was attached; check the URL, and how the trusted root or signing configuration names the log",
    )
