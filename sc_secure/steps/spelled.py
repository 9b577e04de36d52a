"""Findings in their canonical form, as `canonical_bytes` would write them, in a fifth of its time.

Loading msgspec takes 8 ms, so this module is loaded where there are findings to write.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import cast

import msgspec

from sc_secure.policy.decision import Decided
from sc_secure.policy.finding import Finding
from sc_secure.steps.canonical import SURROGATE, Spelled
from sc_secure.tools.documents import Json

_AT_ONCE = 100
"""Findings that are in memory a second time."""
_PLAIN = 0.0001
"""From here up to 1, both libraries write a number in the same way."""
_ENCODER = msgspec.json.Encoder(order="sorted")


def spelled_findings(findings: Iterable[Finding]) -> Spelled:
    """Findings as a list of what was found."""
    return _list(map(_finding, findings))


def spelled_decided(decided: Iterable[Decided]) -> Spelled:
    """Findings as a list of what was found, and what was decided and why."""
    return _list({**_finding(finding), "action": action, "reason": reason} for finding, action, reason in decided)


def _finding(finding: Finding) -> Json:
    return {
        "id": finding.id,
        "aliases": finding.aliases,
        "severity": finding.severity.word,
        "package": finding.package,
        "version": finding.version,
        "kind": finding.kind,
        "purl": finding.purl,
        "otherPurls": finding.other_purls,
        "fixedIn": finding.fixed_in,
        "url": finding.url,
        "knownExploited": finding.known_exploited,
        "epss": _number(finding.epss),
        "sources": [
            {"scanner": each.scanner, "id": each.id, "severity": each.severity.word} for each in finding.sources
        ],
    }


def _number(epss: float | None) -> float | msgspec.Raw | None:
    """As the standard library writes it: msgspec has 0.00001 for its 1e-05."""
    return epss if not epss or epss >= _PLAIN else msgspec.Raw(repr(epss).encode())


def _list(objects: Iterable[Json]) -> Spelled:
    remaining = iter(objects)
    pieces: list[bytes] = []
    while several := list(islice(remaining, _AT_ONCE)):
        pieces += [b",", _encoded(several)[1:-1]]
    return Spelled([b"[", *pieces[1:], b"]"])


def _encoded(several: list[Json]) -> bytes:
    try:
        return _ENCODER.encode(several)
    except UnicodeEncodeError:
        return _ENCODER.encode(_without_surrogates(several))


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return SURROGATE.sub("\ufffd", value)
    if isinstance(value, list | tuple):
        return [_without_surrogates(each) for each in cast("Iterable[object]", value)]
    if isinstance(value, dict):
        return {name: _without_surrogates(each) for name, each in cast("Json", value).items()}
    return value
