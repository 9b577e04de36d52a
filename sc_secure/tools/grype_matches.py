"""What is read of a match in grype's report (schema: `grype/presenter/models` of the grype module)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from sc_secure.policy.finding import Finding, Source
from sc_secure.policy.severity import Severity
from sc_secure.tools.elements import elements


class _Estimate(msgspec.Struct, gc=False):
    epss: Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Fix(msgspec.Struct, gc=False):
    versions: list[str] | None = None


class _Related(msgspec.Struct, gc=False):
    id: str
    knownExploited: list[Any] | None = None
    epss: list[_Estimate] | None = None


class _Vulnerability(_Related, gc=False):
    severity: str | None = None
    dataSource: str | None = None
    fix: _Fix | None = None


class _Artifact(msgspec.Struct, gc=False):
    name: str
    version: str
    type: str | None = None
    purl: str | None = None


class _Match(msgspec.Struct, gc=False):
    vulnerability: _Vulnerability
    artifact: _Artifact
    relatedVulnerabilities: list[_Related] | None = None


_MATCH = msgspec.json.Decoder(_Match)


def read_matches(matches: object, path: str) -> tuple[Finding, ...]:
    """The findings of a list of matches, in its order, each once.

    Args:
        matches: the list, for `elements`.
        path: its own, for the error.

    Raises:
        TypeError: it isn't what it should be: with the path.
    """
    # Many are of one package, whose texts are kept once.
    texts: dict[str, str] = {}
    return tuple(dict.fromkeys(_finding(match, texts.setdefault) for match in elements(matches, _MATCH, path)))


def _finding(match: _Match, once: Callable[[str, str], str]) -> Finding:
    vulnerability, artifact = match.vulnerability, match.artifact
    name, severity = vulnerability.id, Severity.parse(vulnerability.severity or "")
    names: set[str] = set()
    estimates: list[float] = []
    exploited = False
    for each in (vulnerability, *(match.relatedVulnerabilities or ())):
        names.add(each.id)
        if each.knownExploited:
            exploited = True
        if each.epss:
            estimates += [estimate.epss for estimate in each.epss]
    names.remove(name)
    kind, purl = artifact.type or "", artifact.purl or ""
    return Finding(
        id=name,
        severity=severity,
        package=once(artifact.name, artifact.name),
        version=once(artifact.version, artifact.version),
        kind=once(kind, kind),
        aliases=tuple(sorted(names)),
        fixed_in=tuple(vulnerability.fix.versions or ()) if vulnerability.fix else (),
        purl=once(purl, purl),
        url=vulnerability.dataSource or "",
        known_exploited=exploited,
        epss=max(estimates) if estimates else None,
        sources=(Source("grype", name, severity),),
    )
