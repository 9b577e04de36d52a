"""How often, and how soon, something is tried again: what a policy may say."""

import pytest

from sc_secure.errors import ConfigError
from sc_secure.policy.security import parse_security


@pytest.mark.parametrize(
    ("said", "seconds"), [(0, 0), (2, 2), (0.25, 0.25), ("500ms", 0.5), ("1.5s", 1.5), ("60s", 60), ("0ms", 0)]
)
def test_a_delay(said: float | str, seconds: float) -> None:
    assert parse_security({"retry": {"baseDelay": said}}).retry.base_delay == seconds


@pytest.mark.parametrize("said", ["", "5", "5m", "-1s", "1e3ms", "61s", 61, -1, True, None, [], "٣s", "1.5 s", "nan"])
def test_no_delay(said: object) -> None:
    with pytest.raises(ConfigError, match=r"security\.retry\.baseDelay: "):
        parse_security({"retry": {"baseDelay": said}})


@pytest.mark.parametrize("said", [0, 11, "3x", 1.5, True])
def test_no_number_of_attempts(said: object) -> None:
    with pytest.raises(ConfigError, match=r"security\.retry\.attempts: "):
        parse_security({"retry": {"attempts": said}})


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", ".", "", "./."])
def test_no_place_for_a_copy(path: str) -> None:
    with pytest.raises(ConfigError, match=r"security\.sbom\.output\.local: "):
        parse_security({"sbom": {"output": {"local": path}}})


def test_what_need_not_be_signed_is_not_verified() -> None:
    signing = {"key": "k", "required": False}
    assert not parse_security({"signing": signing}).signing.verifies
    assert not parse_security({"signing": signing | {"verify": {"key": "k.pub"}}}).signing.verifies
    with pytest.raises(ConfigError, match="required: false lets an image pass"):
        parse_security({"signing": signing | {"verify": {"enabled": True}}})
