"""The pipeline for any other CI system, and the scripts that all of them share."""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from devtools.sigstore.services import Sigstore
from tests.ci.shop import SECRETS, Shop
from tests.keyless import DEV

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(shop: Shop, tmp_path: Path) -> Run:
    """Runs a script of the example in a checkout of the last commit, with the shell that /bin/sh is."""
    (tmp_path / "home").mkdir()
    folder = tmp_path / "job"

    def call(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        if not folder.exists():
            shop.clone(shop.commit("x"), folder)
        whole = {**shop.machine, "HOME": str(tmp_path / "home"), **env}
        return subprocess.run(
            ["sh", *words], cwd=folder, env=whole, capture_output=True, text=True, timeout=180, check=False
        )

    return call


@pytest.fixture
def settings(shop: Shop) -> Mapping[str, str]:
    registry = {"REGISTRY": shop.registry, "REGISTRY_USER": "ci", "REGISTRY_PASSWORD": "registry-sentinel"}
    return {"STACK": "production", **registry, **shop.backend, **SECRETS}


@pytest.mark.engine
def test_a_deployment_and_a_preview(
    shop: Shop, run: Run, settings: Mapping[str, str], sigstore: Sigstore, tmp_path: Path
) -> None:
    shop.issued_by(sigstore.issuer(), DEV)
    token = sigstore.token(DEV)
    done = run("ci/pipeline.sh", "deploy", **settings, SIGSTORE_ID_TOKEN=token)
    assert done.returncode == 0, done.stdout + done.stderr
    job = tmp_path / "job"
    assert json.loads((job / "reports/release.json").read_text())["verdict"] == "secured"
    who = (f"--certificate-identity={DEV}", f"--certificate-oidc-issuer={sigstore.issuer()}")
    assert shop.cosign("verify", *who, shop.outputs()["deployable_ref"])
    assert not (tmp_path / "home/.docker").exists(), "the password is for the run alone"

    preview = run("ci/pipeline.sh", "preview", **settings, BASE=".")
    assert preview.returncode == 0, preview.stdout + preview.stderr
    assert "## Security: nothing changes\n" in (job / "preview.md").read_text()
    (job / "__main__.py").write_text("raise ValueError('broken on purpose')\n")
    broken = run("ci/pipeline.sh", "preview", **settings, BASE=".")
    assert broken.returncode == 1
    assert "broken on purpose" in broken.stderr
    assert not (job / "preview.json").exists()
    said = "".join(each.stdout + each.stderr for each in (done, preview, broken))
    for secret in ("registry-sentinel", token.rpartition(".")[2], SECRETS["PULUMI_CONFIG_PASSPHRASE"]):
        assert secret not in said


def test_other_work_is_refused(run: Run) -> None:
    for words in ((), ("destroy",)):
        done = run("ci/pipeline.sh", *words)
        assert (done.returncode, done.stderr) == (2, "usage: sh ci/pipeline.sh preview|deploy\n")


def test_a_login_is_the_owner_s_alone(run: Run, shop: Shop, tmp_path: Path) -> None:
    password = 'a"b\\c $(id)' + "x" * 100
    login = {"REGISTRY": shop.registry, "REGISTRY_USER": "ci", "REGISTRY_PASSWORD": password}
    assert run("ci/registry-login.sh", **login).returncode == 0
    file = tmp_path / "home/.docker/config.json"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    command = ["python3", "-c", f"import base64, json; print(base64.b64decode(json.load(open('{file}'))"]
    command[-1] += f"['auths']['{shop.registry}']['auth']).decode())"
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == f"ci:{password}\n"
    for name in login:
        done = run("ci/registry-login.sh", **{**login, name: ""})
        assert done.returncode != 0
        assert name in done.stderr


@pytest.mark.parametrize("tool", ["cosign", "syft", "grype", "pulumi"])
def test_a_download_that_is_not_the_expected_one_is_not_used(run: Run, shop: Shop, tool: str) -> None:
    installer = shop.repository / "ci/install-tools.sh"
    installer.write_text(re.sub(rf"( {tool}_sum=)[0-9a-f]{{4}}", r"\g<1>0000", installer.read_text()))
    done = run("ci/install-tools.sh", "tools", GITHUB_PATH="added")
    assert done.returncode == 1
    assert "isn't what was expected: its SHA-256 is " in done.stderr
    assert f"/{tool}" in done.stderr
    job = shop.repository.parents[1] / "job"
    assert list((job / "tools").iterdir()) == []
    assert not (job / "added").exists()


def test_another_platform_is_refused(run: Run, shop: Shop, tmp_path: Path) -> None:
    uname = tmp_path / "uname/uname"
    uname.parent.mkdir()
    uname.write_text('#!/bin/sh\n[ "$1" = -m ] && echo riscv64 || echo Linux\n')
    uname.chmod(0o755)
    done = run("ci/install-tools.sh", "tools", PATH=f"{uname.parent}:{shop.machine['PATH']}")
    assert done.returncode == 1
    assert "no checksums for Linux on riscv64" in done.stderr


def test_on_arm(run: Run, shop: Shop, tmp_path: Path) -> None:
    uname = tmp_path / "uname/uname"
    uname.parent.mkdir()
    uname.write_text('#!/bin/sh\n[ "$1" = -m ] && echo aarch64 || echo Linux\n')
    uname.chmod(0o755)
    done = run("ci/install-tools.sh", "tools", PATH=f"{uname.parent}:{shop.machine['PATH']}")
    assert done.returncode == 0, done.stderr
    installed = {file.name for file in (tmp_path / "job/tools").iterdir()}
    assert installed == {"cosign", "syft", "grype", "pulumi", "pulumi-language-python"}
