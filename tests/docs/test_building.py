"""Every program of docs/building.md, run as it stands there."""

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.components.mocked import DIGEST, Mocks, run
from tests.docs.test_readme import ROOT, blocks, test_links_lead_somewhere

PAGE = ROOT / "docs/building.md"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What the builders are given: an image's name -> its inputs."""
    monkeypatch.chdir(tmp_path)
    mocks = Mocks(outputs={"docker-build:index:Image": {"digest": DIGEST}})
    secrets = {"trial:indexToken": "s3cret", "trial:basesPassword": "s3cret"}
    pulumi.runtime.set_all_config(secrets, list(secrets))

    def whole() -> pulumi.Output[Any]:
        images: list[pulumi.Output[str]] = []
        for program in blocks(PAGE, "python"):
            names: dict[str, Any] = {}
            exec(compile(program, PAGE.name, "exec"), names)  # noqa: S102 - it's our own document
            images.append(names["image"].deployable_ref)
        return pulumi.Output.all(*images)

    assert [ref.split("@")[1] for ref in run(whole, mocks)] == [DIGEST] * 3
    return {name.split()[1]: inputs for name, inputs in mocks.of("docker-build:index:").items()}


def test_the_programs_build_what_the_page_says(made: dict[str, dict[str, Any]]) -> None:
    assert made["web-image"]["platforms"] == ["linux/amd64", "linux/arm64"]
    assert made["app-image"]["secrets"]["value"] == {"index_token": "s3cret"}
    assert made["cached-image"]["network"] == "none"
    assert made["cached-image"]["cacheTo"][0]["raw"].startswith(made["cached-image"]["cacheFrom"][0]["raw"])


def test_the_page_names_what_docker_does_not_have() -> None:
    from sc_secure.components._build import _OF_DOCKER_BUILD  # noqa: PLC0415 - what is named nowhere else

    named = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    assert set(_OF_DOCKER_BUILD) <= named


def test_the_page_s_links_lead_somewhere() -> None:
    test_links_lead_somewhere(PAGE)
