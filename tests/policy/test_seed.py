"""The seed document's files, as they stand there."""

from pathlib import Path

import pulumi
import pytest

import sc_secure
from sc_secure.errors import ConfigError
from sc_secure.policy.loading import load_policy, load_security
from tests.components.mocked import REFERENCE, Mocks, run

SEED = Path(__file__).parent / "seed"
CLIENT = (SEED / "client.yaml").read_text()
SECURITY = CLIENT.index("security:\n")
KEYS = [
    (number, line.strip(" -").partition(":")[0])
    for number, line in enumerate(CLIENT.splitlines(), start=1)
    if ":" in line and number > CLIENT.count("\n", 0, SECURITY) + 1
]


def test_the_client_s_file() -> None:
    assert load_security(str(SEED / "client.yaml")) == {
        "signing": {
            "enabled": True,
            "keyless": True,
            "verify": {
                "enabled": True,
                "oidc_issuer": "https://token.actions.githubusercontent.com",
                "identity_regexp": "^https://github.com/myorg/.*$",
            },
        },
        "sbom": {"enabled": True, "format": "cyclonedx-json", "attach": {"enabled": True, "sign": True}},
        "provenance": {"enabled": True},
        "scan": {"enabled": True, "tools": [{"name": "grype", "required": True, "fail_on": "critical"}]},
    }


def test_the_merged_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SEED)
    policy = load_policy(stack="myapp")
    assert policy.block.plain == {
        "signing": {"enabled": True, "keyless": True},
        "sbom": {"enabled": True},
        "scan": {"enabled": True, "tools": [{"name": "grype", "failOn": "high"}]},
    }
    from_child = {path for path, leaf in policy.block.leaves() if leaf.file == ".sc/stacks/myapp/client.yaml"}
    assert from_child == {("scan", "tools", "0", "name"), ("scan", "tools", "0", "failOn")}


@pytest.mark.parametrize(("line", "key"), KEYS, ids=[f"{line}-{key}" for line, key in KEYS])
def test_each_key_misspelt_is_refused_at_its_line(line: int, key: str, tmp_path: Path) -> None:
    lines = CLIENT.splitlines()
    lines[line - 1] = lines[line - 1].replace(f"{key}:", f"{key}x:")
    file = tmp_path / "client.yaml"
    file.write_text("\n".join(lines))
    with pytest.raises(ConfigError) as raised:
        load_security(str(file))
    said = raised.value.message
    assert f"{file}:{line}: security." in said
    assert f".{key}x: unknown key; did you mean {key}?" in said


def test_every_key_of_the_seed_is_tried() -> None:
    assert len(KEYS) == 21


def test_the_component_carries_out_the_client_s_file() -> None:
    mocks, args = Mocks(), {"image_ref": REFERENCE, "security_file": str(SEED / "client.yaml")}
    run(lambda: sc_secure.SecuredImage("web", args).urn, mocks)  # type: ignore[arg-type]
    commands = mocks.commands()
    assert " --keyless " in commands["web-sign"]
    assert "--certificate-identity-regexp '^https://github.com/myorg/.*$'" in commands["web-verify"]
    assert "--certificate-oidc-issuer https://token.actions.githubusercontent.com" in commands["web-verify"]


def test_the_parent_alone_names_nobody_who_must_have_signed() -> None:
    args = {"image_ref": REFERENCE, "security_file": str(SEED / ".sc/parent-stacks/security.yaml")}
    with pytest.raises(
        pulumi.RunError, match=r"security\.signing\.verify: .* must name identity_regexp and oidc_issuer"
    ):
        run(lambda: sc_secure.SecuredImage("web", args).urn, Mocks())  # type: ignore[arg-type]
