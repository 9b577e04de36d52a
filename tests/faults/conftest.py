"""What is attacked here: a release of an image of one's own, in a process whose traces can be told from all others."""

import os
import subprocess
import uuid
from pathlib import Path

import pytest

from devtools.processes import Process
from tests.command_line import start, wrap
from tests.engine.conftest import new_project  # noqa: F401 - a fixture
from tests.images import attachments
from tests.steps.conftest import image, key, new_image, project  # noqa: F401 - fixtures
from tests.waiting import wait_until

# ruff: noqa: F811 - a fixture's name is an argument's

POLICY = """
security:
  scan: {failOn: THRESHOLD}
  sbom: {format: cyclonedx-json}
  signing: {key: cosign.key, verify: {key: cosign.pub}}
  provenance: {includeGit: false}
  retry: {attempts: 6, baseDelay: 50ms}
"""
PASSWORD = "s3ntinel-of-the-key"
"""The key's, to be found nowhere."""
WHOLE = 4
"""What a whole release attaches: a signature, and attestations of the SBOM, the provenance and the scan."""


class Release:
    """`release create` on an image, as often as one likes, in one folder with temporary files of its own."""

    def __init__(self, env: dict[str, str], folder: Path, image: str) -> None:
        self.folder = folder
        self.image = image
        self.temp = folder.parent / f"temp-{uuid.uuid4().hex}"
        self.temp.mkdir()
        self._env = {**env, "COSIGN_PASSWORD": PASSWORD, "TMPDIR": str(self.temp)}
        self.threshold("critical")

    def another(self, folder: Path, **env: str) -> "Release":
        """One of the same image, in another folder with the same key."""
        folder.mkdir()
        for name in ("cosign.key", "cosign.pub"):
            (folder / name).write_bytes((self.folder / name).read_bytes())
            (folder / name).chmod(0o600)
        return Release({**self._env, **env}, folder, self.image)

    def policy(self, line: str) -> None:
        """Another line of the `security:` block, in place of that section's."""
        file = self.folder / "policy.yaml"
        section = line.split(":", maxsplit=1)[0] + ":"
        kept = [each for each in file.read_text().splitlines() if not each.startswith(section)]
        file.write_text("\n".join([*kept, line]) + "\n")

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
        assert "Traceback" not in said
        assert PASSWORD not in said
        return process.returncode, said

    def recovers(self) -> str:
        """Nothing runs on after a fault; the next run makes it whole, and nothing else and no secret is left."""
        wait_until(lambda: not self.processes())
        self.abandon()
        code, said = self.run()
        assert code == 0, said
        assert len(attachments(self.image)) == WHOLE
        assert list(self.temp.iterdir()) == []
        files = [path for path in (self.folder / ".sc").rglob("*") if path.is_file()]
        assert [path for path in files if path.name.startswith(".")] == [], "a file half written"
        assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []
        return said

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


@pytest.fixture(scope="session")
def keys(tools_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the key pair `ours`, whose password can be looked for."""
    folder = tmp_path_factory.mktemp("keys")
    command = ["cosign", "generate-key-pair", "--output-key-prefix", "ours"]
    subprocess.run(command, cwd=folder, env=tools_env | {"COSIGN_PASSWORD": PASSWORD}, check=True, capture_output=True)
    return folder


@pytest.fixture
def release(tools_env: dict[str, str], project: Path, image: str, key: str) -> Release:
    """A release by key, of an image with one high and one medium finding."""
    assert "--key cosign.key" in key
    return Release(tools_env, project, image)
