"""Tools that die of memory, and we ourselves: by a real limit of the kernel's, and by what its OOM killer does."""

import resource
import subprocess
import sys
from functools import partial

import pytest

from tests.command_line import ROOT
from tests.faults.conftest import WHOLE, Release
from tests.images import attachments

MIB = 1024
"""In the unit of the shell's `ulimit -v`, KiB."""
KILLED = "kill -KILL $$"
STEPS = [("syft", "scan"), ("grype", "sbom:*"), ("cosign", "sign"), ("cosign", "attest")]
"""A tool, and what it is called to do."""


@pytest.mark.parametrize(("tool", "does"), [STEPS[0], STEPS[2]])
def test_a_tool_that_gets_too_little(release: Release, tool: str, does: str) -> None:
    path = release.wrapped(tool, f'case "$1" in {does}) ulimit -v {300 * MIB};; esac\nexec "$real" "$@"')
    code, said = release.run(PATH=path)
    assert code == 6, said
    assert f"{tool}: " in said
    assert "memory" in said
    assert attachments(release.image) == []
    release.recovers()


@pytest.mark.parametrize(("tool", "does"), STEPS)
def test_the_kernel_kills_it_at_work(release: Release, tool: str, does: str) -> None:
    code, said = release.run(PATH=release.wrapped(tool, f'case "$1" in {does}) {KILLED};; esac\nexec "$real" "$@"'))
    assert code == 6, said
    assert f"{tool}: ended by signal 9" in said
    assert len(attachments(release.image)) == (1 if does == "attest" else 0)
    release.recovers()


@pytest.mark.parametrize(("tool", "does"), STEPS)
def test_the_kernel_kills_it_when_all_is_done(release: Release, tool: str, does: str) -> None:
    """What it wrote may count, and is not written twice."""
    path = release.wrapped(tool, f'case "$1" in {does}) "$real" "$@"; {KILLED};; esac\nexec "$real" "$@"')
    code, said = release.run(PATH=path)
    assert code in {0, 6}, said
    assert code == 6 or len(attachments(release.image)) == WHOLE
    release.recovers()


def test_we_get_too_little_ourselves(release: Release, tools_env: dict[str, str]) -> None:
    """At the least, Python itself doesn't start; with more, it ends somewhere on its way."""
    command = [sys.executable, "-P", str(ROOT / "sc_secure" / "__main__.py"), "image", "scan", "--image", release.image]
    for mebibytes in (24, 32, 48, 64):
        limit = mebibytes * 2**20
        done = subprocess.run(
            [*command, "--fail-on", "critical", "--output", "json"],
            env={**tools_env, "TMPDIR": str(release.temp)},
            cwd=release.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_AS, (limit, limit)),
        )
        assert done.returncode != 0
        assert done.stdout == ""
    release.recovers()
