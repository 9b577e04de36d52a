"""What the checks work with: where we are, and what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sc_secure.context.credentials import NamedVariables
from sc_secure.policy.security import Scan, Security, Signing
from sc_secure.steps.doctor.finding import Findings
from sc_secure.tools.process import Runner
from sc_secure.tools.reference import Place


@dataclass(frozen=True)
class Situation:
    """One run of the checks. Each group has a runner of its own, so that it can be ended alone."""

    environ: Mapping[str, str]
    runner: Runner
    temp: Path
    """Private, and gone when the run ends."""
    security: Security | None = None
    """The policy that counts; None: none is named, and what any may need is looked at."""
    place: Place | None = None
    """The repository, or the registry as a whole, that is asked about."""
    named: NamedVariables | None = None
    """The variables that hold the registry's credentials, where they are named."""

    @property
    def signing(self) -> Signing | None:
        """How the policy signs; None: it doesn't, or there is none."""
        security = self.security
        return security.signing if security and security.enabled and security.signing.enabled else None

    @property
    def scan(self) -> Scan | None:
        """How the policy scans; None: it doesn't, or there is none."""
        security = self.security
        return security.scan if security and security.enabled and security.scan.enabled else None


Look = Callable[[Situation], Findings]
"""A group of checks; what it has found so far counts, if it has to be ended."""
