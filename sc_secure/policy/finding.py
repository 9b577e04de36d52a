"""What scanners find, in one form, and how the findings of several become one list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from sc_secure.policy.severity import Severity


class Source(NamedTuple):
    """What one scanner said of a finding."""

    scanner: str
    id: str
    """The vulnerability, as that scanner's database names it."""
    severity: Severity


class Finding(NamedTuple):
    """One vulnerability in one version of one package."""

    id: str
    """As the scanner's database names it: `GHSA-…`, `CVE-…`."""
    severity: Severity
    package: str
    version: str
    kind: str = ""
    """The package's ecosystem: `python`, `deb`, `npm`, …"""
    aliases: tuple[str, ...] = ()
    """Other names of the same vulnerability, sorted."""
    fixed_in: tuple[str, ...] = ()
    """Versions that don't have it; empty: there is no fix."""
    purl: str = ""
    """The package URL (https://github.com/package-url/purl-spec)."""
    other_purls: tuple[str, ...] = ()
    """Further package URLs of the same package and version: another architecture, another scanner's way to write it."""
    url: str = ""
    """Where the vulnerability is described."""
    known_exploited: bool = False
    """It is in CISA's catalogue of known exploited vulnerabilities (KEV)."""
    epss: float | None = None
    """The probability, 0 to 1, that it is exploited within 30 days (EPSS); None: there is no estimate."""
    sources: tuple[Source, ...] = ()
    """Who found it, sorted."""

    @property
    def order(self) -> tuple[int, str, str, str, str, str]:
        """Sorts findings: the worst first, then by name, so that a report is the same each time."""
        return (-self.severity, self.id, self.package, self.version, self.purl, self.kind)

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which this one vulnerability is known, in capitals.

        An advisory that bundles several CVEs is none of them alone: what is said of one of them isn't said of it.
        """
        names = [self.id.upper()]
        cves = names[0][:4] == "CVE-"
        for alias in self.aliases:
            name = alias.upper()
            if name not in names:
                names.append(name)
                cves += name[:4] == "CVE-"
        return tuple(names[:1] if cves > 1 else names)

    @property
    def place(self) -> tuple[str, str]:
        """The package and its version, the same whichever scanner names them."""
        identity = self.purl.partition("#")[0].partition("?")[0]
        return (identity or f"{self.kind}/{self.package}", self.version)


_BY_NAME = itemgetter(*map(Finding._fields.index, ("id", "package", "version", "purl", "kind")))
_BY_SEVERITY = itemgetter(Finding._fields.index("severity"))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by their `order`."""
    # Twice, each by what is in them, takes a third of the time of once by a key that is made of each.
    by_name = sorted(findings, key=_BY_NAME)
    return sorted(by_name, key=_BY_SEVERITY, reverse=True)


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, each vulnerability once per package and version; sorted, the worst first.

    Two findings are one if they have a name in common (GHSA and CVE are aliases). The highest severity wins, and so do
    a fix, a listing in KEV and the highest EPSS that any of them knows; `sources` keeps who said what.
    """
    places: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        places.setdefault(finding.place, []).append(finding)
    merged: list[Finding] = []
    for group in places.values():
        named = [(each, each.names) for each in group]
        every = [name for _, names in named for name in names]
        alone = len(set(every)) == len(every)
        merged += group if alone else map(_joined, _same(named))
    return in_order(merged)


def _same(group: Sequence[tuple[Finding, tuple[str, ...]]]) -> Iterable[list[Finding]]:
    """The findings of one place, each with its names, by vulnerability."""
    vulnerabilities: list[list[Finding]] = []
    known: dict[str, list[Finding]] = {}
    for finding, names in group:
        same: list[Finding] | None = None
        for name in names:
            hit = known.get(name)
            if hit is not None and hit is not same:
                same = hit if same is None else _united(same, hit, known)
        if same is None:
            same = []
            vulnerabilities.append(same)
        same.append(finding)
        for name in names:
            known[name] = same
    return filter(None, vulnerabilities)


def _united(one: list[Finding], other: list[Finding], known: dict[str, list[Finding]]) -> list[Finding]:
    """Two vulnerabilities that turned out to be one: all their findings; the other list is empty then."""
    small, large = sorted((one, other), key=len)
    for finding in small:
        known.update(dict.fromkeys(finding.names, large))
    large += small
    small.clear()
    return large


def _joined(same: Sequence[Finding]) -> Finding:
    """One finding of several that are the same vulnerability in the same place."""
    if len(same) == 1:
        return same[0]
    ordered = sorted(same, key=lambda each: each.order)
    first = ordered[0]
    names: set[str] = set()
    purls: set[str] = set()
    sources: set[Source] = set()
    fixes: dict[str, None] = {}
    for each in ordered:
        names.add(each.id)
        names.update(each.aliases)
        purls.add(each.purl)
        purls.update(each.other_purls)
        sources.update(each.sources)
        for fixed in each.fixed_in:
            fixes[fixed] = None
    return Finding(
        id=first.id,
        severity=first.severity,
        package=first.package,
        version=first.version,
        kind=first.kind,
        aliases=tuple(sorted(names - {first.id})),
        fixed_in=tuple(fixes),
        purl=first.purl,
        other_purls=tuple(sorted(purls - {first.purl, ""})),
        url=first.url,
        known_exploited=any(each.known_exploited for each in ordered),
        epss=max((each.epss for each in ordered if each.epss is not None), default=None),
        sources=tuple(sorted(sources, key=lambda each: (each.scanner, each.id, each.severity))),
    )
