import logging
from pathlib import Path

import pytest

# Pulumi leaves the outputs of a failed program behind, of each of which asyncio would tell at length when they go.
logging.getLogger("asyncio").disabled = True


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, as the working directory."""
    (tmp_path / "Pulumi.yaml").write_text("name: trial\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path
