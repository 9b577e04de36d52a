"""docs/registries.md: its command tells registries apart. tests/registries/ is about all else on the page."""

import subprocess
from pathlib import Path

import pytest

from tests.docs.test_readme import ROOT, blocks
from tests.images import push_image
from tests.registries import servers


@pytest.mark.engine
@pytest.mark.parametrize(("start", "status"), [(servers.oci(), 200), (servers.crane, 404)], ids=["with it", "without"])
def test_whether_it_has_the_referrers_api(
    start: servers.Start, status: int, tools_env: dict[str, str], tmp_path: Path
) -> None:
    (command,) = blocks(ROOT / "docs/registries.md", "sh")
    (tmp_path / "server").mkdir()
    with start(tmp_path / "server") as server:
        push_image(tools_env, tmp_path, f"{server.address}/team/app", {})
        asked = command.replace("https://registry.example/", f"http://{server.address}/")
        assert asked != command
        done = subprocess.run(
            ["bash", "-euc", asked], env=tools_env, capture_output=True, text=True, timeout=30, check=True
        )
    assert done.stdout == f"{status}\n"
