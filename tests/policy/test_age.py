from datetime import timedelta

import pytest

from sc_secure.policy.age import parse_age


@pytest.mark.parametrize(
    ("text", "age"), [("120h", timedelta(days=5)), ("1d", timedelta(days=1)), ("9999d", timedelta(9999))]
)
def test_an_age(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "5", "d", "0d", "-1d", "1.5d", "5D", "5d ", "10000d", "5w", "\u0661d", "5d\n"])
def test_no_age(text: str) -> None:
    with pytest.raises(ValueError, match="as 120h or 5d"):
        parse_age(text)
