"""The docker engine."""

from __future__ import annotations

from sc_secure.errors import ScSecureError
from sc_secure.steps.doctor.finding import Findings, ok, wrong
from sc_secure.steps.doctor.situation import Situation
from sc_secure.tools.docker import engine


def look(situation: Situation) -> Findings:
    """Whether one answers. Only who builds an image needs it: what is in a registry is secured without."""
    try:
        found = engine(situation.runner, situation.environ, situation.temp)
        yield ok("engine", f"docker {found.version} at {found.address}")
    except ScSecureError as error:
        yield wrong("engine", error, needed=False, detail=f"{error.message}; only building an image needs it")
