"""Which failures are worth a second try, and the second try: in one place, for tools and for the registry client."""

from __future__ import annotations

import contextlib
import email.utils
import enum
import random
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sc_secure.errors import InfrastructureError, NotAuthorised
from sc_secure.tools.waiting import pause

T = TypeVar("T")

ATTEMPTS = 4
"""How often something is tried in all."""
BASE_DELAY = 0.5
"""Seconds before the second try, at most; doubled each time, up to `MAX_DELAY`."""
MAX_DELAY = 8.0
"""Seconds: no pause grows beyond this, unless the first one is longer."""
MAX_RETRY_AFTER = 60.0
"""Seconds: who asks for a longer pause is asked again after this one, within the step's own time-out."""


@dataclass(frozen=True)
class Retrying:
    """How often, and how soon, a failure that may be gone in a moment is tried again; None: as usual."""

    attempts: int | None = None
    """How often in all, the first time counted."""
    base_delay: float | None = None
    """Seconds before the second try, at most; doubled each time."""


AS_USUAL = Retrying()
_chosen = AS_USUAL
"""What counts in this process: a run has threads, which share it."""


@contextlib.contextmanager
def retrying(how: Retrying) -> Generator[None]:
    """Everything inside is tried again in this way. For one run of this process at a time."""
    global _chosen  # noqa: PLW0603 - see its docstring
    before, _chosen = _chosen, how
    try:
        yield
    finally:
        _chosen = before


class Kind(enum.Enum):
    """What a failure's message says about trying again."""

    TRANSIENT = "transient"
    NOT_AUTHORISED = "not authorised"
    PERMANENT = "permanent"


class TransientFailure(InfrastructureError):
    """A failure that may be gone in a moment."""

    retry_after: float = 0
    """Seconds that the other side asked to be left alone for."""
    given_up = False
    """It was tried as often as is allowed: a larger piece of work that it is a part of isn't tried again for it."""


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
      | read[ ]on[ ]closed[ ]response[ ]body | createLogEntryConflict | unexpected[ ]response:[ ]409
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


def retry_after(header: str | None, now: datetime) -> float:
    """The seconds that a `Retry-After` header asks for (RFC 9110, 10.2.3): a number or a date; 0 for anything else."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return 0
    if until.tzinfo is None:  # the older forms name no zone: RFC 9110, 5.6.7
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0), MAX_RETRY_AFTER)


def failure(kind: Kind, message: str, *, advice: str = "", after: float = 0) -> InfrastructureError:
    """The error to raise for a failure of that kind; `after` is in seconds, for a transient one."""
    if kind is Kind.NOT_AUTHORISED:
        return NotAuthorised(message, advice=advice or "log in to the registry (docker login), or check its rights")
    if kind is Kind.TRANSIENT:
        advice = advice or "try again; if it stays, check the network and the registry"
        transient = TransientFailure(message, advice=advice)
        transient.retry_after = after
        return transient
    return InfrastructureError(message, advice=advice)


def with_retries(call: Callable[[], T], *, sleep: Callable[[float], None] = pause) -> T:
    """The call's result; a `TransientFailure` is tried again, with exponential backoff and jitter.

    The pause is never shorter than the one that the other side asked for.

    Raises:
        TransientFailure: the last one, after as many tries as are allowed. Any other error: at once.
    """
    attempts, base = _chosen.attempts or ATTEMPTS, BASE_DELAY if _chosen.base_delay is None else _chosen.base_delay
    for attempt in range(attempts - 1):
        try:
            return call()
        except TransientFailure as error:
            if error.given_up:
                raise
            backoff = random.uniform(0.5, 1) * min(max(MAX_DELAY, base), base * 2**attempt)  # noqa: S311 - jitter, no secret  # nosec B311
            sleep(max(backoff, error.retry_after))
    try:
        return call()
    except TransientFailure as error:
        error.given_up = True
        raise
