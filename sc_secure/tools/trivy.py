"""trivy, over the image itself: of a syft catalogue it loses matches.

Its exit codes and flags decide nothing. It looks at neither the age nor the state of its database: that is done here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from mmap import mmap
from pathlib import Path

from sc_secure.errors import InfrastructureError
from sc_secure.tools.bbolt import buckets
from sc_secure.tools.documents import Json, as_list, as_object, as_text, parse_object
from sc_secure.tools.environment import environment_for
from sc_secure.tools.process import MIB, Runner
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.scanner import SAMPLE_PROVIDER, Database, NoDatabase, Report, Target
from sc_secure.tools.text import printable
from sc_secure.tools.transient import classify, failure, with_retries

_CLOCK_SKEW = timedelta(minutes=5)
_MAX_REPORT = 1024 * MIB
_SCHEMA = 2
"""Of trivy's reports."""
_NO_DATA = frozenset({"data-source", "vulnerability", "trivy"})
"""Buckets of the database that say nothing of which versions of a package are affected."""
_UPDATE = "`trivy image --download-db-only` gets the current database"


class Trivy:
    """Runs trivy.

    Args:
        runner: runs programs.
        environ: our environment; `TRIVY_CACHE_DIR` says where its database is.
        temp: the run's private folder.
    """

    name = "trivy"
    uri = "pkg:github/aquasecurity/trivy"

    def __init__(self, runner: Runner, environ: Mapping[str, str], temp: Path) -> None:
        self._runner = runner
        self._environ = environ
        self._temp = temp

    def scan(self, target: Target, raw: Path) -> Report:
        """Scan the image: see `Scanner`."""
        # Files of our own: `trivy.yaml` and `.trivyignore` in the working directory could leave findings out.
        config, ignored = self._temp / "trivy.yaml", self._temp / "trivyignore"
        config.write_text("{}\n")
        ignored.write_text("")
        env = environment_for("trivy", self._environ, self._temp)
        argv = ["trivy", "image", "--quiet", "--config", str(config), "--ignorefile", str(ignored)]
        argv += ["--format", "json", "--scanners", "vuln", "--pkg-types", "os,library", "--image-src", "remote"]
        # The step has a time-out of its own. In memory: two runs at once can't have one cache of layers.
        argv += ["--timeout", "24h", "--cache-backend", "memory", "--offline-scan", "--skip-version-check"]
        argv += ["--disable-telemetry", str(target.image)]

        def run() -> None:
            done = self._runner.run(argv, env=env, stdout=raw, stdout_limit=_MAX_REPORT)
            if "goroutine " in done.stderr:
                read_database(_cache(env), now=datetime.now(UTC))
                message = f"trivy: crashed (exit code {done.code}), as it does over a broken vulnerability database"
                raise InfrastructureError(message, advice=_UPDATE)
            if done.code != 0:
                advice = _UPDATE if "DB" in done.stderr or "bbolt" in done.stderr else ""
                raise failure(classify(done.stderr), done.summary(), advice=advice)

        with_retries(run)
        database = read_database(_cache(env), now=datetime.now(UTC))
        from sc_secure.tools.elements import mapped  # noqa: PLC0415 - light start

        return parse_report(mapped(raw), target.image, database)

    def database(self) -> Database:
        """What a scan would compare with.

        Raises:
            InfrastructureError: see `read_database`.
        """
        return read_database(_cache(environment_for("trivy", self._environ, self._temp)), now=datetime.now(UTC))


def _cache(env: Mapping[str, str]) -> Path:
    """Where trivy keeps its database: what Go calls the user's cache folder, unless it is told."""
    if env.get("TRIVY_CACHE_DIR"):
        return Path(env["TRIVY_CACHE_DIR"])
    return Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME", "/"), ".cache"), "trivy")


def read_database(cache: Path, *, now: datetime) -> Database:
    """What trivy compared with: it says so nowhere in its report.

    Raises:
        InfrastructureError: there is none, or it is empty, broken or of the future.
    """
    folder = cache / "db"
    try:
        metadata = parse_object((folder / "metadata.json").read_bytes(), "trivy's metadata.json")
        built = datetime.fromisoformat(as_text(metadata["UpdatedAt"]).replace("Z", "+00:00")).astimezone(UTC)
        schema = str(metadata["Version"])
        data = [name for name in buckets(folder / "trivy.db") if name not in _NO_DATA]
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        detail = printable(getattr(error, "strerror", None) or str(error), limit=120)
        kind = NoDatabase if isinstance(error, FileNotFoundError) else InfrastructureError
        raise kind(f"trivy: its vulnerability database can't be read ({detail})", advice=_UPDATE) from None
    if not data:
        raise InfrastructureError("trivy: its vulnerability database is empty: it would find nothing", advice=_UPDATE)
    if built > now + _CLOCK_SKEW:
        raise InfrastructureError(
            f"trivy: its vulnerability database says it was built in the future ({built.isoformat()})",
            advice=f"check this machine's clock; {_UPDATE}",
        )
    providers = (SAMPLE_PROVIDER,) if SAMPLE_PROVIDER in data else ("trivy-db",)
    return Database(built, schema, providers)


def parse_report(content: bytes | mmap, image: ImageReference, database: Database) -> Report:
    """What trivy's JSON says (schema: `pkg/types/report.go` of the trivy module).

    Args:
        content: the JSON, of which a vulnerability at a time is held.
        image: what it has to be about.
        database: what trivy compared with.

    Raises:
        InfrastructureError: it isn't trivy's JSON, or not about this image.
    """
    from sc_secure.tools.elements import read_members  # noqa: PLC0415 - light start
    from sc_secure.tools.trivy_results import read_results  # noqa: PLC0415 - light start

    report = read_members(content, "trivy's report")
    try:
        found, packages = read_results(report.get("Results"), "Results")
        metadata = _metadata(report, image)
        version = as_text(as_object(report.get("Trivy") or {}).get("Version") or "")
        system = as_object(metadata.get("OS") or {})
        notes = ["the distribution gets no security updates any more"] if system.get("EOSL") is True else []
        notes += [] if packages else ["no package was recognised in the image"]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        detail = printable(str(error), limit=120)
        raise InfrastructureError(f"trivy: its report isn't what it should be ({detail})") from None
    return Report("trivy", version, database, found, ignored=(), notes=tuple(notes))


def _metadata(report: Json, image: ImageReference) -> Json:
    """What it says of the image, which is the one that was asked for."""
    if report["SchemaVersion"] != _SCHEMA:
        raise TypeError(f"its schema is {report['SchemaVersion']}, not {_SCHEMA}")
    metadata = as_object(report["Metadata"])
    digests = [as_text(each).partition("@")[2] for each in as_list(metadata["RepoDigests"])]
    if report["ArtifactType"] != "container_image" or image.digest not in digests:
        raise TypeError("it isn't about the image that was asked for")
    return metadata
