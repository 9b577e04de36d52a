"""What is attacked here: a release of an image of one's own, in a process whose traces can be told from all others."""

import os
import subprocess
import uuid
from pathlib import Path

import pytest

from devtools.processes import Process
from tests.command_line import start, wrap
from tests.engine.conftest import new_project  # noqa: F401 - a fixture
from tests.steps.conftest import image, key, keys, new_image, project  # noqa: F401 - fixtures

# ruff: noqa: F811 - a fixture's name is an argument's

POLICY = """
security:
  scan: {failOn: THRESHOLD}
  sbom: {format: cyclonedx-json}
  signing: {key: cosign.key, verify: {key: cosign.pub}}
  provenance: {includeGit: false}
  retry: {attempts: 6, baseDelay: 50ms}
"""


class Release:
    """`release create` on an image, as often as one likes, in one folder with temporary files of its own."""

    def __init__(self, env: dict[str, str], folder: Path, image: str) -> None:
        self.folder = folder
        self.image = image
        self.temp = folder.parent / f"temp-{uuid.uuid4().hex}"
        self.temp.mkdir()
        self._env = {**env, "COSIGN_PASSWORD": "test", "TMPDIR": str(self.temp)}
        self.threshold("critical")

    def threshold(self, severity: str) -> None:
        (self.folder / "policy.yaml").write_text(POLICY.replace("THRESHOLD", severity))

    def start(self, **env: str) -> "subprocess.Popen[str]":
        words = ["release", "create", "--image", self.image, "--policy", "policy.yaml"]
        return start({**self._env, **env}, self.folder, *words)

    def wrapped(self, tool: str, script: str) -> str:
        """A PATH on which `tool` is a script: see `tests.command_line.wrap`."""
        return wrap(self.folder / "bin", self._env, tool, script)["PATH"]

    def run(self, **env: str) -> tuple[int, str]:
        """Exit code, and what it said to people."""
        process = self.start(**env)
        _, said = process.communicate(timeout=120)
        return process.returncode, said

    def abandon(self) -> None:
        """Lets the temporary folders of killed runs look a while old."""
        for folder in self.temp.iterdir():
            os.utime(folder, (0, 0))

    def processes(self) -> list[int]:
        """Those that run for this release: their environment names its folder for temporary files."""
        mark = os.fsencode(str(self.temp))
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes() and Process.of(int(entry.name)):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found


@pytest.fixture
def release(tools_env: dict[str, str], project: Path, image: str, key: str) -> Release:
    """A release by key, of an image with one high and one medium finding."""
    assert "--key cosign.key" in key
    return Release(tools_env, project, image)
