"""What every vulnerability scanner is to a step. A new one is one file with this interface."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sc_secure.policy.decision import Finding

SAMPLE_PROVIDER = "sc-secure-sample"
"""The provider that marks the small database which this project makes where the real one is out of reach."""


@dataclass(frozen=True)
class Database:
    """What the scanner compared with."""

    built: datetime
    schema: str
    providers: tuple[str, ...]
    """Sorted."""


@dataclass(frozen=True)
class Report:
    """What a scanner found."""

    scanner: str
    version: str
    database: Database
    findings: tuple[Finding, ...]
    """Sorted, without duplicates."""
    ignored: tuple[Finding, ...]
    """Left out by the scanner itself."""


class Scanner(Protocol):
    """Finds vulnerabilities in a catalogue."""

    name: str
    """The program's name, as in the tool table."""

    def scan(self, sbom: Path, raw: Path) -> Report:
        """Scan a syft-json catalogue.

        Args:
            sbom: the catalogue.
            raw: where the scanner's own report goes.

        Raises:
            InfrastructureError: the scanner failed, or its database is empty, invalid or of the future.
        """
        ...
