import os
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools import browser, debian
from devtools.console import SetupError

Apt = Callable[[str], Path]


@pytest.fixture
def apt(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    """Makes an apt-get of a few lines of shell, the only program there is; returns what was asked of it."""

    def make(script: str) -> Path:
        folder = tmp_path / "path"
        folder.mkdir()
        asked = tmp_path / "asked"
        asked.touch()
        program = folder / "apt-get"
        program.write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin\necho "$@" >> {asked}\ncd {folder}\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        return asked

    return make


INSTALL = "install -y -q --no-install-recommends chromium chromium-driver"
MAKE = "for name in chromium chromedriver; do echo > $name; chmod 755 $name; done"


def test_one_that_is_there_is_used(apt: Apt, tmp_path: Path) -> None:
    asked = apt("exit 1")
    for name in ("google-chrome", "chromedriver"):
        (tmp_path / "path" / name).touch(mode=0o755)
    found = browser.ensure()
    assert (found.program.name, found.driver.name) == ("google-chrome", "chromedriver")
    assert asked.read_text() == ""


def test_it_is_installed_where_it_is_missing(apt: Apt) -> None:
    asked = apt(MAKE)
    assert browser.ensure().program.name == "chromium"
    assert asked.read_text() == f"{INSTALL}\n"


def test_old_package_lists_are_brought_up_to_date(apt: Apt) -> None:
    asked = apt(f'[ "$1" = update ] && echo > updated\n[ -e updated ] || exit 100\n{MAKE}')
    assert browser.ensure().program.name == "chromium"
    assert asked.read_text() == f"{INSTALL}\nupdate -q\n{INSTALL}\n"


def test_what_can_t_be_installed_is_told_with_a_way_out(apt: Apt) -> None:
    apt("echo E: no such package >&2; exit 100")
    with pytest.raises(SetupError, match=r"(?s)no such package.*put both on PATH"):
        browser.ensure()


def test_an_installation_that_brings_nothing_is_an_error(apt: Apt) -> None:
    apt("exit 0")
    with pytest.raises(SetupError, match="not on PATH"):
        browser.ensure()


def test_only_root_installs(apt: Apt, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = apt("exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match=r"Only root.*Do it yourself"):
        debian.install("x", otherwise="Do it yourself.")
    assert asked.read_text() == ""
