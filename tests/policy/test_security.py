"""The `security:` block: what it means, and how what isn't allowed is refused."""

from typing import Any

import pytest

from sc_secure.errors import ConfigError
from sc_secure.policy.security import Security, parse_security

SEED: dict[str, Any] = {
    "signing": {"enabled": True, "key": "cosign.key", "verify": {"enabled": True, "key": "cosign.pub"}},
    "sbom": {"enabled": True, "format": "cyclonedx-json", "attach": {"enabled": True, "sign": True}},
    "provenance": {"enabled": True},
    "scan": {"enabled": True, "tools": [{"name": "grype", "required": True, "failOn": "critical"}]},
}


def test_the_seed_s_block() -> None:
    security = parse_security(SEED)
    assert security.attaches_sbom
    assert security.attests_scan
    assert security.provenance.builder_id is None
    assert security.scan.effective_fail_on == "critical"


def test_absent_sections_are_off_and_present_ones_on() -> None:
    security = parse_security({"scan": {}})
    assert security.scan.enabled
    assert not (security.sbom.enabled or security.signing.enabled or security.provenance.enabled)
    assert not security.attests_scan
    assert parse_security({}) == Security()


@pytest.mark.parametrize(
    ("scan", "threshold"),
    [
        ({}, "critical"),
        ({"failOn": "medium"}, "medium"),
        ({"tools": [{"name": "grype", "failOn": "low"}]}, "low"),
        ({"failOn": "high", "tools": [{"name": "grype", "failOn": "critical"}]}, "high"),
        ({"failOn": "high", "tools": [{"name": "grype", "failOn": "unknown"}]}, "unknown"),
        ({"tools": [{"name": "grype", "failOn": "low"}, {"name": "trivy", "enabled": False}]}, "low"),
        ({"tools": [{"name": "grype", "failOn": "low"}, {"name": "trivy"}]}, "critical"),  # grype's alone
    ],
)
def test_the_stricter_threshold_counts(scan: dict[str, Any], threshold: str) -> None:
    assert parse_security({"scan": scan}).scan.effective_fail_on == threshold


def test_every_problem_is_said_at_once_with_its_path() -> None:
    block = {"singing": {}, "scan": {"failon": "high", "onlyFixed": "yes"}, "sbom": {"attach": {"sing": True}}}
    with pytest.raises(ConfigError) as raised:
        parse_security(block)
    assert set(raised.value.message.splitlines()) == {
        "security.singing: unknown key; did you mean signing?",
        "security.scan.failon: unknown key; did you mean failOn?",
        "security.scan.onlyFixed: Input should be a valid boolean",
        "security.sbom.attach.sing: unknown key; did you mean sign?",
    }


def paths(block: dict[str, Any], here: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in block.items():
        found.append((*here, key))
        if isinstance(value, dict):
            found += paths(value, (*here, key))
        if isinstance(value, list):
            found += paths(value[0], (*here, key, "0"))
    return found


@pytest.mark.parametrize("path", paths(SEED), ids=".".join)
def test_each_key_of_the_seed_misspelt_is_refused_with_its_path(path: tuple[str, ...]) -> None:
    def misspelt(block: Any, rest: tuple[str, ...]) -> Any:
        key, *more = rest
        if isinstance(block, list):
            return [misspelt(block[0], tuple(more))]
        if not more:
            return {(name + "x" if name == key else name): value for name, value in block.items()}
        return {name: misspelt(value, tuple(more)) if name == key else value for name, value in block.items()}

    with pytest.raises(ConfigError) as raised:
        parse_security(misspelt(SEED, path))
    assert f"security.{'.'.join(path)}x: unknown key; did you mean {path[-1]}?" in raised.value.message


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"signing": {"keyless": True, "key": "k"}}, "keyless and key exclude each other"),
        ({"signing": {}}, "say how to sign"),
        ({"provenance": {}}, "add a signing section"),
        ({"sbom": {"attach": {}}}, "sbom.attach needs a signing section"),
        ({"scan": {"attest": True}}, "scan.attest needs a signing section"),
        ({"sbom": {"attach": {"sign": False}}}, "isn't available in this version"),
        ({"scan": {"tools": [{"name": "grype", "enabled": False}]}}, "no scanner is enabled"),
        ({"scan": {"tools": [{"name": "clair"}]}}, "security.scan.tools.0.name"),
        ({"timeouts": {"scan": 0}}, "security.timeouts.scan"),
        ({"provenance": {"builderId": "no uri"}}, "security.provenance.builderId"),
        ({"scan": {"fail_on": "high"}}, "unknown key; did you mean failOn?"),
        ({"scan": {"output": {"local": "../a"}}}, "security.scan.output.local: a file's path relative to the project"),
        ({"sbom": {"output": {"local": "/a"}}}, "security.sbom.output.local: a file's path relative to the project"),
        (
            {"scan": {"ignore": [{"id": each, "reason": "r", "expires": "2099-01-01"} for each in ("CVE-1", "cve-1")]}},
            "CVE-1 stands there twice",
        ),
        ({"scan": {"rescanAfter": "1h", "tools": [{"name": "grype"}] * 2}}, "a scanner stands there twice"),
        ({"scan": {"vex": ["a", "a"]}}, "at most 20 documents, each once"),
        ({"signing": {"keyless": True, "verify": {"key": "k"}}}, "security.signing.verify.key: has no meaning"),
        ({"signing": {"keyless": True, "verify": {"keys": ["k"]}}}, "security.signing.verify.key: has no meaning"),
        ({"signing": {"key": "k", "verify": {"oidcIssuer": "i"}}}, "security.signing.verify.identityRegexp: has no"),
        ({"signing": {"keyless": True, "passwordEnv": "P"}}, "security.signing.passwordEnv: has no meaning"),
        ({"signing": {"key": "k", "format": "old"}}, "security.signing.format"),
        ({"signing": {"key": "k", "required": False, "verify": {"enabled": True}}}, "it can't be verified"),
        ({"signing": {"key": "k", "verify": {"builderId": "b"}}}, "add a provenance section"),
        ({"signing": {"key": "k", "verify": {"sourceUri": "g.test/a"}}, "provenance": {"required": False}}, "required"),
    ],
)
def test_what_can_t_be_carried_out_is_refused(block: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_security(block)
    assert said in raised.value.message


@pytest.mark.parametrize("form", ["bundle", "legacy", "both"])
def test_each_form_is_for_all_who_sign_and_witness(form: str) -> None:
    private = {"fulcioUrl": "https://f.test", "trustedRoot": "root.json"}
    ways: tuple[dict[str, Any], ...] = (
        {"keyless": True},
        {"key": "k"},
        {"key": "k", "transparencyLog": True},
        {"keyless": True, **private, "rekorUrl": "https://r.test"},
        {"keyless": True, **private, "transparencyLog": False, "tsaUrl": "https://t.test"},
        {"key": "k", "signingConfig": "config.json", "trustedRoot": "root.json"},
    )
    for said in ways:
        assert parse_security({"signing": {**said, "format": form}}).signing.format == form
