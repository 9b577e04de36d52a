"""An image of one's own for each test, in the real registry, and the command line to work on it with."""

import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine, in_process
from tests.images import VULNERABLE, push_image

PushImage = Callable[..., str]


@pytest.fixture
def new_image(tools_env: dict[str, str], registry: str, tmp_path: Path) -> PushImage:
    def push(packages: dict[str, str] = VULNERABLE, name: str | None = None) -> str:
        return push_image(tools_env, tmp_path, f"{registry}/{name or f't{uuid.uuid4().hex[:12]}'}", packages)

    return push


@pytest.fixture
def image(new_image: PushImage) -> str:
    """`repository@sha256:…` of an image with one high and one medium finding."""
    return new_image()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The working directory of the command line."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def keys(tools_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the key pairs `ours` and `other`; the password is `test`."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "other"):
        command = ["cosign", "generate-key-pair", "--output-key-prefix", name]
        env = tools_env | {"COSIGN_PASSWORD": "test"}
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    return folder


@pytest.fixture
def key(keys: Path, project: Path) -> Iterator[str]:
    """The flags that sign with `ours`; the key is in the working directory."""
    shutil.copy(keys / "ours.key", project / "cosign.key")
    shutil.copy(keys / "ours.pub", project / "cosign.pub")
    (project / "cosign.key").chmod(0o600)
    return "--key cosign.key --no-transparency-log"


@pytest.fixture
def sc(
    tools_env: dict[str, str], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """The command line, with the password of `key` in its environment."""
    return in_process({**tools_env, "COSIGN_PASSWORD": "test"}, project, monkeypatch, capsys)
