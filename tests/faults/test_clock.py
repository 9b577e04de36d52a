"""Clocks that are wrong: ours, by libfaketime. The tools, which are linked statically, keep the right one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devtools import cache, debian
from tests.faults.conftest import Release
from tests.images import attachments

HIGH = "GHSA-2m57-hf25-phgg"
"""The image's worst finding."""


@pytest.fixture(scope="session")
def library() -> Path:
    """libfaketime, from Debian's packages where the machine hasn't got it."""

    def found() -> Path | None:
        return next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)

    with cache.locked("libfaketime"):
        if found() is None:
            debian.install("libfaketime", otherwise="Install it by other means.")
    path = found()
    assert path
    return path


def off(library: Path, days: int) -> dict[str, str]:
    """The variables that give a program a clock which is so many days ahead."""
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{days:+}d"}


def test_a_clock_that_is_behind(release: Release, library: Path) -> None:
    """The vulnerability database is of its future, and so may be anything."""
    code, said = release.run(**off(library, -10))
    assert code == 6, said
    assert "built in the future" in said
    assert "this machine's clock" in said
    assert attachments(release.image) == []
    release.recovers()


def test_a_clock_that_is_ahead(release: Release, library: Path) -> None:
    """The vulnerability database is too old for it, and what somebody allowed until a day is allowed no more."""
    release.policy("  scan: {failOn: high, maxDatabaseAge: 5d}")
    code, said = release.run(**off(library, 10))
    assert code == 6, said
    assert "scan.maxDatabaseAge: 5d" in said
    until = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    release.policy(f"  scan: {{failOn: high, ignore: [{{id: {HIGH}, reason: no such input, expires: '{until}'}}]}}")
    code, said = release.run(**off(library, 10))
    assert code == 3, said
    assert HIGH in said
    assert attachments(release.image) == []
    release.recovers()
