"""docs/air-gap.md: its policies and commands, where no network is but the registry's port."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools.sigstore.services import Sigstore
from tests import isolated
from tests.bundles import bundle_of
from tests.command_line import wrap
from tests.docs.test_readme import ROOT, blocks
from tests.engine.conftest import new_project  # noqa: F401 - a fixture
from tests.engine.secured_project import SecuredProject
from tests.images import attachments, push_image

# ruff: noqa: F811 - a fixture's name is an argument's

PAGE = ROOT / "docs/air-gap.md"
POLICY, WITH_TIMESTAMPS = blocks(PAGE, "yaml")
SETTINGS, RELEASE, BY_COSIGN = blocks(PAGE, "sh")
DATABASE = next(line for line in SETTINGS.splitlines() if "GRYPE_DB" in line)


def port(address: str) -> int:
    return int(re.findall(r":(\d+)", address)[0])


@pytest.fixture
def image(tools_env: dict[str, str], registry: str, tmp_path: Path) -> str:
    return push_image(tools_env, tmp_path, f"{registry}/gap-{tmp_path.stat().st_ino}", {"six": "1.16"})


@pytest.fixture
def env(tools_env: dict[str, str], image: str, key_pair: Path, tmp_path: Path) -> dict[str, str]:
    """What the commands get; a home without anything that an earlier run fetched."""
    assert key_pair.parent == tmp_path
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in tools_env.items() if name not in ("GRYPE_DB_AUTO_UPDATE", "HOME")}
    return kept | {"HOME": str(home), "COSIGN_PASSWORD": "test", "ref": image}


def shell(ports: Path, script: str, where: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return isolated.run(ports, ["sh", "-ec", script], where, env)


@pytest.mark.parametrize("clock", [False, True], ids=["key alone", "with timestamps"])
def test_a_release(
    *, env: dict[str, str], image: str, registry: str, sigstore: Sigstore, tmp_path: Path, clock: bool
) -> None:
    reached, policy = [port(registry)], POLICY
    if clock:
        policy = re.sub(r"tsaUrl: \S+", f"tsaUrl: {sigstore.urls['tsa']}", WITH_TIMESTAMPS)
        policy = policy.replace("sigstore/trusted_root.json", str(sigstore.trusted_root))
        reached.append(port(sigstore.urls["tsa"]))
    (tmp_path / "policy.yaml").write_text(policy)
    with isolated.ports(*reached) as ports:
        done = shell(ports, f"{DATABASE}\n{RELEASE}\n{BY_COSIGN}", tmp_path, env)
        assert done.returncode == 0, done.stderr
        made = attachments(image)
        assert len(made) == 4
        for each in made:
            material = bundle_of(image, each)["verificationMaterial"]
            assert "tlogEntries" not in material
            assert ("timestampVerificationData" in material) == clock
        again = shell(ports, f"{DATABASE}\n{RELEASE}", tmp_path, env)
        assert again.returncode == 0, again.stderr
        assert attachments(image) == made


def test_there_is_no_network_there(env: dict[str, str], image: str, registry: str, tmp_path: Path) -> None:
    """What the other tests rest on: without the registry's port, the same ends."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    assert image.startswith(registry)
    with isolated.ports() as ports:
        done = shell(ports, f"{DATABASE}\n{RELEASE.splitlines()[0]}", tmp_path, env)
    assert done.returncode == 6, done.stderr
    assert "refused" in done.stderr
    assert attachments(image) == []


def test_an_authority_that_cannot_be_reached(
    env: dict[str, str], image: str, registry: str, sigstore: Sigstore, tmp_path: Path
) -> None:
    policy = WITH_TIMESTAMPS.replace("sigstore/trusted_root.json", str(sigstore.trusted_root))
    (tmp_path / "policy.yaml").write_text(policy + "  retry: {attempts: 2, baseDelay: 10ms}\n")
    with isolated.ports(port(registry)) as ports:
        done = shell(ports, f"{DATABASE}\n{RELEASE}", tmp_path, env)
    assert done.returncode == 6, done.stderr
    assert "timestamps.acme.example" in done.stderr
    assert attachments(image) == []


@pytest.mark.engine
def test_an_update(new_project: Callable[..., SecuredProject]) -> None:
    """`pulumi up`: the engine, its plugins and the steps; the docker engine is outside, behind its socket."""
    project = new_project()
    with isolated.ports(port(project.registry)) as ports:
        inside = " ".join(isolated.command(ports, ["$real"]))
        project.environment = wrap(project.folder.parent / "bin", project.environment, "pulumi", f'exec {inside} "$@"')
        run = project.up()
        assert run.code == 0, run.text
        assert project.stack_outputs()["app_status"] == "secured"
        assert len(project.attached(project.stack_outputs()["app_deployable_ref"])) == 4
        again = project.up()
        assert (again.code, set(again.steps.values())) == (0, {"same"}), again.text


def test_the_settings_are_those_of_the_tests(pulumi_env: dict[str, str]) -> None:
    """What the page tells to set is set here, so that what it says without them isn't what was tried."""
    named = set(re.findall(r"\b([A-Z_]+)=", SETTINGS))
    assert named - {"PULUMI_BACKEND_URL"} <= set(pulumi_env)
