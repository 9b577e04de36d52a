import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from devtools import cache, tools
from devtools.console import SetupError
from sc_secure.tools import versions
from sc_secure.tools.table import TOOLS, Tool, tool

CRANE = tool("crane")


@pytest.mark.parametrize("entry", TOOLS, ids=lambda entry: entry.name)
def test_the_module_of_each_tool_pins_the_tables_version(entry: Tool) -> None:
    module = (tools.MODULES / entry.folder / "go.mod").read_text()
    assert re.search(rf"^\s*(?:require )?{re.escape(entry.module)} v{re.escape(entry.pinned)}\b", module, re.MULTILINE)
    assert re.search(rf"^\s*(?:tool )?{re.escape(entry.package)}$", module, re.MULTILINE)
    sums = (tools.MODULES / entry.folder / "go.sum").read_text()
    assert re.search(rf"^{re.escape(entry.module)} v{re.escape(entry.pinned)}\S* h1:", sums, re.MULTILINE)


@pytest.mark.parametrize("entry", TOOLS, ids=lambda entry: entry.name)
def test_the_pinned_version_meets_the_minimum(entry: Tool) -> None:
    assert not versions.too_old(entry, versions.Installed(Path(entry.name), entry.pinned))
    assert not entry.version_symbol or entry.pinned in entry.version_symbol


def test_one_on_path_that_is_new_enough_is_used(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = _program(tmp_path / "here", "crane", f"echo v{CRANE.minimum}")
    _only_path(monkeypatch, tmp_path / "here")
    assert tools.ensure(["crane"]) == {"crane": program}
    assert not (own_cache / "tools").exists()


def test_an_older_one_is_passed_over_for_a_newer_one_further_on(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path / "old", "crane", "echo 0.1.0")
    newer = _program(tmp_path / "new", "crane", "echo 99.0.0")
    _only_path(monkeypatch, tmp_path / "old", tmp_path / "new")
    assert tools.ensure(["crane"]) == {"crane": newer}


def test_without_go_the_error_names_what_is_missing_and_what_to_do(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path / "old", "crane", "echo 0.1.0")
    _only_path(monkeypatch, tmp_path / "old")
    with pytest.raises(SetupError) as error:
        tools.ensure(["crane", "cosign"])
    assert f"crane {CRANE.minimum} or newer" in str(error.value)
    assert "cosign" in str(error.value)
    assert "go.dev" in str(error.value)


def test_a_language_host_beside_a_pulumi_from_path_is_part_of_it(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official, elsewhere = tmp_path / "official", tmp_path / "elsewhere"
    pulumi = _program(official, "pulumi", "echo v3.274.1")
    _program(elsewhere, "pulumi-language-python", "exit 1")
    host = _program(official, "pulumi-language-python", "exit 1")
    _only_path(monkeypatch, elsewhere, official)
    assert tools.ensure(["pulumi", "pulumi-language-python"]) == {"pulumi": pulumi, "pulumi-language-python": host}


def test_one_folder_links_to_the_chosen_ones(own_cache: Path, tmp_path: Path) -> None:
    crane = _program(tmp_path / "a", "crane", "echo 1.2.3")
    host = _program(tmp_path / "b", "pulumi-language-python", "exit 1")
    beside = _program(tmp_path / "b", "pulumi-language-python-exec", "exit 1")
    _program(tmp_path / "b", "python3", "echo not this one")
    [folder] = tools.tools_path({"crane": crane, "pulumi-language-python": host})
    assert {path.name: path.readlink() for path in folder.iterdir()} == {
        "crane": crane,
        "pulumi-language-python": host,
        "pulumi-language-python-exec": beside,
    }
    assert tools.tools_path({"crane": crane, "pulumi-language-python": host}) == [folder]
    assert tools.tools_path({"crane": crane}) != [folder]


def test_built_ones_seem_to_be_in_that_folder(own_cache: Path, tmp_path: Path) -> None:
    """A symbolic link leads pulumi away from its language hosts, and it warns each time."""
    built = _program(cache.folder("tools"), "pulumi", "exit 1")
    [folder] = tools.tools_path({"pulumi": built})
    assert (folder / "pulumi").samefile(built)
    assert not (folder / "pulumi").is_symlink()


def test_one_that_does_not_know_its_version_is_asked_by_its_build_information(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The language host prints no version at all."""
    host = tool("pulumi-language-python")
    program = tmp_path / "here" / host.name
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""}
    command = ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", str(program), host.package]
    subprocess.run(command, cwd=tools.MODULES / host.name, env=env, check=True)
    go = Path(str(shutil.which("go"))).parent
    _only_path(monkeypatch, program.parent)
    with pytest.raises(SetupError, match=host.name):
        tools.ensure([host.name])
    cache.remove()  # with it goes the answer that nothing is known
    monkeypatch.setenv("PATH", os.pathsep.join([os.environ["PATH"], str(go)]))
    assert tools.ensure([host.name]) == {host.name: program}


def _program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def _only_path(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """A PATH with a shell's few programs, and no Go."""
    basics = folders[0].parent / "basics"
    basics.mkdir(exist_ok=True)
    for name in ("sh", "echo"):
        if not (basics / name).exists():
            (basics / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", os.pathsep.join(str(folder) for folder in (*folders, basics)))
