"""Every program of docs/cloud-run.md, run as it stands there."""

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.components.google import google
from tests.components.mocked import run

PAGE = Path(__file__).parents[2] / "docs/cloud-run.md"
EXAMPLE = Path(__file__).parents[2] / "examples/cloud-run/README.md"


def test_the_programs_declare_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported: dict[str, pulumi.Output[Any]] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)
    programs = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    mocks = google()

    def whole() -> pulumi.Output[Any]:
        exec(compile("\n".join(programs), PAGE.name, "exec"), {})  # noqa: S102 - it's our own document
        return exported["url"]

    assert str(run(whole, mocks)).startswith("https://")
    services = {name.split()[1] for name in mocks.of("gcp:cloudrunv2/service:")}
    how_tos = {"existing-account", "secrets", "sidecar", "split", "back", "checked", "inside", "internal", "public"}
    assert services == {"web"} | how_tos
    assert {name.split()[1] for name in mocks.of("gcp:secretmanager")} == {
        "web-secret-web-token",
        "secrets-secret-web-token",
        "secrets-secret-web-tls",
    }
    rights = mocks.of("gcp:cloudrunv2/serviceIamMember")
    assert {name.split()[1] for name in rights} == {"internal-invoker-shop", "public-public"}
    # the gates: one a container, before all of it
    commands = mocks.commands()
    assert {f"{service}-verify" for service in services} | {"sidecar-verify-proxy"} <= set(commands)
    assert "--attestation cyclonedx" in commands["web-verify"]


@pytest.mark.parametrize("page", [PAGE, EXAMPLE], ids=["page", "example"])
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_argument_is_on_the_page() -> None:
    from sc_secure import ArtifactRegistryRepositoryArgs, SecuredCloudRunServiceArgs  # noqa: PLC0415

    named = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    for args in (SecuredCloudRunServiceArgs, ArtifactRegistryRepositoryArgs):
        assert set(args.__annotations__) <= named
