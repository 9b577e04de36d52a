"""The kinds of documents that are attached to an image: their names at each place, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from sc_secure.errors import ConfigError


@dataclass(frozen=True)
class SbomFormat:
    """A catalogue's format."""

    name: str
    """Ours, and syft's: `cyclonedx-json`."""
    file: str
    """The document's name in the image's folder."""
    media_type: str
    attestation: str
    """The short name that `image verify --attestation` takes."""


SYFT = SbomFormat("syft-json", "sbom.syft.json", "application/vnd.syft+json", "syft")
CYCLONEDX = SbomFormat("cyclonedx-json", "sbom.cyclonedx.json", "application/vnd.cyclonedx+json", "cyclonedx")
SPDX = SbomFormat("spdx-json", "sbom.spdx.json", "application/spdx+json", "spdx")
SBOM_FORMATS = {each.name: each for each in (CYCLONEDX, SPDX, SYFT)}


@dataclass(frozen=True)
class PredicateType:
    """What an attestation says."""

    name: str
    """The short name on our command line."""
    uri: str
    """In the in-toto statement."""
    cosign: str
    """What `cosign attest --type` takes; `spdx` there would make the document a string."""


PREDICATES = {
    each.name: each
    for each in (
        PredicateType("cyclonedx", "https://cyclonedx.org/bom", "cyclonedx"),
        PredicateType("spdx", "https://spdx.dev/Document", "spdxjson"),
        PredicateType("syft", "https://syft.dev/bom", "https://syft.dev/bom"),
        PredicateType("slsaprovenance1", "https://slsa.dev/provenance/v1", "slsaprovenance1"),
        PredicateType("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1", "vuln"),
    )
}


def sbom_format(name: str) -> SbomFormat:
    """The format of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in SBOM_FORMATS:
        raise ConfigError(f"--format {name}: unknown", advice=f"known: {', '.join(SBOM_FORMATS)}")
    return SBOM_FORMATS[name]
