"""What provenance records of the build's arguments, and what verifying demands of it, as words of the commands."""

from typing import Any

import pulumi
import pytest

from sc_secure import SecuredImage, VerifyCommand
from sc_secure.components._validate import InvalidArgs
from tests.components.mocked import REFERENCE, Mocks, run

SIGNING: dict[str, Any] = {"key": "cosign.key"}


def secured(args: dict[str, Any], security: dict[str, Any]) -> Mocks:
    mocks = Mocks()
    given: Any = {
        "image_name": "registry.example/app:1",
        "build": {"context": "app", "args": args},
        "security": security,
    }
    run(lambda: SecuredImage("app", given).deployable_ref, mocks)
    return mocks


def test_values_only_where_a_name_allows_it() -> None:
    made = secured(
        {"VERSION": "1.2", "TOKEN": "hidden"}, {"signing": SIGNING, "provenance": {"build_args": ["VERSION", "GONE"]}}
    )
    command = made.commands()["app-attest-provenance"]
    assert "--build-arg-name TOKEN --build-arg VERSION=1.2" in command
    assert "hidden" not in command


@pytest.mark.parametrize("value", [pulumi.Output.secret("hidden"), pulumi.Output.from_input("later")])
def test_a_value_that_isnt_plain_is_never_recorded(value: pulumi.Output[str]) -> None:
    made = Mocks()
    given: Any = {
        "image_name": "registry.example/app:1",
        "build": {"context": "app", "args": {"TOKEN": value}},
        "security": {"signing": SIGNING, "provenance": {"build_args": ["TOKEN"]}},
    }
    with pytest.raises(InvalidArgs) as raised:
        run(lambda: SecuredImage("app", given).deployable_ref, made)
    assert "security.provenance.build_args[0]: its value is an output or a secret" in str(raised.value)
    assert not made.resources


def test_what_verifying_demands() -> None:
    verify = {"builder_id": "https://ci.example/b", "source_uri": "https://git.example/acme/shop"}
    made = secured({}, {"signing": {**SIGNING, "verify": verify}, "provenance": {}})
    command = made.commands()["app-verify"]
    assert "--builder-id https://ci.example/b --source-uri https://git.example/acme/shop" in command


@pytest.mark.parametrize("provenance", [{"enabled": False}, {"required": False}])
def test_what_nothing_could_name_isnt_demanded(provenance: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgs) as raised:
        secured({}, {"signing": {**SIGNING, "verify": {"source_uri": "https://x.example/y"}}, "provenance": provenance})
    assert "add a provenance section" in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("builder_id", " ", "not a URI"),
        ("source_uri", "shop", "names no repository"),
        ("source_commit", "abc123", "not a whole commit"),
    ],
)
def test_what_demands_nothing_is_refused_before_anything(key: str, value: str, reason: str) -> None:
    mocks, args = Mocks(), {"image": REFERENCE, "key": "k.pub", key: value}
    with pytest.raises(InvalidArgs) as raised:
        run(lambda: VerifyCommand("step", args).passed_ref, mocks)  # type: ignore[arg-type]
    assert f"{key}: {reason}" in str(raised.value)
    assert not mocks.resources
    if key != "source_commit":
        with pytest.raises(InvalidArgs) as raised:
            secured({}, {"signing": {**SIGNING, "verify": {key: value}}, "provenance": {}})
        assert f"security.signing.verify.{key}: {reason}" in str(raised.value)
