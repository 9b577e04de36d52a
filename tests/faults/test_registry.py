"""Registries that fail at random: a release ends well or says why, and is whole once the registry is well again."""

import pytest

from tests.faults.conftest import Release
from tests.faulty_proxy import faulty_proxy
from tests.images import attachments

FAULTS = (500, 503, 429, "cut", "lost", "short")


@pytest.mark.parametrize("seed", range(2))
def test_a_registry_that_fails_now_and_then(release: Release, seed: int) -> None:
    direct = release.image
    host, _, rest = direct.partition("/")
    with faulty_proxy(f"http://{host}") as proxy:
        release.image = f"{proxy.url.removeprefix('http://')}/{rest}"
        proxy.fail_at_random(seed, 0.1, FAULTS)
        code, said = release.run()
        assert code in {0, 6}, said
        assert "Traceback" not in said
        proxy.fail()
        code, said = release.run()
        assert code == 0, said
    assert len(attachments(direct)) == 4
