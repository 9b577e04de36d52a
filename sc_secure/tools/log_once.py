"""Signs, and has logged what is signed: one entry in each log, whatever gets lost on the way.

See docs/decisions/0011-who-asks-the-log.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sc_secure.errors import InfrastructureError, NotAuthorised
from sc_secure.tools.draft import Draft
from sc_secure.tools.identity import ROOT_FLAG
from sc_secure.tools.log_request import CannotAsk
from sc_secure.tools.logs import Log
from sc_secure.tools.rekor import logged, one_by_one
from sc_secure.tools.transient import TransientFailure


@dataclass(frozen=True)
class Signing:
    """One signature: how it is made and looked at, and where it is kept meanwhile."""

    sign: Callable[[], bytes]
    """Makes a bundle that has no log entry."""
    verifies: Callable[[bytes, bool], bool]
    """Whether a bundle is this signer's, of what is to be signed; with a log entry, or without."""
    public_key: Callable[[], bytes]
    """PEM, of who signs without a certificate; else empty."""
    draft: Draft


def logged_once(signing: Signing, logs: Sequence[Log]) -> bytes:
    """A bundle with an entry in each log, all of which verify: the one that was begun before, or a new one.

    Raises:
        CannotAsk: the logs can't be asked by us for this signature.
        InfrastructureError, NotAuthorised, ConfigError: it couldn't be signed or logged.
    """
    kept = signing.draft.read()
    if kept is not None:
        entries = one_by_one(kept)
        if entries and len(entries) == len(logs) and all(signing.verifies(each, True) for each in entries):
            return kept
        if not entries and signing.verifies(kept, False):
            try:
                return _logged(kept, signing, logs)
            except (TransientFailure, NotAuthorised, CannotAsk):
                raise
            except InfrastructureError:
                pass  # this one can't be had in the log
        signing.draft.remove()
    content = signing.sign()
    signing.draft.keep(content)
    return _logged(content, signing, logs)


def _logged(content: bytes, signing: Signing, logs: Sequence[Log]) -> bytes:
    try:
        complete = logged(content, logs, signing.public_key())
        _check(complete, signing, logs)
    except (TransientFailure, NotAuthorised):
        raise  # the next try, or the next run, asks for the same again
    except InfrastructureError:
        signing.draft.remove()
        raise
    signing.draft.keep(complete)
    return complete


def _check(complete: bytes, signing: Signing, logs: Sequence[Log]) -> None:
    """What cosign does itself where it asks the log: nothing is written that nobody will accept."""
    for log, each in zip(logs, one_by_one(complete), strict=True):
        if not signing.verifies(each, True):
            raise InfrastructureError(
                f"the entry that {log.url} made of the signature doesn't verify; it wasn't attached",
                advice=f"does {ROOT_FLAG} hold this log's key?",
            )
