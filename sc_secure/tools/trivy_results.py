"""What is read of the results in trivy's report (schema: `pkg/types/report.go` of the trivy module)."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from sc_secure.policy.finding import Finding, Source
from sc_secure.policy.severity import Severity
from sc_secure.tools.elements import elements, objects, unread

_KINDS = {"pypi": "python", "golang": "go-module", "cargo": "rust-crate", "maven": "java-archive", "nuget": "dotnet"}
"""What syft calls the packages whose package URL has another name for it."""


class _Identifier(msgspec.Struct, gc=False):
    purl: str | None = msgspec.field(default=None, name="PURL")


class _Vulnerability(msgspec.Struct, gc=False):
    id: str = msgspec.field(name="VulnerabilityID")
    package: str = msgspec.field(name="PkgName")
    version: str = msgspec.field(name="InstalledVersion")
    severity: str | None = msgspec.field(default=None, name="Severity")
    identifier: _Identifier | None = msgspec.field(default=None, name="PkgIdentifier")
    fixed: str | None = msgspec.field(default=None, name="FixedVersion")
    vendors: list[str] | None = msgspec.field(default=None, name="VendorIDs")
    url: str | None = msgspec.field(default=None, name="PrimaryURL")


_VULNERABILITY = msgspec.json.Decoder(_Vulnerability)


def read_results(results: object, path: str) -> tuple[tuple[Finding, ...], bool]:
    """The findings of all results, in their order, each once; and whether any package was recognised.

    Args:
        results: the list, for `elements`.
        path: its own, for the error.

    Raises:
        TypeError, ValueError: it isn't what it should be.
    """
    found: dict[Finding, None] = {}
    packages = 0
    for number, said in enumerate(objects(results, path)):
        here = f"{path}[{number}]"
        several = elements(said.get("Vulnerabilities"), _VULNERABILITY, f"{here}.Vulnerabilities")
        found.update(dict.fromkeys(map(_finding, several)))
        packages += len(unread(said.get("Packages"), f"{here}.Packages"))
    return tuple(found), packages > 0


def _finding(said: _Vulnerability) -> Finding:
    name, version = said.id, said.version
    severity = Severity.parse(said.severity or "")
    purl = _purl((said.identifier and said.identifier.purl) or "", version)
    kind = purl.removeprefix("pkg:").partition("/")[0]
    # Of a distribution's advisories (DSA-…, RHSA-…) one is about several vulnerabilities: only a GHSA is an alias.
    aliases = {each for each in said.vendors or () if each.startswith("GHSA-")} - {name}
    return Finding(
        id=name,
        severity=severity,
        package=said.package,
        version=version,
        kind=_KINDS.get(kind, kind),
        aliases=tuple(sorted(aliases)),
        fixed_in=tuple(each.strip() for each in (said.fixed or "").split(",") if each.strip()),
        purl=purl,
        url=said.url or "",
        sources=(Source("trivy", name, severity),),
    )


def _purl(purl: str, version: str) -> str:
    """The package URL as syft writes it: trivy has a version's epoch in a qualifier."""
    place, _, qualifiers = purl.partition("?")
    kept = [each for each in qualifiers.split("&") if each]
    without = [each for each in kept if not each.startswith("epoch=")]
    if len(without) < len(kept):
        place = f"{place.rpartition('@')[0]}@{quote(version, safe='')}"
    return f"{place}?{'&'.join(without)}" if without else place
