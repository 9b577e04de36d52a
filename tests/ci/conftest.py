import subprocess
import sys
from pathlib import Path

import pytest

from devtools.sigstore.services import Sigstore
from tests.ci.shop import Shop, make_stack


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Python with nothing but pip, as a hosted machine has one."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder / "bin"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, pulumi_env: dict[str, str]) -> Path:
    """A stack in which nothing is yet, for each repository to begin with."""
    folder = tmp_path_factory.mktemp("stack")
    make_stack(folder, pulumi_env)
    return folder


@pytest.fixture
def shop(
    *, tmp_path: Path, stack: Path, pulumi_env: dict[str, str], registry: str, sigstore: Sigstore, python: Path
) -> Shop:
    return Shop(tmp_path / "shop", pulumi_env, stack=stack, registry=registry, sigstore=sigstore, python=python)
