"""Fixtures of the policy's tests."""

from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
