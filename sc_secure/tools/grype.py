"""grype, over a syft catalogue.

Its exit codes and flags decide nothing, and its database is looked at before its findings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from mmap import mmap
from pathlib import Path
from typing import cast

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import Json, as_list, as_object, as_text, parse_object
from sc_secure.tools.environment import environment_for
from sc_secure.tools.once import lately
from sc_secure.tools.process import MIB, Runner
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.scanner import Database, NoDatabase, Report, Target
from sc_secure.tools.text import printable
from sc_secure.tools.transient import classify, failure, with_retries

_CLOCK_SKEW = timedelta(minutes=5)
_MAX_REPORT = 1024 * MIB
_OFF = frozenset({"false", "f", "0"})
_ASK_AGAIN = 60.0
"""Seconds until a scan asks for a newer database again."""
_UPDATE = "`grype db update` gets the current database"


class Grype:
    """Runs grype.

    Args:
        runner: runs programs.
        environ: our environment; `GRYPE_DB_*` says where its database is.
        temp: the run's private folder.
    """

    name = "grype"
    uri = "pkg:github/anchore/grype"

    def __init__(self, runner: Runner, environ: Mapping[str, str], temp: Path) -> None:
        self._runner = runner
        self._environ = environ
        self._temp = temp

    def scan(self, target: Target, raw: Path) -> Report:
        """Scan the image's catalogue: see `Scanner`."""
        # A configuration of our own: a `.grype.yaml` in the working directory could ignore findings.
        config = self._temp / "grype.yaml"
        config.write_text("check-for-app-update: false\n")
        argv = ["grype", f"sbom:{target.catalogue()}", "--config", str(config), "--output", "json"]
        extra = {"GRYPE_CHECK_FOR_APP_UPDATE": "false", "GRYPE_TIMESTAMP": "false"}
        if target.max_database_age is not None:
            # Ours is checked in its place: it may allow more, and its error names the policy's item.
            extra["GRYPE_DB_VALIDATE_AGE"] = "false"
        env = environment_for("grype", self._environ, self._temp, **extra)
        if self._updated(config, env):
            env["GRYPE_DB_AUTO_UPDATE"] = "false"

        def run() -> None:
            done = self._runner.run(argv, env=env, stdout=raw, stdout_limit=_MAX_REPORT)
            if done.code != 0:
                advice = _UPDATE if "database" in done.stderr or "db" in done.stderr else ""
                raise failure(classify(done.stderr), done.summary(), advice=advice)

        with_retries(run)
        from sc_secure.tools.elements import mapped  # noqa: PLC0415 - light start

        return parse_report(mapped(raw), now=datetime.now(UTC), image=target.image)

    def database(self) -> Database:
        """What a scan would compare with. Its age isn't judged, and nothing is downloaded.

        Raises:
            InfrastructureError: there is none, or it is empty, invalid or of the future.
            ToolMissing: there is no grype.
        """
        config = self._temp / "grype-database.yaml"
        config.write_text("check-for-app-update: false\n")
        off = dict.fromkeys(("GRYPE_CHECK_FOR_APP_UPDATE", "GRYPE_DB_AUTO_UPDATE", "GRYPE_DB_VALIDATE_AGE"), "false")
        env = environment_for("grype", self._environ, self._temp, **off)

        def ask(what: str) -> bytes:
            argv = ["grype", "db", what, "--config", str(config), "--output", "json"]
            return self._runner.run(argv, env=env, stdout_limit=MIB).stdout

        try:
            status = parse_object(ask("status"), "grype's database status")
            if status.get("valid") is not True:
                why = printable(as_text(status.get("error") or "it isn't valid"), limit=200)
                kind = NoDatabase if "does not exist" in why else InfrastructureError
                raise kind(f"grype: its vulnerability database can't be used: {why}", advice=_UPDATE)
            listed = as_list(json.loads(ask("providers")) or [])
            names: Json = {as_text(as_object(each)["name"]): None for each in listed}
            return _database({"status": status, "providers": names}, datetime.now(UTC))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            detail = printable(str(error), limit=120)
            raise InfrastructureError(f"grype: its database's status isn't what it should be ({detail})") from None

    def _updated(self, config: Path, env: Mapping[str, str]) -> bool:
        """Whether the database is as new as it gets: one run asks for all that scan at about the same time.

        Each would load the same database into the same folder. Where that one can't tell, each scan asks for itself.
        """
        if env.get("GRYPE_DB_AUTO_UPDATE", "true").lower() in _OFF:
            return False
        folder = env.get("GRYPE_DB_CACHE_DIR") or env.get("XDG_CACHE_HOME") or env.get("HOME", "")
        argv = ["grype", "db", "update", "--config", str(config)]
        try:
            return lately(
                self._environ,
                "grype-database",
                f"{folder} {env.get('GRYPE_DB_UPDATE_URL', '')}",
                _ASK_AGAIN,
                lambda: self._runner.run(argv, env=env).code == 0,
            )
        except OSError:  # a cache that can't be written costs time, nothing else
            return False


def parse_report(content: bytes | mmap, *, now: datetime, image: ImageReference | None = None) -> Report:
    """What grype's JSON says (schema: `grype/presenter/models` of the grype module).

    Args:
        content: the JSON, of which a match at a time is held.
        now: the time.
        image: what it has to be about; None: anything.

    Raises:
        InfrastructureError: it isn't grype's JSON, it is about another image, or its database is empty, invalid or of
            the future.
    """
    from sc_secure.tools.elements import read_members  # noqa: PLC0415 - light start
    from sc_secure.tools.grype_matches import read_matches  # noqa: PLC0415 - light start

    report = read_members(content, "grype's report")
    try:
        as_list(report["matches"])
        findings = read_matches(report["matches"], "matches")
        ignored = read_matches(report.get("ignoredMatches"), "ignoredMatches")
        descriptor = as_object(report["descriptor"])
        database = _database(as_object(descriptor["db"]), now)
        version = as_text(descriptor["version"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        detail = printable(str(error), limit=120)
        raise InfrastructureError(f"grype: its report isn't what it should be ({detail})") from None
    if image:
        _check_subject(report, image)
    return Report("grype", version, database, findings, ignored)


def _check_subject(report: Json, image: ImageReference) -> None:
    """Refuses a report about another image: grype says whose catalogue it has read.

    Raises:
        InfrastructureError: it is, or it names none.
    """
    source = report.get("source")
    target = cast("Json", source).get("target") if isinstance(source, dict) else None
    said = cast("Json", target) if isinstance(target, dict) else {}
    named = said.get("repoDigests")
    every = [said.get("userInput"), *(cast("list[object]", named) if isinstance(named, list) else [])]
    digests = [text.rpartition("@")[2] for text in every if isinstance(text, str)]
    if image.digest not in (said.get("manifestDigest"), *digests):
        raise InfrastructureError(f"grype: its report isn't about {image.digest}", advice="try again")


def _database(db: Json, now: datetime) -> Database:
    status = as_object(db["status"])
    providers = as_object(db.get("providers") or {})
    if status.get("valid") is not True:
        raise InfrastructureError("grype: its vulnerability database isn't valid", advice=_UPDATE)
    if not providers:
        raise InfrastructureError("grype: its vulnerability database is empty: it would find nothing", advice=_UPDATE)
    built = datetime.fromisoformat(as_text(status["built"]).replace("Z", "+00:00"))
    if built.tzinfo is None:
        built = built.replace(tzinfo=UTC)
    if built > now + _CLOCK_SKEW:
        raise InfrastructureError(
            f"grype: its vulnerability database says it was built in the future ({built.isoformat()})",
            advice=f"check this machine's clock; {_UPDATE}",
        )
    schema = as_text(status.get("schemaVersion") or "")
    # Where their data is missing, grype says nothing, as for a vulnerability that isn't listed; the providers tell.
    kev, epss = "kev" in providers, "epss" in providers
    return Database(built.astimezone(UTC), schema, tuple(sorted(providers)), kev=kev, epss=epss)
