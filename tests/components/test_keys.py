"""Several keys, and cosign's older format, as arguments: which words they make, and how they are refused."""

from typing import Any

import pulumi
import pytest

from sc_secure import AttestCommand, SignCommand, VerifyCommand
from sc_secure.components._validate import InvalidArgs
from tests.components.mocked import REFERENCE, Mocks, run


def command(component: Any, **args: Any) -> str:
    mocks = Mocks()
    run(lambda: component("step", {"image": REFERENCE, **args}).passed_ref, mocks)
    return mocks.commands()["step"]


def test_each_key_is_a_word_of_the_command_and_a_file_of_the_step() -> None:
    mocks = Mocks()
    args: Any = {"image": REFERENCE, "key": "new.pub", "keys": ["old.pub", "awskms:///alias/older"]}
    run(lambda: VerifyCommand("step", args).passed_ref, mocks)
    assert "--key new.pub --no-transparency-log --key old.pub --key awskms:///alias/older" in mocks.commands()["step"]
    environment = mocks.resources["command:local:Command::step"][1]["environment"]
    assert {"SC_SECURE_KEY", "SC_SECURE_KEY_1"} <= set(environment)
    assert "SC_SECURE_KEY_2" not in environment


def test_the_format_is_a_word_where_it_isnt_the_usual_one() -> None:
    for form, words in (("bundle", ""), ("legacy", "--signature-format legacy")):
        for component, args in ((SignCommand, {}), (AttestCommand, {"predicate": "scan"})):
            made = command(component, key="cosign.key", signature_format=form, **args)
            assert ("--signature-format" in made) == bool(words)
            assert words in made


def test_the_format_goes_with_each_who_signs() -> None:
    private = {"fulcio_url": "https://f.test", "rekor_url": "https://r.test", "trusted_root": "root.json"}
    signers: tuple[dict[str, Any], ...] = (
        {"keyless": True},
        {"keyless": True, **private},
        {"key": "cosign.key", "transparency_log": True},
    )
    for who in signers:
        for component, args in ((SignCommand, {}), (AttestCommand, {"predicate": "scan"})):
            made = command(component, signature_format="both", **who, **args)
            assert "--signature-format both" in made


@pytest.mark.parametrize(
    ("component", "args", "path", "reason"),
    [
        (VerifyCommand, {"keys": ["a.pub"]}, "keys", "has no meaning without a key"),
        (VerifyCommand, {"key": "a.pub", "keys": ["/elsewhere/b.pub"]}, "keys[0]", "an absolute path outside"),
        (SignCommand, {"key": "k", "signature_format": "old"}, "signature_format", "'bundle', 'legacy' or 'both'"),
    ],
)
def test_refused_before_anything_is_registered(
    component: type[pulumi.ComponentResource], args: dict[str, Any], path: str, reason: str
) -> None:
    mocks = Mocks()
    with pytest.raises(InvalidArgs) as raised:
        run(lambda: component("step", {"image": REFERENCE, **args}), mocks)  # type: ignore[arg-type]
    assert f"{path}: " in str(raised.value)
    assert reason in str(raised.value)
    assert not mocks.commands()
