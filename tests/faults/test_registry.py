"""Registries that fail: a release ends well or says why, and is whole once the registry is well again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.conftest import WHOLE, Release
from tests.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.images import attachments

FAULTS = (500, 503, 429, 401, "cut", "lost", "short", "slow")


@pytest.fixture
def proxy(release: Release) -> Iterator[FaultyProxy]:
    """In front of the registry; the release works through it."""
    host, _, rest = release.image.partition("/")
    with faulty_proxy(f"http://{host}") as proxy:
        release.image = f"{proxy.url.removeprefix('http://')}/{rest}"
        yield proxy


@pytest.mark.parametrize("seed", range(2))
def test_a_registry_that_fails_now_and_then(release: Release, proxy: FaultyProxy, seed: int) -> None:
    proxy.fail_at_random(seed, 0.1, FAULTS)
    code, said = release.run()
    assert code in {0, 6, 7}, said
    proxy.fail()
    release.recovers()


@pytest.mark.parametrize(
    ("method", "fault", "code"),
    [
        *(
            (method, *fault)
            for method in ("GET", "PUT")
            for fault in ((401, 7), (403, 7), (429, 6), (500, 6), ("cut", 6))
        ),
        ("GET", "short", 6),
        ("GET", 201, 4),  # what it answers isn't what the digest names
        ("PUT", 201, 6),  # it says that it took what it throws away
    ],
)
def test_one_that_fails_each_time(
    release: Release, proxy: FaultyProxy, *, method: str, fault: Fault, code: int
) -> None:
    """It can't be read, or it can't be written to."""
    release.policy("  retry: {attempts: 2, baseDelay: 10ms}")
    proxy.fail(then=fault, only=method)
    ended, said = release.run()
    assert ended == code, said
    proxy.fail()
    assert attachments(release.image) == []
    release.recovers()


@pytest.mark.parametrize("fault", ["lost", "slow"])
def test_one_that_answers_late_or_never_has_taken_it(release: Release, proxy: FaultyProxy, fault: Fault) -> None:
    """Nothing is written twice for it."""
    proxy.fail(then=fault, only="PUT")
    code, said = release.run()
    assert (code == 0) == (fault == "slow"), said
    proxy.fail()
    release.recovers()


def test_one_that_hangs(release: Release, proxy: FaultyProxy) -> None:
    release.policy("  timeouts: {sign: 3}")
    proxy.fail(then="hang", only="PUT")
    code, said = release.run()
    assert code == 6, said
    assert "longer than 3 s" in said
    proxy.fail()
    assert attachments(release.image) == []
    release.policy("  timeouts: {}")
    release.recovers()


def test_two_machines_at_once(release: Release, tmp_path: Path) -> None:
    """They share no lock, so one's write may undo the other's: whoever ends well has seen it whole."""
    second = release.another(tmp_path / "second", SC_SECURE_CACHE=str(tmp_path / "cache"))
    with ThreadPoolExecutor() as both:
        ended = list(both.map(Release.run, (release, second)))
    for code, said in ended:
        assert code in {0, 6}, said
    assert any(code == 0 for code, _ in ended), ended
    for each in (release, second):
        code, said = each.run()
        assert code == 0, said
    assert WHOLE <= len(attachments(release.image)) <= 2 * WHOLE, "each may have attached its own"
