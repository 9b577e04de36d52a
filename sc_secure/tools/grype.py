"""grype, over a syft catalogue.

Its exit codes and flags decide nothing, and its database is looked at before its findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.policy.decision import Finding
from sc_secure.policy.severity import Severity
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.environment import environment_for
from sc_secure.tools.process import MIB, Runner
from sc_secure.tools.scanner import Database, Report
from sc_secure.tools.text import printable
from sc_secure.tools.transient import classify, failure, with_retries

_CLOCK_SKEW = timedelta(minutes=5)
_MAX_REPORT = 1024 * MIB
_UPDATE = "`grype db update` gets the current database"


class Grype:
    """Runs grype.

    Args:
        runner: runs programs.
        environ: our environment; `GRYPE_DB_*` says where its database is.
        temp: the run's private folder.
    """

    name = "grype"

    def __init__(self, runner: Runner, environ: Mapping[str, str], temp: Path) -> None:
        self._runner = runner
        self._environ = environ
        self._temp = temp

    def scan(self, sbom: Path, raw: Path) -> Report:
        """Scan a syft-json catalogue: see `Scanner`."""
        # A configuration of our own: a `.grype.yaml` in the working directory could ignore findings.
        config = self._temp / "grype.yaml"
        config.write_text("check-for-app-update: false\n")
        argv = ["grype", f"sbom:{sbom}", "--config", str(config), "--output", "json"]
        env = environment_for(
            "grype", self._environ, self._temp, GRYPE_CHECK_FOR_APP_UPDATE="false", GRYPE_TIMESTAMP="false"
        )

        def run() -> None:
            done = self._runner.run(argv, env=env, stdout=raw, stdout_limit=_MAX_REPORT)
            if done.code != 0:
                advice = _UPDATE if "database" in done.stderr or "db" in done.stderr else ""
                raise failure(classify(done.stderr), done.summary(), advice=advice)

        with_retries(run)
        return parse_report(raw.read_bytes(), now=datetime.now(UTC))


def parse_report(content: bytes, *, now: datetime) -> Report:
    """What grype's JSON says (schema: `grype/presenter/models` of the grype module).

    Raises:
        InfrastructureError: it isn't grype's JSON, or its database is empty, invalid or of the future.
    """
    try:
        report = parse_object(content, "grype's report")
        descriptor = _mapping(report["descriptor"])
        database = _database(_mapping(descriptor["db"]), now)
        findings = {_finding(_mapping(match)) for match in _list(report["matches"])}
        ignored = {_finding(_mapping(match)) for match in _list(report.get("ignoredMatches") or [])}
        version = _text(descriptor["version"])
    except (ValueError, KeyError, TypeError) as error:
        detail = printable(str(error), limit=120)
        raise InfrastructureError(f"grype: its report isn't what it should be ({detail})") from None
    return Report("grype", version, database, _sorted(findings), _sorted(ignored))


def _database(db: Json, now: datetime) -> Database:
    status = _mapping(db["status"])
    providers = _mapping(db.get("providers") or {})
    if status.get("valid") is not True:
        raise InfrastructureError("grype: its vulnerability database isn't valid", advice=_UPDATE)
    if not providers:
        raise InfrastructureError("grype: its vulnerability database is empty: it would find nothing", advice=_UPDATE)
    built = datetime.fromisoformat(_text(status["built"]).replace("Z", "+00:00"))
    if built.tzinfo is None:
        built = built.replace(tzinfo=UTC)
    if built > now + _CLOCK_SKEW:
        raise InfrastructureError(
            f"grype: its vulnerability database says it was built in the future ({built.isoformat()})",
            advice=f"check this machine's clock; {_UPDATE}",
        )
    return Database(built.astimezone(UTC), _text(status.get("schemaVersion") or ""), tuple(sorted(providers)))


def _finding(match: Json) -> Finding:
    vulnerability, artifact = _mapping(match["vulnerability"]), _mapping(match["artifact"])
    name = _text(vulnerability["id"])
    related = (_text(_mapping(each)["id"]) for each in _list(match.get("relatedVulnerabilities") or []))
    fix = _mapping(vulnerability.get("fix") or {})
    fixed = [_text(each) for each in _list(fix.get("versions") or [])]
    return Finding(
        id=name,
        severity=Severity.parse(_text(vulnerability.get("severity") or "")),
        package=_text(artifact["name"]),
        version=_text(artifact["version"]),
        kind=_text(artifact.get("type") or ""),
        aliases=tuple(sorted({each for each in related if each != name})),
        fixed_in=tuple(fixed) if fix.get("state") == "fixed" or fixed else (),
        purl=_text(artifact.get("purl") or ""),
        url=_text(vulnerability.get("dataSource") or ""),
    )


def _sorted(findings: set[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda each: each.order))


def _mapping(value: object) -> Json:
    if not isinstance(value, dict):
        raise TypeError("an object is missing")
    return cast("Json", value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list is missing")
    return cast("list[object]", value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is missing")
    return value
