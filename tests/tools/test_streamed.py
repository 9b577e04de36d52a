import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc_secure.errors import InfrastructureError
from sc_secure.tools import streamed
from sc_secure.tools.streamed import read_object

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=20,
)


def read(text: str, *paths: str) -> tuple[Any, list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(path: str) -> Any:
        return lambda value: seen.append((path, value))

    return read_object(io.BytesIO(text.encode()), "the thing", {path: note(path) for path in paths}), seen


@pytest.fixture(params=[1, 2, 7, 1000])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """However the text is cut into pieces."""
    monkeypatch.setattr(streamed, "_CHUNK", request.param)
    return request.param


@pytest.mark.usefixtures("chunk")
def test_each_element_comes_by_itself_and_the_rest_at_the_end() -> None:
    text = ' { "before" : 12.5e1, "a": [1, 22, {"x": [3]}, "é\\n", []] , "b": {"c": [ 4 ], "d": "]"}, '
    text += '"e": [{"c": []}, 5] }\n'
    found, seen = read(text, "a", "b.c", "e.c")
    assert seen == [("a", 1), ("a", 22), ("a", {"x": [3]}), ("a", "é\n"), ("a", []), ("b.c", 4)]
    assert found == {"before": 125.0, "a": [], "b": {"c": [], "d": "]"}, "e": [{"c": []}, 5]}


@pytest.mark.usefixtures("chunk")
def test_of_each_element_of_a_list_on_the_way() -> None:
    found, seen = read('{"r": [{"v": [1, 2]}, {"v": null}, {"o": 3}, {"v": [4]}]}', "r.v")
    assert [value for _, value in seen] == [1, 2, 4]
    assert found == {"r": [{"v": []}, {"v": None}, {"o": 3}, {"v": []}]}


def test_what_is_no_list_is_left_as_it_is() -> None:
    assert read('{"a": {"x": 1}}', "a") == ({"a": {"x": 1}}, [])


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize(
    "text",
    [
        "", " ", "[]", "1", '"a"', "{", '{"a"', '{"a":', '{"a": [', '{"a": [1', '{"a": [1,', '{"a": [1,]}',
        '{"a": [1 2]}', '{"a": []', '{"a": [],}', '{"a": [] "b": 1}', '{"a": []} x', '{"a": []}{}', "{1: 2}",
        '{"a" 1}', '{"b": 1, "b": 2}', '{"a": [1], "a": [2]}', '{"a": [tru]}', '{"a": [01]}', "nul", "{]", '{"a": [}]',
    ],
)  # fmt: skip
def test_rubbish(text: str) -> None:
    with pytest.raises(InfrastructureError, match="the thing: not a JSON object"):
        read(text, "a")


@pytest.mark.parametrize("content", [b'{"a": "\xff"}', b'{"a": ' + b"[" * 100_000])
def test_neither_other_text_than_utf_8_nor_a_value_too_deep(content: bytes) -> None:
    with pytest.raises(InfrastructureError, match="the thing: not a JSON object"):
        read_object(io.BytesIO(content), "the thing", {"a": lambda _: None})


@given(st.dictionaries(st.sampled_from("abc"), anything), st.integers(1, 9), st.booleans())
def test_it_is_what_the_standard_library_reads(value: dict[str, Any], size: int, spaced: bool) -> None:
    text = json.dumps(value, indent=1 if spaced else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streamed, "_CHUNK", size)
        found, seen = read(text, "a", "b.c")
    inner = value["b"].get("c") if isinstance(value.get("b"), dict) else None
    expected = [(path, each) for path, got in (("a", value.get("a")), ("b.c", inner)) for each in _elements(got)]
    if not isinstance(value.get("b"), list):
        assert sorted(map(repr, seen)) == sorted(map(repr, expected))
    assert found.get("c") == value.get("c")


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
