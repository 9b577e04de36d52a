"""Tools that never end: the step's own time-out ends them, with all that they started."""

import time

import pytest

from tests.faults.conftest import Release
from tests.images import attachments

HANGS = 'sleep 3600 & trap "" TERM; while :; do wait; done'
"""It doesn't listen to SIGTERM, and has a child that holds its pipes."""


@pytest.mark.parametrize(
    ("tool", "does", "step"),
    [
        ("syft", "scan", "sbom"),
        ("grype", "sbom:*", "scan"),
        ("cosign", "sign", "sign"),
        ("cosign", "attest", "attest"),
        ("cosign", "verify*", "sign"),
    ],
)
def test_a_tool_that_hangs(release: Release, tool: str, does: str, step: str) -> None:
    release.policy(f"  timeouts: {{{step}: 3}}")
    began = time.monotonic()
    code, said = release.run(PATH=release.wrapped(tool, f'case "$1" in {does}) {HANGS};; esac\nexec "$real" "$@"'))
    assert code == 6, said
    assert f"longer than 3 s and was ended, while {tool} ran" in said
    assert time.monotonic() - began < 45
    assert len(attachments(release.image)) == (0 if does in {"scan", "sbom:*", "sign"} else 1)
    release.threshold("critical")  # the policy as it was
    release.recovers()
