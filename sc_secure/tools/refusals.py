"""What cosign says of the bundles that it refuses, in words for people. cosign names no reason by a code: it's text."""

from __future__ import annotations

import re

from sc_secure.tools.text import last_lines

_REASONS = {
    "not enough verified log entries": "a statement without an entry in a transparency log that is trusted",
    "verified signed timestamps": "a statement without a signed timestamp by an authority that is trusted",
    "leaf certificate": "a statement with a certificate of no authority that is trusted, or used after it had run out",
    "signed certificate timestamp": "a statement with a certificate in no certificate-transparency log that is trusted",
    "no public key material available": "a statement signed with a key",
    "public key validity window": "a statement signed with a key",
    "signed with a public key": "a statement signed with a key",
    "artifact digest": "a statement about another digest",
}
"""A part of cosign's message → what it means. The first that is in a message counts."""
_IDENTITY = "failed to verify certificate identity:"
_REFUSED = "error during command execution: no matching attestations:"
_MAX_OTHERS = 3


def mismatches(stderr: str, what: str, asked: str) -> list[str]:
    """The values that cosign found in certificates in place of the one that was asked for, each once.

    Args:
        stderr: cosign's.
        what: `SAN` or `issuer`.
        asked: the value asked for. If it can't be guessed, nobody can put such a line into an identity of their own.
    """
    said = re.compile(rf'expected {what} value "{re.escape(asked)}", got "(.*)"$', re.MULTILINE)
    return list(dict.fromkeys(said.findall(stderr)))


def reasons(stderr: str) -> list[str]:
    """Why bundles were refused, other than for their identity, each reason once; printable."""
    found: dict[str, None] = {}
    for line in _bundles(stderr):
        known = next((reason for said, reason in _REASONS.items() if said in line), None)
        found[known or f"a statement that cosign refuses: {last_lines(line, 1)}"] = None
    return list(found)[:_MAX_OTHERS]


def _bundles(stderr: str) -> list[str]:
    """A line for each bundle that isn't refused for its identity. cosign prints all of it twice."""
    lines = (line.strip() for line in stderr.partition(_REFUSED)[2].splitlines())
    return [line for line in lines if line and _IDENTITY not in line]
