"""Which transparency logs a signing configuration has a signature shown to: chosen as cosign chooses them.

https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_trustroot.proto (`ServiceSelector`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sc_secure.tools.documents import Json, as_list, as_object, as_text

MEMBERS = ("rekorTlogUrls", "rekorTlogConfig")
"""Of a signing configuration: the logs, and how many of them."""
_VERSIONS = (2, 1)


@dataclass(frozen=True)
class Log:
    """A transparency log that we can ask."""

    url: str
    version: int
    """1: Trillian's; 2: of tiles."""
    names: tuple[bytes, ...] = ()
    """By which the trusted root knows logs: which is this one's, its checkpoint says. For a Rekor 2."""


def chosen(config: Json, names: Sequence[bytes]) -> tuple[Log, ...]:
    """The logs that a signature needs entries of; empty: cosign is to say what is wrong with the configuration.

    Of any that would do, it is always the same one: a signature that was shown to it once has its entry there.

    Args:
        config: the signing configuration.
        names: by which the trusted root knows logs.
    """
    now = datetime.now(UTC)
    try:
        listed = [as_object(each) for each in as_list(config[MEMBERS[0]])]
        spans = [(*_span(each), each) for each in listed]
        valid = sorted((each for each in spans if each[0] <= now < each[1]), key=lambda span: span[0])
        how = as_object(config[MEMBERS[1]])
        for version in _VERSIONS:
            newest = {str(each.get("operator")): each for _, _, each in valid if each["majorApiVersion"] == version}
            if newest:
                logs = [Log(as_text(each["url"]), version, tuple(names)) for each in newest.values()]
                return _as_many(sorted(logs, key=lambda log: log.url), how)
    except (KeyError, TypeError, ValueError):
        pass
    return ()


def _as_many(logs: list[Log], how: Json) -> tuple[Log, ...]:
    count = {"ANY": 1, "ALL": len(logs), "EXACT": how.get("count")}[as_text(how["selector"])]
    return tuple(logs[:count]) if isinstance(count, int) and 0 < count <= len(logs) else ()


def _span(service: Json) -> tuple[datetime, datetime]:
    """From when on a service is asked, and until when."""
    valid = as_object(service["validFor"])
    end = datetime.fromisoformat(as_text(valid["end"])) if "end" in valid else datetime.max.replace(tzinfo=UTC)
    return datetime.fromisoformat(as_text(valid["start"])), end
