"""What VEX documents say of an image's findings.

A statement takes a finding out only if it says `not_affected` or `fixed`, of that vulnerability, and of that image or
package. Of several statements the newest counts; where two of the same time contradict each other, none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sc_secure.policy.finding import Finding
from sc_secure.policy.purl import Purl, parse_purl

if TYPE_CHECKING:
    from sc_secure.policy.openvex import Component, Document, Product, Statement

_CLEARS = ("not_affected", "fixed")
_DOCKER_HUB = ("index.docker.io", "docker.io", "registry-1.docker.io")


@dataclass(frozen=True)
class Image:
    """The image that is scanned, as a VEX document may name it."""

    registry: str
    """Host and port."""
    repository: str
    """The path in the registry."""
    digest: str
    """`sha256:…`."""

    @property
    def places(self) -> frozenset[str]:
        """Every way to write registry and repository. Docker Hub has several."""
        if self.registry not in _DOCKER_HUB:
            return frozenset({f"{self.registry}/{self.repository}"})
        short = self.repository.removeprefix("library/")
        hosts = [f"{host}/{path}" for host in _DOCKER_HUB for path in (self.repository, short)]
        return frozenset({*hosts, self.repository, short})

    def is_named_by(self, component: Component) -> bool:
        """Whether the component is this image: by its digest, or by its repository (then in every version)."""
        if component.hashes.get("sha-256", "").lower() == self.digest.removeprefix("sha256:"):
            return True
        references = {f"{place}@{self.digest}" for place in self.places}
        return component.iri in references or any(self._is(purl) for purl in _purls(component))

    def _is(self, purl: Purl) -> bool:
        """A name alone (`pkg:oci/app`) is too little, since each registry has its own; so is a tag, which moves."""
        place = purl.qualifier("repository_url")
        return (
            purl.type == "oci"
            and purl.name == self.repository.rpartition("/")[2].lower()
            and purl.version in ("", self.digest)
            and (not place or place.removeprefix("https://").rstrip("/") in self.places)
            and bool(purl.version or [key for key, _ in purl.qualifiers] == ["repository_url"])
        )


@dataclass(frozen=True)
class Read:
    """A document that was read."""

    path: str
    """Relative to the project."""
    sha256: str
    document: Document


@dataclass(frozen=True)
class _Said:
    """A statement, and where and when it was made."""

    statement: Statement
    document: Read
    moment: datetime

    @property
    def why(self) -> str:
        said = self.statement
        reason = said.justification or said.impact_statement
        return f"scan.vex: {self.document.path}: {said.status}" + (f" ({reason})" if reason else "")


class Vex:
    """What all documents of a policy say of one image.

    Args:
        documents: in the policy's order.
        image: what is scanned.
    """

    def __init__(self, documents: Sequence[Read], image: Image) -> None:
        self.documents = tuple(documents)
        self._image = image
        self._by_name: dict[str, list[_Said]] = {}
        for document in documents:
            for statement in document.document.statements:
                said = _Said(statement, document, document.document.moment(statement))
                vulnerability = statement.vulnerability
                for name in {each.upper() for each in (vulnerability.name, *vulnerability.aliases)}:
                    self._by_name.setdefault(name, []).append(said)

    def why(self, finding: Finding) -> str | None:
        """Why this finding doesn't count; None: nothing is said of it, or that it does."""
        said = self._clearing(finding)
        return said.why if said else None

    def clears(self, findings: Iterable[Finding]) -> dict[str, int]:
        """How many of the findings each document takes out, by its path."""
        counts = dict.fromkeys((each.path for each in self.documents), 0)
        for finding in findings if counts else ():
            said = self._clearing(finding)
            if said:
                counts[said.document.path] += 1
        return counts

    def _clearing(self, finding: Finding) -> _Said | None:
        if not self._by_name:
            return None
        known = {id(said): said for name in finding.names for said in self._by_name.get(name, ())}.values()
        applying = [said for said in known if self._applies(said.statement, finding)]
        newest = max((said.moment for said in applying), default=None)
        latest = [said for said in applying if said.moment == newest]
        if not latest or any(said.statement.status not in _CLEARS for said in latest):
            return None
        return latest[0]

    def _applies(self, statement: Statement, finding: Finding) -> bool:
        packages = [_purl(text) for text in (finding.purl, *finding.other_purls)]
        return all(any(self._concerns(product, package) for product in statement.products) for package in packages)

    def _concerns(self, product: Product, package: Purl | None) -> bool:
        """Whether the product is the image or the package, and the package is among its subcomponents if it has any."""
        if not (self._image.is_named_by(product) or _names(product, package)):
            return False
        return not product.subcomponents or any(_names(each, package) for each in product.subcomponents)


def _names(component: Component, package: Purl | None) -> bool:
    return package is not None and any(purl.covers(package) for purl in _purls(component))


def _purls(component: Component) -> list[Purl]:
    """The package URLs of a component; other identifiers aren't compared."""
    texts = {component.iri, component.identifiers.get("purl", "")}
    return [purl for purl in map(_purl, texts) if purl is not None]


def _purl(text: str) -> Purl | None:
    try:
        return parse_purl(text)
    except ValueError:
        return None
