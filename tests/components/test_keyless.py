"""Signing without a key, and with witnesses: what stands in the commands, and what is refused in the preview."""

import shlex
from pathlib import Path
from typing import Any

import pulumi
import pytest

import sc_secure
from tests.components.mocked import REFERENCE, Mocks, run

IDENTITY = {"identity_regexp": "^https://github.com/acme/.*$", "oidc_issuer": "https://i.test"}
PRIVATE = {"signing_config": "sigstore/config.json", "trusted_root": "sigstore/root.json"}


def secured(signing: dict[str, Any], mocks: Mocks | None = None, **more: Any) -> dict[str, str]:
    mocks = mocks or Mocks()
    args: Any = {"image_ref": REFERENCE, "security": {"signing": signing, **more}}
    run(lambda: sc_secure.SecuredImage("app", args).deployable_ref, mocks)
    return mocks.commands()


def test_the_public_sigstore() -> None:
    commands = secured({"keyless": True, "verify": IDENTITY}, sbom={}, provenance={}, scan={})
    for step in ("sign", "attest-sbom", "attest-provenance", "attest-scan"):
        words = shlex.split(commands[f"app-{step}"])
        assert "--keyless" in words
        assert not {"--key", "--signing-config", "--trusted-root", "--no-transparency-log"} & set(words)
    verify = shlex.split(commands["app-verify"])
    assert verify[verify.index("--certificate-identity-regexp") + 1] == IDENTITY["identity_regexp"]
    assert verify[verify.index("--certificate-oidc-issuer") + 1] == IDENTITY["oidc_issuer"]
    assert "--trusted-root" not in verify


@pytest.mark.parametrize(
    ("signing", "signs", "verifies"),
    [
        (
            {"keyless": True, **PRIVATE},
            "--keyless --trusted-root sigstore/root.json --signing-config sigstore/config.json",
            "--trusted-root sigstore/root.json",
        ),
        (
            {"keyless": True, **PRIVATE, "transparency_log": False, "oidc_issuer": "https://i.test"},
            "--keyless --no-transparency-log --oidc-issuer https://i.test --trusted-root sigstore/root.json"
            " --signing-config sigstore/config.json",
            "--trusted-root sigstore/root.json --no-transparency-log",
        ),
        (
            {
                "keyless": True,
                "fulcio_url": "https://f.test",
                "rekor_url": "https://r.test",
                "tsa_url": "https://t.test/api",
                "trusted_root": "r.json",
            },
            "--keyless --fulcio-url https://f.test --rekor-url https://r.test --tsa-url https://t.test/api"
            " --trusted-root r.json",
            "--trusted-root r.json",
        ),
        (
            {"key": "k", "transparency_log": True, **PRIVATE},
            "--key k --transparency-log --trusted-root sigstore/root.json --signing-config sigstore/config.json",
            "--key k --transparency-log --trusted-root sigstore/root.json",
        ),
        ({"key": "k", "transparency_log": True}, "--key k --transparency-log", "--key k --transparency-log"),
        (
            {"key": "k", "tsa_url": "https://t.test", "trusted_root": "r.json"},
            "--key k --no-transparency-log --tsa-url https://t.test --trusted-root r.json",
            "--key k --no-transparency-log",
        ),
    ],
)
def test_who_witnesses_it(signing: dict[str, Any], signs: str, verifies: str) -> None:
    commands = secured({**signing, "verify": IDENTITY if "keyless" in signing else {}})
    start = f".sc/bin/sc-secure image sign --image {REFERENCE} "
    assert commands["app-sign"] == f"{start}{signs} --output json"
    assert f" {verifies} --output json" in commands["app-verify"]


def test_a_file_s_content_decides_a_re_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: x\n")
    (tmp_path / "config.json").write_text("{}")
    mocks = Mocks()
    args: Any = {"image": REFERENCE, "keyless": True, "signing_config": "config.json", "trusted_root": "root.json"}
    run(lambda: sc_secure.SignCommand("sign", args).passed_ref, mocks)
    _, inputs = mocks.resources["command:local:Command::sign"]
    assert inputs["environment"]["SC_SECURE_SIGNING_CONFIG"] == "44136fa355b3678a"
    assert inputs["environment"]["SC_SECURE_TRUSTED_ROOT"] == ""
    assert not any("TOKEN" in name for name in inputs["environment"])


@pytest.mark.parametrize(
    ("signing", "said"),
    [
        ({"keyless": True}, "security.signing.verify: the policy signs without a key"),
        ({"keyless": True, "verify": {"oidc_issuer": "https://i"}}, "security.signing.verify: the policy signs"),
        ({"keyless": True, "verify": IDENTITY, **PRIVATE, "trusted_root": "/r.json"}, "trusted_root: an absolute path"),
        ({"keyless": True, "verify": IDENTITY, "trusted_root": "r"}, "trusted_root: goes with signing_config"),
        ({"keyless": True, "verify": IDENTITY, "signing_config": "c"}, "security.signing.trusted_root: missing"),
        ({"keyless": True, "verify": IDENTITY, "fulcio_url": "http://f"}, "security.signing.fulcio_url: an https://"),
        ({"key": "k", "oidc_issuer": "https://i"}, "security.signing.oidc_issuer: has no meaning with a key"),
        ({"keyless": True, "password_env": "P"}, "security.signing.password_env: has no meaning with keyless"),
    ],
)
def test_refused_in_the_preview(signing: dict[str, Any], said: str) -> None:
    mocks = Mocks()
    with pytest.raises(pulumi.RunError) as raised:
        secured(signing, mocks)
    assert said in str(raised.value)
    assert mocks.resources == {}


@pytest.mark.parametrize(
    ("component", "args", "said"),
    [
        ("SignCommand", {}, "key: missing: say how to sign: a key, or keyless: true"),
        ("SignCommand", {"keyless": False}, "key: missing"),
        ("SignCommand", {"key": "k", "keyless": True}, "keyless and key exclude each other"),
        ("SignCommand", {"keyless": True, "rekor_url": "https://r", "trusted_root": "r"}, "fulcio_url: missing"),
        ("AttestCommand", {"predicate": "scan", "keyless": True, "signing_config": "c"}, "trusted_root: missing"),
        ("VerifyCommand", {"key": "k", "trusted_root": "r"}, "trusted_root: goes with transparency_log"),
        ("VerifyCommand", {"key": "k", "identity_regexp": "a"}, "identity_regexp: excludes key"),
    ],
)
def test_a_step_of_its_own_is_refused_alike(component: str, args: dict[str, Any], said: str) -> None:
    mocks = Mocks()
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: getattr(sc_secure, component)("bad", {"image": REFERENCE, **args}).urn, mocks)
    assert said in str(raised.value)
    assert mocks.resources == {}


def test_without_verifying_nobody_has_to_be_named() -> None:
    commands = secured({"keyless": True, "verify": {"enabled": False}})
    assert "app-verify" not in commands
