"""What every vulnerability scanner is to a step. A new one is one file with this interface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sc_secure.errors import InfrastructureError
from sc_secure.policy.finding import Finding
from sc_secure.tools.reference import ImageReference

SAMPLE_PROVIDER = "sc-secure-sample"
"""The provider that marks the small database which this project makes where the real one is out of reach."""


class NoDatabase(InfrastructureError):
    """The scanner has no vulnerability database yet."""


@dataclass(frozen=True)
class Target:
    """What is scanned, and how."""

    image: ImageReference
    catalogue: Callable[[], Path]
    """Gives the image's syft-json catalogue, which is made if it is missing."""
    max_database_age: str | None = None
    """How old the database may be, as `120h` or `5d`, which the step checks; None: what the scanner allows."""


@dataclass(frozen=True)
class Database:
    """What the scanner compared with."""

    built: datetime
    schema: str
    providers: tuple[str, ...]
    """Sorted."""
    kev: bool = False
    """It knows which vulnerabilities are in CISA's KEV catalogue."""
    epss: bool = False
    """It has EPSS probabilities."""


@dataclass(frozen=True)
class Report:
    """What a scanner found."""

    scanner: str
    version: str
    database: Database
    findings: tuple[Finding, ...]
    """In the scanner's order, without duplicates."""
    ignored: tuple[Finding, ...]
    """Left out by the scanner itself."""
    notes: tuple[str, ...] = ()
    """Why it may have seen less than there is."""


class Scanner(Protocol):
    """Finds vulnerabilities in an image."""

    name: str
    """The program's name, as in the tool table."""
    uri: str
    """Where it comes from, as a package URL without a version."""

    def scan(self, target: Target, raw: Path) -> Report:
        """Scan it, or its catalogue.

        Args:
            target: what to scan.
            raw: where the scanner's own report goes.

        Raises:
            InfrastructureError: the scanner failed, or its database is empty, invalid or of the future.
        """
        ...

    def database(self) -> Database:
        """What a scan would compare with. Nothing is downloaded for it, and its age isn't judged.

        Raises:
            InfrastructureError: there is none, or it is empty, invalid or of the future.
            ToolMissing: the scanner isn't there.
        """
        ...
