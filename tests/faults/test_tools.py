"""Tools that lie, flood or answer nonsense: never more than a failure, never a signature too many."""

import contextlib
from pathlib import Path

import pytest

from tests.faults.conftest import Release
from tests.images import attachments

FLOOD = "head -c 120000000 /dev/zero | tr '\\0' x"
MEMORY_MIB = 400
"""What a release may take at most at its highest; without a flood it takes about 100."""


def peak(pid: int) -> int:
    """The highest use of memory of a running process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) // 1024


@pytest.mark.parametrize(
    ("tool", "does"), [("syft", "scan"), ("grype", "sbom:*"), ("cosign", "sign"), ("git", "*")], ids=lambda text: text
)
@pytest.mark.parametrize("stream", ["1", "2"], ids=["stdout", "stderr"])
def test_a_flood_in_one_line(release: Release, tool: str, does: str, stream: str) -> None:
    path = release.wrapped(tool, f'case "$1" in {does}) {FLOOD} >&{stream};; esac\nexec "$real" "$@"')
    process = release.start(PATH=path)
    highest = 0
    while process.poll() is None:
        with contextlib.suppress(OSError, ValueError, IndexError):  # it may have ended since
            highest = max(highest, peak(process.pid))
        with contextlib.suppress(Exception):
            process.wait(timeout=0.05)
    _, said = process.communicate()
    assert process.returncode in {0, 6}, said
    assert 0 < highest < MEMORY_MIB
    assert len(said) < 100_000
    assert len(attachments(release.image)) == (4 if process.returncode == 0 else 0)


@pytest.mark.parametrize(
    ("tool", "does"), [("syft", "scan"), ("grype", "sbom:*"), ("cosign", "sign"), ("cosign", "attest")]
)
def test_one_that_does_nothing_and_says_it_did(release: Release, tool: str, does: str) -> None:
    code, said = release.run(PATH=release.wrapped(tool, f'case "$1" in {does}) exit 0;; esac\nexec "$real" "$@"'))
    assert code == 6, said
    assert ("times in a row" if tool == "cosign" else tool) in said
    assert len(attachments(release.image)) == (1 if does == "attest" else 0)
    release.recovers()


def test_a_verifier_that_looked_at_nothing(release: Release) -> None:
    """Its exit code 0 is no proof: it has to say what it read back."""
    path = release.wrapped("cosign", 'case "$1" in verify-*) exit 0;; esac\nexec "$real" "$@"')
    code, said = release.run(PATH=path)
    assert code == 6, said
    assert "sign               failed" in said
    code, said = release.run()
    assert code == 0, said
