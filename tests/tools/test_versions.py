import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sc_secure.errors import ToolMissing
from sc_secure.tools.process import Runner
from sc_secure.tools.table import TOOLS, tool
from sc_secure.tools.versions import UNKNOWN, Installed, installed, require, too_old


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOME": str(tmp_path)}


def fake(tmp_path: Path, name: str, output: str, extra: str = "") -> None:
    path = tmp_path / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho x >> {tmp_path}/{name}.runs\n{extra}\ncat <<'END'\n{output}\nEND\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("name", "output", "version"),
    [
        ("cosign", "GitVersion:    v3.1.3\nGoVersion:     go1.26.8", "3.1.3"),
        ("syft", "Application:   syft\nVersion:       1.57.0\nSchemaVersion: 16.1.13", "1.57.0"),
        ("crane", "0.22.1", "0.22.1"),
        ("pulumi", "v3.274.1", "3.274.1"),
        ("pulumi", "v3.274.1-dev.0", "3.274.1"),
        ("grype", "Application:         grype\nVersion:             [not provided]\nSupported DB Schema: 6", UNKNOWN),
    ],
)
def test_what_tools_print(tmp_path: Path, environ: dict[str, str], name: str, output: str, version: str) -> None:
    fake(tmp_path, name, output)
    assert installed(tool(name), Runner(), environ) == Installed(tmp_path / "bin" / name, version)


def test_asked_once_per_file(tmp_path: Path, environ: dict[str, str]) -> None:
    fake(tmp_path, "syft", "Version: 1.57.0")
    for _ in range(3):
        assert require(tool("syft"), Runner(), environ).version == "1.57.0"
    assert (tmp_path / "syft.runs").read_text() == "x\n"
    fake(tmp_path, "syft", "Version: 1.58.1111")
    assert require(tool("syft"), Runner(), environ).version == "1.58.1111"


def test_of_many_runs_that_begin_at_once_one_asks(tmp_path: Path, environ: dict[str, str]) -> None:
    fake(tmp_path, "syft", "Version: 1.57.0", "sleep 0.3")
    ask = (
        "import os; from sc_secure.tools.process import Runner; from sc_secure.tools.table import tool; "
        "from sc_secure.tools.versions import require; assert require(tool('syft'), Runner(), os.environ).version"
    )
    asking = [subprocess.Popen([sys.executable, "-c", ask], env=environ) for _ in range(4)]
    assert [process.wait(timeout=60) for process in asking] == [0] * 4
    assert (tmp_path / "syft.runs").read_text() == "x\n"


def test_a_broken_cache_costs_only_time(tmp_path: Path, environ: dict[str, str]) -> None:
    fake(tmp_path, "syft", "Version: 1.57.0")
    cache = tmp_path / ".cache/sc-secure/versions/syft.json"
    for content in ("{", "[]", '{"x": 1}'):
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(content)
        assert require(tool("syft"), Runner(), environ).version == "1.57.0"


def test_too_old_and_missing(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(ToolMissing, match="not on PATH"):
        require(tool("grype"), Runner(), environ)
    fake(tmp_path, "grype", "Version: 0.9.0")
    with pytest.raises(ToolMissing, match=r"older than 0\.110\.0"):
        require(tool("grype"), Runner(), environ)


def test_one_that_does_not_know_is_asked_for_its_build(tmp_path: Path, environ: dict[str, str]) -> None:
    fake(tmp_path, "grype", "Version: [not provided]")
    module = tool("grype").module
    fake(
        tmp_path,
        "go",
        f"{tmp_path}/bin/grype: go1.26.8\n\tpath\tx\n\tmod\tx\t(devel)\n\tdep\t{module}\tv0.120.0\th1:x=",
    )
    assert require(tool("grype"), Runner(), environ).version == "0.120.0"


def test_an_unknown_version_is_not_too_old() -> None:
    assert not too_old(tool("grype"), Installed(Path("x"), UNKNOWN))


def test_the_real_tools(tools_env: dict[str, str]) -> None:
    for each in TOOLS:
        if each.purpose == "step":
            assert require(each, Runner(), tools_env).version != UNKNOWN
