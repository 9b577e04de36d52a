"""The sample database, read by the real grype from catalogues that the real syft made of package metadata."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devtools import sample_database

OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nNAME="Debian GNU/Linux"\n'


@dataclass(frozen=True)
class Case:
    advisory: dict[str, Any]
    package: dict[str, Any]

    @property
    def id(self) -> str:
        return self.advisory["id"]


CASES = [Case(advisory, package) for advisory in sample_database.advisories() for package in advisory["packages"]]


@dataclass(frozen=True)
class Machine:
    """Runs syft and grype with one database."""

    env: dict[str, str]

    def scan(self, tree: Path, catalogue: str) -> dict[str, Any]:
        bom = tree.with_suffix(f".{catalogue}")
        # The catalogers that syft uses on an image: on a folder it reads lock files in place of installed packages.
        image = ("--override-default-catalogers", "image")
        self._run("syft", "--quiet", *image, str(tree), "--output", f"{catalogue}={bom}")
        return json.loads(self._run("grype", "--quiet", str(bom), "--output", "json"))

    def _run(self, *command: str) -> str:
        return subprocess.run(command, env=self.env, check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.fixture(scope="session")
def machine(tools_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("sample-database")
    sample_database.import_into("grype", folder, tools_env)
    yield Machine(
        {
            **tools_env,
            "GRYPE_DB_CACHE_DIR": str(folder),
            "GRYPE_DB_AUTO_UPDATE": "false",
            "GRYPE_CHECK_FOR_APP_UPDATE": "false",
            "SYFT_CHECK_FOR_APP_UPDATE": "false",
        }
    )


def install(root: Path, package: dict[str, Any], version: str) -> None:
    """Puts the metadata of an installed package into a root file system."""
    name, ecosystem = package["name"], package["ecosystem"]
    if ecosystem == "python":
        folder = root / f"usr/lib/python3/dist-packages-{version}/{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    elif ecosystem == "npm":
        folder = root / f"srv/{version}/node_modules/{name}"
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps({"name": name, "version": version, "license": "MIT"}))
    else:
        (root / "etc").mkdir(exist_ok=True)
        (root / "etc/os-release").write_text(OS_RELEASE)
        status = root / "var/lib/dpkg/status"
        status.parent.mkdir(parents=True, exist_ok=True)
        # The binary package has another name: the database knows source packages.
        entry = f"Package: {name}-bin\nSource: {name}\nVersion: {version}\nArchitecture: amd64\n"
        with status.open("a") as file:
            file.write(f"{entry}Status: install ok installed\nMaintainer: nobody\nDescription: test\n\n")


def found(report: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (match["vulnerability"]["id"], match["vulnerability"]["severity"].lower(), match["artifact"]["version"])
        for match in report["matches"]
    }


@pytest.mark.parametrize("catalogue", ["syft-json", "cyclonedx-json"])
def test_every_advisory_matches_its_affected_versions_and_no_other(
    machine: Machine, tmp_path: Path, catalogue: str
) -> None:
    expected: set[tuple[str, str, str]] = set()
    root = tmp_path / "root"
    root.mkdir()
    for case in CASES:
        for version in case.package["affected"]:
            install(root, case.package, version)
            expected.add((case.id, case.advisory["severity"], version))
        for version in case.package["fixed"]:
            install(root, case.package, version)
    report = machine.scan(root, catalogue)
    assert found(report) == expected
    # Both of lodash and lodash-es, which the set above doesn't tell apart.
    names = {match["artifact"]["name"] for match in report["matches"]}
    assert names == {
        f"{case.package['name']}-bin" if case.package["ecosystem"] == "deb" else case.package["name"] for case in CASES
    }


def test_a_scan_says_that_it_used_the_sample(machine: Machine, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    install(root, {"name": "sqlparse", "ecosystem": "python"}, "0.4.4")
    report = machine.scan(root, "cyclonedx-json")
    database = report["descriptor"]["db"]
    assert set(database["providers"]) == {sample_database.PROVIDER}
    assert database["status"]["valid"] is True
    age = datetime.now(UTC) - datetime.fromisoformat(database["status"]["built"])
    assert timedelta(0) <= age < timedelta(minutes=10)
    [match] = report["matches"]
    assert match["vulnerability"]["fix"] == {"versions": ["0.5.0"], "state": "fixed"}
    assert "CVE-2024-4340" in {related["id"] for related in match["relatedVulnerabilities"]}
    assert match["vulnerability"]["dataSource"] == "https://github.com/advisories/GHSA-2m57-hf25-phgg"


def test_one_without_a_fix(machine: Machine, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    install(root, {"name": "ecdsa", "ecosystem": "python"}, "0.18.0")
    matches = {m["vulnerability"]["id"]: m["vulnerability"] for m in machine.scan(root, "syft-json")["matches"]}
    assert matches["GHSA-wj6h-64fc-37mp"]["fix"] == {"versions": [], "state": "not-fixed"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.id}-{case.package['name']}")
def test_an_advisory_is_complete_and_names_its_source(case: Case) -> None:
    advisory, package = case.advisory, case.package
    assert advisory["severity"] in {"critical", "high", "medium", "low"}
    assert advisory["source"].startswith(("https://github.com/advisories/", "https://security-tracker.debian.org/"))
    assert advisory["source"].endswith(advisory["id"])
    assert package["affected"]
    assert bool(package["fixed"]) == all("fix" in entry for entry in package["ranges"])


def test_it_is_fresh_for_four_days_and_only_with_the_same_advisories(
    tools_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not sample_database.fresh(tmp_path)
    sample_database.import_into("grype", tmp_path, tools_env)
    now = datetime.now(UTC)
    assert sample_database.fresh(tmp_path)
    assert sample_database.fresh(tmp_path, now + timedelta(days=3, hours=23))
    assert not sample_database.fresh(tmp_path, now + timedelta(days=4, hours=1))
    assert not sample_database.fresh(tmp_path, now - timedelta(hours=1)), "one from the future is refused"
    other = tmp_path / "advisories.json"
    other.write_text(sample_database.ADVISORIES.read_text().replace("0.5.0", "0.5.1"))
    monkeypatch.setattr(sample_database, "ADVISORIES", other)
    assert not sample_database.fresh(tmp_path)


def test_the_build_time_can_be_given_and_an_old_database_is_refused_by_grype(machine: Machine, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    sample_database.build(old, datetime.now(UTC) - timedelta(days=6))
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT count(*) FROM db_metadata").fetchone() == (1,)
    env = {**machine.env, "GRYPE_DB_CACHE_DIR": str(tmp_path / "cache")}
    subprocess.run(["grype", "db", "import", str(old)], env=env, check=True, capture_output=True, timeout=60)
    status = subprocess.run(["grype", "db", "status"], env=env, check=False, capture_output=True, text=True, timeout=60)
    assert status.returncode != 0
    assert "max allowed age" in status.stdout + status.stderr
