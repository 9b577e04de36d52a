"""The examples of docs/keys.md do what it says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from sc_secure import SecuredImage, load_security
from sc_secure.tools.key import parse_key
from tests.components.mocked import REFERENCE, Mocks, run
from tests.docs.test_readme import ROOT, blocks
from tests.images import push_image

PAGE = ROOT / "docs/keys.md"


@pytest.mark.parametrize("policy", blocks(PAGE, "yaml"))
def test_each_policy_is_one_that_is_carried_out(policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: trial\nruntime: python\n")
    (tmp_path / "client.yaml").write_text(policy)
    monkeypatch.chdir(tmp_path)
    mocks, security = Mocks(), load_security("client.yaml")
    run(lambda: SecuredImage("app", {"image_ref": REFERENCE, "security": security}).deployable_ref, mocks)  # type: ignore[typeddict-item]
    commands = mocks.commands()
    if "keys" in policy:
        assert "--key new.pub" in commands["app-verify"]
        assert "--key old.pub" in commands["app-verify"]
        assert "--key new.key" in commands["app-sign"]
    if "format" in policy:
        assert all("--signature-format both" in commands[step] for step in ("app-sign", "app-attest-sbom"))


def test_the_addresses_are_of_the_form_that_is_taken() -> None:
    rows = [line.split("|")[2] for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    addresses = [each.strip(" `") for row in rows for each in row.split(",") if ":" in each]
    assert len(addresses) > 6
    for address in addresses:
        if not address.startswith("env://"):
            assert parse_key(address.replace("…", "x"), None, {}).reference


def test_replacing_a_key(tools_env: dict[str, str], registry: str, tmp_path: Path) -> None:
    image = push_image(tools_env, tmp_path, f"{registry}/keys-page", {"six": "1.16"})
    env = tools_env | {"COSIGN_PASSWORD": "test", "ref": image}

    def shell(script: str) -> int:
        return subprocess.run(["sh", "-ec", script], cwd=tmp_path, env=env, check=False, capture_output=True).returncode

    for name in ("old", "new"):
        assert shell(f"cosign generate-key-pair --output-key-prefix {name}") == 0
    _, again, without = blocks(PAGE, "sh")
    signed, attached, verified = again.strip().splitlines()
    assert shell(signed.replace("new.key", "old.key")) == shell(attached.replace("new.key", "old.key")) == 0
    assert shell(verified) == 0, "the old key's are still accepted"
    assert shell(without) == 4
    assert shell(again) == 0
    assert shell(without) == 0
    shutil.rmtree(tmp_path / ".sc")
