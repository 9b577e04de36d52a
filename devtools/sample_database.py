"""A small grype database of real advisories, for machines that can't reach the real one.

Made with nothing but SQLite, in the schema of grype's `db/v6`, from `advisories.json` beside this file. Every scan with
it can be told by its provider, `sc-secure-sample`. Its build time is the real one, and grype refuses it after five days
like any other database, so it is made anew after four.

    python3 -m devtools.sample_database sample.db            makes one
    python3 -m devtools.sample_database --import-into DIR    makes one and imports it: GRYPE_DB_CACHE_DIR=DIR grype …
"""

import argparse
import hashlib
import json
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from devtools.console import SetupError, run_main, say

PROVIDER = "sc-secure-sample"
"""The database's only provider: a scan result that names it was made with this database."""

SCHEMA = (6, 1, 10)
"""The version of grype's database schema that the tables below follow."""

MAXIMUM_AGE = timedelta(days=4)
"""After this it is made anew; grype itself refuses one older than 120 hours."""

ADVISORIES = Path(__file__).with_name("advisories.json")

_SQL = Path(__file__).with_name("sample_database.sql")

_VERSION_TYPES = {"python": "python", "npm": "semver", "deb": "dpkg"}
"""How grype compares versions of an ecosystem; also the list of ecosystems understood here."""

_OPERATING_SYSTEMS = {"debian:12": ("debian", "12", "bookworm")}


def advisories() -> list[dict[str, Any]]:
    """The advisories that the database holds, as `advisories.json` has them."""
    return json.loads(ADVISORIES.read_text())["advisories"]


def build(path: Path, built: datetime | None = None) -> None:
    """Makes the database as a file, replacing one that is there.

    Args:
        path: where. `grype db import` wants a name that ends in `.db`.
        built: the build time to record; now, if not given. Another one is for tests of what an old database does.
    """
    moment = built or datetime.now(UTC)
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.executescript(_SQL.read_text())
            _Writer(connection, moment).write()
    finally:
        connection.close()


def fresh(cache_dir: Path, now: datetime | None = None) -> bool:
    """Whether grype's cache folder holds this database, from these advisories, and young enough."""
    imported = cache_dir / str(SCHEMA[0]) / "vulnerability.db"
    if not imported.is_file():
        return False
    try:
        connection = sqlite3.connect(f"{imported.as_uri()}?mode=ro", uri=True)
        try:
            (built,) = connection.execute("SELECT build_timestamp FROM db_metadata").fetchone()
            digest = connection.execute("SELECT input_digest FROM providers WHERE id = ?", (PROVIDER,)).fetchone()
        finally:
            connection.close()
        age = (now or datetime.now(UTC)) - datetime.fromisoformat(built)
    except (sqlite3.Error, TypeError, ValueError):
        return False
    return digest == (_input_digest(),) and timedelta(0) <= age < MAXIMUM_AGE


def import_into(grype: str | Path, cache_dir: Path, env: Mapping[str, str] | None = None) -> None:
    """Makes the database and has grype import it, checksum and indexes included.

    Args:
        grype: the program.
        cache_dir: the folder that GRYPE_DB_CACHE_DIR will name. Not the user's own: a real database there would go.
        env: the environment to run grype in.

    Raises:
        SetupError: grype refused it.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    environment = {
        **(os.environ if env is None else env),
        "GRYPE_DB_CACHE_DIR": str(cache_dir),
        "GRYPE_DB_AUTO_UPDATE": "false",
        "GRYPE_CHECK_FOR_APP_UPDATE": "false",
    }
    with tempfile.TemporaryDirectory(prefix="sc-secure-") as scratch:
        database = Path(scratch) / "sample.db"
        build(database)
        command = [str(grype), "db", "import", str(database)]
        try:
            done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=120)
        except FileNotFoundError as error:
            raise SetupError(f"{grype} isn't there: run `make tools` first.") from error
        except subprocess.TimeoutExpired as error:
            raise SetupError("`grype db import` took over two minutes; try again.") from error
    if done.returncode != 0:
        raise SetupError(
            f"grype refused the sample database:\n{done.stderr.strip()[-2000:]}\n"
            f"It is made for schema {'.'.join(map(str, SCHEMA))}: `make tools` builds the grype that reads it."
        )


class _Writer:
    """Writes the rows. Names of tables and columns are grype's."""

    def __init__(self, connection: sqlite3.Connection, built: datetime) -> None:
        self._connection = connection
        self._built = _timestamp(built)
        self._packages: dict[tuple[str, str], int] = {}
        self._systems: dict[str, int] = {}

    def write(self) -> None:
        """Everything."""
        model, revision, addition = SCHEMA
        self._insert("db_metadata", build_timestamp=self._built, model=model, revision=revision, addition=addition)
        self._insert(
            "providers",
            id=PROVIDER,
            version="1",
            processor="sc-secure",
            date_captured=self._built,
            input_digest=_input_digest(),
        )
        for advisory in advisories():
            self._advisory(advisory)

    def _advisory(self, advisory: dict[str, Any]) -> None:
        cve = advisory.get("cve")
        vulnerability = self._insert(
            "vulnerability_handles",
            name=advisory["id"],
            status="active",
            published_date=_day(advisory["published"]),
            modified_date=_day(advisory["modified"]),
            provider_id=PROVIDER,
            blob_id=self._blob(_vulnerability(advisory)),
        )
        if cve:
            self._insert("vulnerability_aliases", name=advisory["id"], alias=cve)
        for weakness in advisory.get("cwes", []):
            self._insert("cwe_handles", cve=cve or advisory["id"], cwe=weakness, source=PROVIDER, type="Primary")
        for package in advisory["packages"]:
            self._insert(
                "affected_package_handles",
                vulnerability_id=vulnerability,
                operating_system_id=self._system(package.get("os")),
                package_id=self._package(package["ecosystem"], package["name"]),
                blob_id=self._blob(_package(package, cve or advisory["id"], advisory)),
            )

    def _package(self, ecosystem: str, name: str) -> int:
        key = (ecosystem, name)
        if key not in self._packages:
            self._packages[key] = self._insert("packages", ecosystem=ecosystem, name=name)
        return self._packages[key]

    def _system(self, name: str | None) -> int | None:
        if name is None:
            return None
        if name not in self._systems:
            family, major, codename = _OPERATING_SYSTEMS[name]
            # Unset parts are empty strings: grype compares them, and NULL is equal to nothing.
            self._systems[name] = self._insert(
                "operating_systems",
                name=family,
                release_id=family,
                major_version=major,
                minor_version="",
                label_version="",
                codename=codename,
                channel="",
            )
        return self._systems[name]

    def _blob(self, value: dict[str, Any]) -> int:
        return self._insert("blobs", value=json.dumps(value, separators=(",", ":")))

    def _insert(self, table: str, **values: Any) -> int:
        columns = ", ".join(values)
        marks = ", ".join("?" * len(values))
        # Only this file's own names get into the text; values are bound.
        statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - see above
        return self._connection.execute(statement, tuple(values.values())).lastrowid or 0


def _vulnerability(advisory: dict[str, Any]) -> dict[str, Any]:
    """The advisory itself. Its rating comes first: grype takes the first as the severity."""
    severities: list[dict[str, Any]] = [
        {"scheme": "CHML", "value": advisory["severity"], "rank": 1},
    ]
    if vector := advisory.get("cvss"):
        version = vector.partition("/")[0].removeprefix("CVSS:")
        severities.append({"scheme": "CVSS", "value": {"vector": vector, "version": version}, "rank": 2})
    return {
        "id": advisory["id"],
        "description": advisory["summary"],
        "refs": [{"url": advisory["source"]}],
        "aliases": [advisory["cve"]] if "cve" in advisory else [],
        "severities": severities,
    }


def _package(package: dict[str, Any], cve: str, advisory: dict[str, Any]) -> dict[str, Any]:
    """What is known of the advisory for one package: the affected ranges, each with its fix."""
    reference = {"url": advisory["source"], "id": advisory.get("advisory", advisory["id"]), "tags": ["advisory"]}
    kind = _VERSION_TYPES[package["ecosystem"]]
    ranges: list[dict[str, Any]] = []
    for entry in package["ranges"]:
        fix: dict[str, Any] = {"state": "not-fixed"}
        if "fix" in entry:
            fix = {"version": entry["fix"], "state": "fixed", "detail": {"references": [reference]}}
        ranges.append({"version": {"type": kind, "constraint": entry["versions"]}, "fix": fix})
    return {"cves": [cve], "ranges": ranges}


def _input_digest() -> str:
    return f"sha256:{hashlib.sha256(ADVISORIES.read_bytes() + _SQL.read_bytes()).hexdigest()}"


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+00:00")


def _day(date: str) -> str:
    return f"{date} 00:00:00+00:00"


def main() -> None:
    """The command line."""
    title = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python3 -m devtools.sample_database", description=title)
    parser.add_argument("path", nargs="?", type=Path, help="where to write the database (ends in .db)")
    parser.add_argument("--import-into", type=Path, metavar="DIR", help="import it into this grype cache folder")
    parser.add_argument("--grype", default="grype", help="the grype program")
    given = parser.parse_args()
    if given.path is None and given.import_into is None:
        parser.error("say where: a file name, or --import-into DIR")
    if given.path is not None:
        build(given.path)
        say(f"{given.path}: {len(advisories())} real advisories, provider {PROVIDER}")
    if given.import_into is not None:
        import_into(given.grype, given.import_into)
        say(f"imported; use it with GRYPE_DB_CACHE_DIR={given.import_into} GRYPE_DB_AUTO_UPDATE=false")


if __name__ == "__main__":
    run_main(main)
