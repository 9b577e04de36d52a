"""Disks that are full or read-only, in a mount namespace of the release's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import ROOT
from tests.faults.conftest import PASSWORD, Release
from tests.images import attachments

FULL = "mount -t tmpfs -o size=16k,mode=700 none"
READ_ONLY = "mount -t tmpfs -o ro none"


@pytest.mark.parametrize(
    ("how", "where", "said"),
    [
        (FULL, "artifacts", "No space left on device"),
        (FULL, "temp", "No space left on device"),
        (READ_ONLY, "artifacts", "Read-only file system"),
        (READ_ONLY, "temp", "Read-only file system"),
        (READ_ONLY, "cache", "Read-only file system"),
    ],
    ids=lambda text: text if text.isalpha() else "",
)
def test_a_disk_that_takes_nothing(
    release: Release, tools_env: dict[str, str], how: str, where: str, said: str
) -> None:
    cache = release.folder.parent / "cache"
    places = {"artifacts": release.folder / ".sc", "temp": release.temp, "cache": cache}
    for place in places.values():
        place.mkdir(exist_ok=True)
    program = [sys.executable, "-P", str(ROOT / "sc_secure" / "__main__.py")]
    command = [*program, "release", "create", "--image", release.image, "--policy", "policy.yaml"]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", f'{how} "$0"; exec "$@"', str(places[where]), *command],
        cwd=release.folder,
        env={**tools_env, "COSIGN_PASSWORD": PASSWORD, "TMPDIR": str(release.temp), "SC_SECURE_CACHE": str(cache)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 6, done.stderr
    assert said.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert attachments(release.image) == []
    assert list(release.temp.iterdir()) == []
    release.recovers()


def test_a_file_where_the_artifacts_should_be(release: Release) -> None:
    (release.folder / ".sc").write_text("")
    code, said = release.run()
    assert code == 6
    assert ".sc" in said
    assert "unexpected" not in said
    assert attachments(release.image) == []


def test_a_cache_of_someone_else(release: Release, tmp_path: Path) -> None:
    code, said = release.run(SC_SECURE_CACHE="/proc/nobody")
    assert code == 6
    assert "/proc/nobody" in said
    assert attachments(release.image) == []
