"""trivy as a scanner, alone and beside grype, on real images; and what happens when it can't be trusted.

The image has one high finding (sqlparse) and one medium one (idna), in the databases of both.
"""

import json
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from devtools import tools
from tests import trivy_database
from tests.command_line import CommandLine, in_process, wrap
from tests.images import CLEAN, push_index
from tests.steps.conftest import PushImage
from tests.trivy_database import PAGE, advisory
from tests.vulnerability_database import exploited, import_changed

SQLPARSE, IDNA = ("CVE-2024-4340", "GHSA-2m57-hf25-phgg"), ("CVE-2024-3651", "GHSA-jjg7-2v4v-x38h")
BOTH = "--tool grype --tool trivy"
MORE = {
    "pip::More": {"sqlparse": {"CVE-2099-1": advisory(VulnerableVersions=["<1"], PatchedVersions=["1"])}},
    "data-source": {"pip::More": advisory(ID="ghsa", Name="more", URL="https://example.com")},
    "vulnerability": {"CVE-2099-1": advisory(Severity="LOW", VendorSeverity={"ghsa": 1})},
}
"""What trivy's database knows and grype's doesn't."""

Report = Callable[[], dict[str, Any]]


@pytest.fixture(scope="session")
def trivy_env(tools_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With trivy on PATH, and a database for it."""
    program = tools.ensure(["trivy"])["trivy"]
    database = trivy_database.make(tmp_path_factory.mktemp("trivy"))
    return {**tools_env, **database, "PATH": f"{tools_env['PATH']}:{program.parent}", "COSIGN_PASSWORD": "test"}


@pytest.fixture
def trivy(
    trivy_env: dict[str, str], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """The command line, where trivy is installed."""
    return in_process(trivy_env, project, monkeypatch, capsys)


Scripted = Callable[..., CommandLine]


@pytest.fixture
def scripted(
    trivy_env: dict[str, str],
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Scripted:
    """Gives a command line whose scanners are shell scripts, but for their version; `$real` is the real one."""

    def make(**scripts: str) -> CommandLine:
        env = trivy_env
        for name, script in scripts.items():
            asked = 'case "$1" in *version) exec "$real" "$@";; esac'
            env = wrap(tmp_path / f"scripted-{name}", env, name, f"{asked}\n{script}")
        return in_process(env, project, monkeypatch, capsys)

    return make


@pytest.fixture
def report(project: Path) -> Report:
    def read() -> dict[str, Any]:
        (file,) = (project / ".sc").rglob("scan.json")
        return json.loads(file.read_bytes())

    return read


def test_both_find_one_list(trivy: CommandLine, image: str, project: Path, report: Report) -> None:
    (project / ".trivyignore").write_text("CVE-2024-4340\n")
    (project / "trivy.yaml").write_text("severity: [LOW]\nignore-unfixed: true\n")
    result = trivy(f"image scan --image {image} {BOTH} --output json").result
    outputs = {key: result["outputs"][key] for key in ("high", "medium", "low", "ignored", "scanners")}
    assert outputs == {"high": 1, "medium": 1, "low": 0, "ignored": 0, "scanners": "grype, trivy"}
    first, second = report()["findings"]
    for found, names, severity in ((first, SQLPARSE, "high"), (second, IDNA, "medium")):
        assert {found["id"], *found["aliases"]} == set(names)
        assert found["sources"] == [
            {"scanner": "grype", "id": names[1], "severity": severity},
            {"scanner": "trivy", "id": names[0], "severity": severity},
        ]
    assert [(each["name"], each["database"]["providers"]) for each in report()["scanners"]] == [
        ("grype", ["sc-secure-sample"]),
        ("trivy", ["sc-secure-sample"]),
    ]
    assert report()["leftOut"] == []
    (folder,) = (project / ".sc/artifacts").iterdir()
    assert {"scan.grype.json", "scan.trivy.json"} <= {file.name for file in folder.iterdir()}


def test_alone_it_decides_as_any_other(trivy: CommandLine, image: str, report: Report) -> None:
    done = trivy(f"image scan --image {image} --tool trivy --fail-on high")
    assert done.code == 3
    assert "CVE-2024-4340 (GHSA-2m57-hf25-phgg) sqlparse 0.4.4: fixed in 0.5.0" in done.stderr
    assert [each["name"] for each in report()["scanners"]] == ["trivy"]


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ("", 0),
        ("--tool-fail-on grype=low", 3),  # grype finds others that are worse
        ("--tool-fail-on trivy=low", 3),
        ("--tool-fail-on grype=critical", 0),
        ("--fail-on low", 3),
    ],
)
def test_each_scanners_own_threshold(
    trivy: CommandLine, image: str, tmp_path: Path, report: Report, *, flags: str, code: int
) -> None:  # fmt: skip
    more = trivy_database.make(tmp_path / "more", more=MORE)
    assert trivy(f"image scan --image {image} {BOTH} {flags}", **more).code == code
    reasons = {each["id"]: (each["action"], each["reason"]) for each in report()["findings"]}
    own = {
        "--tool-fail-on trivy=low": ("fail", "scan.tools.trivy.failOn: low"),
        "--fail-on low": ("fail", "scan.failOn: low"),
    }
    assert reasons["CVE-2099-1"] == own.get(flags, ("allow", "below scan.failOn: critical"))


def test_what_it_alone_found_cant_be_judged_by_kev(
    trivy: CommandLine, trivy_env: dict[str, str], image: str, tmp_path: Path, report: Report
) -> None:
    more = trivy_database.make(tmp_path / "more", more=MORE) | import_changed(trivy_env, tmp_path, exploited())
    assert trivy(f"image scan --image {image} {BOTH} --kev --fail-on critical", **more).code == 0
    decided = {each["id"]: (each["action"], each["reason"]) for each in report()["findings"]}
    assert decided.pop("CVE-2099-1") == ("warn", "scan.kev: can't be judged: no data from trivy")
    assert {action for action, _ in decided.values()} == {"allow"}


def test_they_run_at_once(scripted: Scripted, image: str, tmp_path: Path) -> None:
    def once_both_run(mine: str, other: str) -> str:
        there = f"[ -e {tmp_path}/{other} ]"
        return (
            f"touch {tmp_path}/{mine}\nfor _ in $(seq 300); do {there} && break; sleep 0.1; done\n"
            f'{there} || exit 9\nexec "$real" "$@"'
        )

    sc = scripted(grype=once_both_run("grype", "trivy"), trivy=once_both_run("trivy", "grype"))
    assert sc(f"image scan --image {image} {BOTH} --output json").result["outputs"]["high"] == 1


def cut_off(cache: Path) -> None:
    (cache / "db/trivy.db").write_bytes((cache / "db/trivy.db").read_bytes()[:-PAGE])


def overwritten(cache: Path) -> None:
    file = cache / "db/trivy.db"
    file.write_bytes(b"\xff" * file.stat().st_size)


def pages_overwritten(cache: Path) -> None:
    content = (cache / "db/trivy.db").read_bytes()
    (cache / "db/trivy.db").write_bytes(content[: 4 * PAGE] + b"\xff" * (len(content) - 4 * PAGE))


def without_date(cache: Path) -> None:
    (cache / "db/metadata.json").write_text('{"Version": 2, "DownloadedAt": "2020-01-01T00:00:00Z"}')


def removed(cache: Path) -> None:
    (cache / "db/trivy.db").unlink()


BROKEN: dict[str, tuple[dict[str, Any], Callable[[Path], None] | None, str, str]] = {
    "none": ({}, removed, "", "--skip-db-update cannot be specified on the first run"),
    "cut off": ({}, cut_off, "", "can't be read (it is cut off)"),
    "no bbolt file": ({}, overwritten, "", "`trivy image --download-db-only` gets the current"),
    "broken pages": ({}, pages_overwritten, "", "can't be read (its pages are mixed up)"),
    "empty": ({"empty": True}, None, "", "is empty: it would find nothing"),
    "undated": ({}, without_date, "", "can't be read ('UpdatedAt')"),
    "of the future": ({"age": timedelta(hours=-2)}, None, "", "built in the future"),
    "too old": ({"age": timedelta(hours=30)}, None, "--max-database-age 1d", "scan.maxDatabaseAge: 1d"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_database_that_wont_do(trivy: CommandLine, image: str, tmp_path: Path, report: Report, case: str) -> None:
    made, damage, flags, said = BROKEN[case]
    database = trivy_database.make(tmp_path / "db", **made)
    if damage:
        damage(tmp_path / "db")
    done = trivy(f"image scan --image {image} {BOTH} {flags}", **database)
    assert done.code == 6, done
    assert said in done.stderr
    assert "scan.json" not in str(list(tmp_path.rglob("scan.json")))
    left_out = trivy(
        f"image scan --image {image} {BOTH} --tool-optional trivy {flags} --output json", **database
    ).result
    assert left_out["outputs"]["scanners"] == "grype"
    assert any("scan.tools.trivy: left out, since it isn't required" in each for each in left_out["warnings"])
    assert [each["name"] for each in report()["leftOut"]] == ["trivy"]


def test_where_it_is_missing(sc: CommandLine, image: str, report: Report) -> None:
    done = sc(f"image scan --image {image} {BOTH}")
    assert (done.code, "trivy is not on PATH" in done.stderr) == (5, True)
    result = sc(f"image scan --image {image} {BOTH} --tool-optional trivy --fail-on critical --output json").result
    assert "scan.tools.trivy: left out, since it isn't required: trivy is not on PATH" in result["warnings"]
    assert report()["leftOut"] == [{"name": "trivy", "reason": "trivy is not on PATH"}]
    # What the other one finds still counts.
    assert sc(f"image scan --image {image} {BOTH} --tool-optional trivy --fail-on high").code == 3
    none = sc(f"image scan --image {image} --tool trivy --tool-optional trivy")
    assert (none.code, "no scanner could run, so nothing is known" in none.stderr) == (6, True)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 0", "not a JSON object"),
        ("echo '{}'; exit 0", "its report isn't what it should be ('SchemaVersion')"),
        ("""echo '{"SchemaVersion": 3}'""", "its schema is 3, not 2"),
        ('"$real" "$@" | sed s/sha256:[0-9a-f]*/sha256:00/g', "isn't about the image that was asked for"),
        ('"$real" "$@" | head -c 900', "not a JSON object"),
        ("echo 'FATAL: unauthorized: authentication required' >&2; exit 1", "unauthorized"),
        ("kill -9 $$", "ended by signal 9"),
    ],
)
def test_it_lies_or_fails(scripted: Scripted, image: str, project: Path, script: str, said: str) -> None:
    sc = scripted(trivy=script)
    done = sc(f"image scan --image {image} --tool trivy")
    assert done.code == (7 if "unauthorized" in said else 6)
    assert said in done.stderr
    assert not list(project.rglob("scan.json"))


@pytest.mark.parametrize(
    ("hangs", "tools"),
    [("trivy", f"{BOTH} --tool-optional trivy"), ("syft", "--tool trivy --tool grype"), ("grype", BOTH)],
)
def test_the_time_out_ends_what_hangs(scripted: Scripted, image: str, tmp_path: Path, hangs: str, tools: str) -> None:
    sc = scripted(**{hangs: f"echo $$ > {tmp_path}/pid; exec sleep 600"})
    began = time.monotonic()
    done = sc(f"image scan --image {image} {tools} --timeout 8")
    assert done.code == 6
    assert "took longer than 8 s and was ended" in done.stderr
    assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_each_platforms_image(trivy: CommandLine, trivy_env: dict[str, str], registry: str, tmp_path: Path) -> None:
    platforms = {"linux/amd64": CLEAN, "linux/arm64": {"idna": "3.6"}}
    index = push_index(trivy_env, tmp_path, f"{registry}/trivy-index", platforms)
    result = trivy(f"image scan --image {index} {BOTH} --output json").result
    assert (result["outputs"]["medium"], result["outputs"]["platforms"]) == (1, "linux/amd64, linux/arm64")


def test_what_it_may_not_have_seen(trivy: CommandLine, new_image: PushImage) -> None:
    warnings = trivy(f"image scan --image {new_image({})} --tool trivy --output json").result["warnings"]
    assert any("no package was recognised in the image" in each for each in warnings)


def test_a_release_by_both(trivy: CommandLine, image: str, project: Path, key: str) -> None:
    del key
    (project / "p.yaml").write_text("""
security:
  scan:
    tools: [{name: grype}, {name: trivy, required: false, failOn: high}]
  sbom: {}
  signing: {key: cosign.key, passwordEnv: COSIGN_PASSWORD, transparencyLog: false, verify: {enabled: false}}
""")
    done = trivy(f"release create --image {image} --policy p.yaml")
    assert done.code == 3
    assert "scan.tools.trivy.failOn: high forbids 1 finding" in done.stderr
