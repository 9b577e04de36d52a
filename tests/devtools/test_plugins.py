import sys
import time
from pathlib import Path

import pytest

from devtools import environment, plugins, venv
from devtools.console import SetupError
from tests.plugins.install import VERSIONS, is_offline

FOLDERS = [f"resource-{name}-v{version}" for name, version in VERSIONS.items()]


@pytest.fixture
def env(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(venv, "FOLDER", Path(sys.prefix))
    monkeypatch.delenv("SC_SECURE_PLUGINS", raising=False)
    return environment.base()


def test_official_ones_that_are_there_are_used(
    tmp_path: Path, env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _official(tmp_path, *FOLDERS)
    assert plugins.prepare(tmp_path, env) == "official"
    assert plugins.prepare(tmp_path, env | {"SC_SECURE_PLUGINS": "official"}) == "official"
    assert "official" in capsys.readouterr().err


def test_an_official_one_is_never_overwritten(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _official(tmp_path, FOLDERS[0])
    monkeypatch.setattr(plugins, "_reachable", lambda: False)
    with pytest.raises(SetupError, match="PULUMI_HOME"):
        plugins.prepare(tmp_path, env)
    assert not any(is_offline(tmp_path, name) for name in VERSIONS)


def test_only_official_ones_will_do_if_they_are_asked_for(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "_reachable", lambda: False)
    with pytest.raises(SetupError, match="SC_SECURE_PLUGINS=official"):
        plugins.prepare(tmp_path, env | {"SC_SECURE_PLUGINS": "official"})


def test_elsewhere_the_offline_ones_are_installed_once_and_stay(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plugins, "_reachable", lambda: False)
    assert plugins.prepare(tmp_path, env) == "offline"
    assert all(is_offline(tmp_path, name) for name in VERSIONS)
    assert "offline" in capsys.readouterr().err
    monkeypatch.setattr(plugins, "_reachable", lambda: pytest.fail("nothing is looked up any more"))
    assert plugins.prepare(tmp_path, env) == "offline"


def test_another_wish_is_an_error(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(SetupError, match="`official`, `offline` or unset"):
        plugins.prepare(tmp_path, env | {"SC_SECURE_PLUGINS": "both"})


def test_the_look_at_the_download_site_is_short() -> None:
    began = time.monotonic()
    plugins._reachable()
    assert time.monotonic() - began < 4


def _official(home: Path, *folders: str) -> None:
    for folder in folders:
        (home / "plugins" / folder).mkdir(parents=True)
