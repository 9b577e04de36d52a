"""The vulnerability databases of the scanners that are used: there, sound, not empty, and not too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sc_secure.errors import InfrastructureError, ScSecureError, ToolMissing
from sc_secure.policy.age import parse_age
from sc_secure.policy.limits import DEFAULT_TOOLS
from sc_secure.steps.canonical import rfc3339
from sc_secure.steps.doctor.finding import Finding, Findings, ok, wrong
from sc_secure.steps.doctor.situation import Situation
from sc_secure.steps.scanners import SCANNERS
from sc_secure.tools.scanner import SAMPLE_PROVIDER, NoDatabase

_OWN_LIMIT = {"grype": timedelta(hours=120)}
"""What a scanner refuses by itself when the policy says nothing. trivy takes any age."""
_AS_IT_IS = {
    "grype": ("GRYPE_DB_AUTO_UPDATE", ("false", "f", "0")),
    "trivy": ("TRIVY_SKIP_DB_UPDATE", ("true", "t", "1")),
}
"""The variable, and its values, with which a scan takes the database as it is; else it gets the newest one first."""
_UPDATES = {"grype": "`grype db update`", "trivy": "`trivy image --download-db-only`"}
_SAMPLE = "the sample database of make up: a few advisories, good for trying this out and for nothing else"


def look(situation: Situation) -> Findings:
    """The database of each scanner that the policy names, or of grype."""
    if situation.security and not situation.scan:
        return
    scan = situation.scan
    needs = {each.name: scan.required and each.required for each in scan.running} if scan else {}
    for name, needed in (needs or dict.fromkeys(DEFAULT_TOOLS, True)).items():
        yield from _look(name, situation, needed=needed)


def _look(name: str, situation: Situation, *, needed: bool) -> Findings:
    check = f"database.{name}"
    variable, values = _AS_IT_IS[name]
    downloads = situation.environ.get(variable, "").lower() not in values
    try:
        database = SCANNERS[name](situation.runner, situation.environ, situation.temp).database()
    except ToolMissing:
        return  # its own line says so
    except NoDatabase as error:
        yield _outdated(check, error, needed=needed, downloads=downloads)
        return
    except ScSecureError as error:
        yield wrong(check, error, needed=needed)
        return
    age = datetime.now(UTC) - database.built
    asked = situation.scan.max_database_age if situation.scan else None
    limit = parse_age(asked) if asked else _OWN_LIMIT.get(name)
    built = f"built {rfc3339(database.built)}, {_words(age)} ago"
    if limit and age > limit:
        allowed = f"scan.maxDatabaseAge is {asked}" if asked else f"{name} takes {_words(limit)}"
        old = InfrastructureError(f"{built}; {allowed}", advice=f"get the current one: {_UPDATES[name]}")
        yield _outdated(check, old, needed=needed, downloads=downloads)
    elif SAMPLE_PROVIDER in database.providers:
        yield wrong(check, InfrastructureError(f"{built}: {_SAMPLE}", advice=_UPDATES[name]), needed=False)
    else:
        yield ok(check, built)


def _outdated(check: str, error: ScSecureError, *, needed: bool, downloads: bool) -> Finding:
    if downloads:
        return wrong(check, error, needed=False, detail=f"{error.message}; a scan downloads the current one first")
    return wrong(check, error, needed=needed)


def _words(age: timedelta) -> str:
    hours = max(0, int(age.total_seconds() // 3600))
    return f"{hours} h" if hours < 72 else f"{hours // 24} days"  # noqa: PLR2004 - three days
