import pytest

from sc_secure.errors import InfrastructureError
from sc_secure.tools.documents import parse_object


def test_a_whole_number_is_one_number() -> None:
    assert repr(parse_object(b'{"a": [1, 1.0, 1e3, 1.5]}', "x")) == "{'a': [1, 1, 1000, 1.5]}"


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff", b'{"a":' * 100_000])
def test_rubbish_is_one_error(content: bytes) -> None:
    with pytest.raises(InfrastructureError, match="the thing: not a JSON object"):
        parse_object(content, "the thing")
