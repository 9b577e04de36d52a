"""Which failures are worth a second try, and the second try: in one place, for tools and for the registry client."""

from __future__ import annotations

import enum
import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

from sc_secure.errors import InfrastructureError, NotAuthorised

T = TypeVar("T")

ATTEMPTS = 4
"""How often something is tried in all."""
BASE_DELAY = 0.5
"""Seconds before the second try, at most; doubled each time, up to `MAX_DELAY`."""
MAX_DELAY = 8.0


class Kind(enum.Enum):
    """What a failure's message says about trying again."""

    TRANSIENT = "transient"
    NOT_AUTHORISED = "not authorised"
    PERMANENT = "permanent"


class TransientFailure(InfrastructureError):
    """A failure that may be gone in a moment."""


_NOT_AUTHORISED = re.compile(
    r"""\b(40[13])\b[ ]*(unauthorized|forbidden|:)?(?=.*(unauthorized|forbidden|denied|auth|GET|HEAD|PUT|POST|status))
      | \bunauthorized\b | \bDENIED\b | access[ ]denied | permission[ ]denied[ ]for | authentication[ ]required
      | no[ ]basic[ ]auth[ ]credentials | insufficient_scope | invalid[ ]username/password | incorrect[ ]username
      | status[ ]code[ ]40[13] | AccessDeniedException | ExpiredToken""",
    re.IGNORECASE | re.VERBOSE,
)
_TRANSIENT = re.compile(
    r"""i/o[ ]timeout | \btimed?[ -]?out\b | deadline[ ]exceeded | TLS[ ]handshake[ ]timeout
      | connection[ ](refused|reset|timed[ ]out|closed[ ]by|aborted) | broken[ ]pipe | unexpected[ ]EOF | :[ ]EOF\b
      | no[ ]such[ ]host | temporary[ ]failure[ ]in[ ]name[ ]resolution | server[ ]misbehaving
      | name[ ]or[ ]service[ ]not[ ]known | network[ ]is[ ]unreachable | no[ ]route[ ]to[ ]host
      | http2:[ ].*(goaway|stream[ ]error) | server[ ]closed[ ]idle[ ]connection
      | too[ ]?many[ ]?requests | toomanyrequests | rate[ ]limit
      | (status([ ]code)?|response([ ]code)?|HTTP(/[\d.]+)?|error)[ :=]*(408|429|5\d\d)\b
      | \b(408[ ]request[ ]timeout|429[ ]too|500[ ]internal|502[ ]bad|503[ ]service|504[ ]gateway)
      | internal[ ]server[ ]error | bad[ ]gateway | service[ ]unavailable | gateway[ ]time-?out""",
    re.IGNORECASE | re.VERBOSE,
)


def classify(message: str) -> Kind:
    """What a tool's or a library's message says. A refusal wins over a time-out in the same message."""
    if _NOT_AUTHORISED.search(message):
        return Kind.NOT_AUTHORISED
    if _TRANSIENT.search(message):
        return Kind.TRANSIENT
    return Kind.PERMANENT


def classify_status(status: int) -> Kind:
    """What an HTTP status of 400 and more says."""
    if status in (401, 403):
        return Kind.NOT_AUTHORISED
    if status in (408, 429) or status >= 500:  # noqa: PLR2004 - HTTP status codes are their own names
        return Kind.TRANSIENT
    return Kind.PERMANENT


def failure(kind: Kind, message: str, *, advice: str = "") -> InfrastructureError:
    """The error to raise for a failure of that kind."""
    if kind is Kind.NOT_AUTHORISED:
        return NotAuthorised(message, advice=advice or "log in to the registry (docker login), or check its rights")
    if kind is Kind.TRANSIENT:
        return TransientFailure(message, advice=advice or "try again; if it stays, check the network and the registry")
    return InfrastructureError(message, advice=advice)


def with_retries(call: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep) -> T:
    """The call's result; a `TransientFailure` is tried again, with exponential backoff and full jitter.

    Raises:
        TransientFailure: the last one, after `ATTEMPTS` tries. Any other error: at once.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return call()
        except TransientFailure:
            sleep(random.uniform(0.5, 1) * min(MAX_DELAY, BASE_DELAY * 2**attempt))  # noqa: S311 - jitter, no secret
    return call()
