"""A cache folder of each test's own, so that no test sees or ends what a person has running."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools import processes, tools


@pytest.fixture(autouse=True, scope="session")
def built_tools() -> Iterator[None]:
    """The tools on PATH, so that a cache of a test's own has nothing to build."""
    with pytest.MonkeyPatch.context() as patch:
        folders = [str(folder) for folder in tools.tools_path()]
        patch.setenv("PATH", os.pathsep.join([*folders, os.environ["PATH"]]))
        yield


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("SC_SECURE_CACHE", str(folder))
    return folder


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[processes.Process]:
    """A process that a test may end."""
    process = processes.start(["sleep", "300"], tmp_path / "sleep.log")
    yield process
    process.end()
