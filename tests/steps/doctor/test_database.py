"""The vulnerability database, as the real grype has it."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests import trivy_database
from tests.command_line import CommandLine
from tests.steps.doctor.looked import rows
from tests.vulnerability_database import Change, emptied, import_changed

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("changes", "age", "status", "said"),
    [
        ((), HOUR, "warning", "sample database"),
        ((), 119 * HOUR, "warning", "sample database"),
        ((), 121 * HOUR, "failed", "5 days"),
        ((emptied,), HOUR, "failed", "empty"),
        ((), -72 * HOUR, "failed", "future"),
    ],
)
def test_a_database(
    *,
    sc: CommandLine,
    tools_env: dict[str, str],
    tmp_path: Path,
    changes: tuple[Change, ...],
    age: timedelta,
    status: str,
    said: str,
) -> None:
    cache = import_changed(tools_env, tmp_path, *changes, age=age)
    done = sc("doctor --output json", **cache)
    found = rows(done)["database.grype"]
    assert (found["status"], done.code) == (status, 6 if status == "failed" else 0)
    assert said in found["detail"]
    assert "grype db update" in found["remedy"]


def test_the_policy_s_own_limit(sc: CommandLine, tools_env: dict[str, str], tmp_path: Path, project: Path) -> None:
    cache = import_changed(tools_env, tmp_path, age=50 * HOUR)
    for limit, status in (("2d", "failed"), ("3d", "warning"), ("200h", "warning")):
        (project / "p.yaml").write_text(f"security: {{scan: {{failOn: high, maxDatabaseAge: {limit}}}}}\n")
        found = rows(sc("doctor --policy p.yaml --output json", **cache))["database.grype"]
        assert found["status"] == status
        assert (f"maxDatabaseAge is {limit}" in found["detail"]) == (status == "failed")


def test_no_database(sc: CommandLine, tmp_path: Path) -> None:
    done = sc("doctor --output json", GRYPE_DB_CACHE_DIR=str(tmp_path / "none"))
    assert (done.code, rows(done)["database.grype"]["status"]) == (6, "failed")
    done = sc("doctor --output json", GRYPE_DB_CACHE_DIR=str(tmp_path / "none"), GRYPE_DB_AUTO_UPDATE="true")
    assert (done.code, rows(done)["database.grype"]["status"]) == (0, "warning"), "a scan gets it"
    assert not (tmp_path / "none").exists(), "nobody else does"


def test_a_broken_database(sc: CommandLine, tools_env: dict[str, str], tmp_path: Path) -> None:
    cache = import_changed(tools_env, tmp_path)
    (file,) = Path(cache["GRYPE_DB_CACHE_DIR"]).rglob("vulnerability.db")
    file.write_bytes(file.read_bytes()[:5000])
    done = sc("doctor --output json", **cache, GRYPE_DB_AUTO_UPDATE="true")
    assert (done.code, rows(done)["database.grype"]["status"]) == (6, "failed")


def test_one_that_nothing_needs(sc: CommandLine, tmp_path: Path, project: Path) -> None:
    (project / "p.yaml").write_text("security: {sbom: {}}\n")
    done = sc("doctor --policy p.yaml --output json", GRYPE_DB_CACHE_DIR=str(tmp_path / "none"))
    assert done.code == 0
    assert "database.grype" not in rows(done)


@pytest.mark.parametrize(
    ("age", "empty", "limit", "status"),
    [(HOUR, False, "5d", "warning"), (HOUR, True, "5d", "failed"), (HOUR, False, None, "warning")]
    + [(200 * HOUR, False, limit, status) for limit, status in (("5d", "failed"), (None, "warning"))],
)
def test_trivy_s(
    *, sc: CommandLine, tmp_path: Path, project: Path, age: timedelta, empty: bool, limit: str | None, status: str
) -> None:
    env = trivy_database.make(tmp_path / "trivy", age=age, empty=empty) | {"TRIVY_SKIP_DB_UPDATE": "true"}
    rule = f", maxDatabaseAge: {limit}" if limit else ""
    (project / "p.yaml").write_text(f"security: {{scan: {{failOn: high, tools: [{{name: trivy}}]{rule}}}}}\n")
    done = sc("doctor --policy p.yaml --output json", **env)
    found = rows(done)
    assert found["database.trivy"]["status"] == status
    assert "database.grype" not in found
    assert (done.code, found["tool.trivy"]["status"]) == (5, "failed"), "nobody installed it"
