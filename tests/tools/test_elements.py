"""Large JSON, a part at a time: read as the standard library reads it, or refused."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc_secure.errors import InfrastructureError
from sc_secure.tools.elements import elements, mapped, objects, read_members, unread

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc\u2028é\\"), inner, max_size=3),
    max_leaves=20,
)
ANY = msgspec.json.Decoder()


def read(content: bytes) -> dict[str, Any]:
    found = read_members(content, "the thing")
    return {
        name: list(elements(value, ANY, name)) if isinstance(value, list) else value for name, value in found.items()
    }


@given(st.dictionaries(st.text(max_size=3), anything), st.booleans(), st.booleans())
def test_it_is_what_the_standard_library_reads(value: dict[str, Any], spaced: bool, escaped: bool) -> None:
    text = json.dumps(value, indent=1 if spaced else None, ensure_ascii=escaped)
    assert read(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "[]", "1", '"a"', "null", "{", '{"a"', '{"a":', '{"a": [', '{"a": [1', '{"a": [1,', '{"a": [1,]}',
        '{"a": [1 2]}', '{"a": []', '{"a": [],}', '{"a": [] "b": 1}', '{"a": []} x', '{"a": []}{}', "{1: 2}",
        '{"a" 1}', '{"a": [tru]}', '{"a": [01]}', "nul", "{]", '{"a": [}]', '{"a": []}\0', '{"a": [[{"b": 1.}]]}',
        # A control character, half a character, no number: also in what nobody reads.
        '{"a": [{"x": "\x01"}]}', '{"a": "\n"}', '{"a": [{"x": "\\ud800"}]}', '{"a": "\\udc00"}', '{"a": ["\\q"]}',
        '{"a": [NaN]}', '{"a": [Infinity]}', '{"a": [{"x": -Infinity}]}', '{"a": NaN}', "\ufeff{}",
        # A name twice, in any spelling.
        '{"b": 1, "b": 2}', '{"a": [1], "a": []}', '{"a": [], "\\u0061": [1]}', '{"a": [1], "a": null}',
    ],
)  # fmt: skip
def test_rubbish(text: str) -> None:
    with pytest.raises(InfrastructureError, match="the thing: not a JSON object"):
        read_members(text.encode(), "the thing")


LONG = b" " * (1024 * 1024 - 8)
"""So that what comes after it is read with the next piece."""


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": "\xff"}',
        b'{"a": [{"x": "\xff"}]}',
        b'{"a": ["\xed\xa0\x80"]}',
        b'{"a": ["' + LONG + b'\xc3"]}',
        b'{"a": ["\xc3',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": ' + b"[" * 100_000,
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": {"x": ' + b'{"x":' * 100_000 + b"1" + b"}" * 100_002,
    ],
)
def test_neither_other_text_than_utf_8_nor_a_value_too_deep(content: bytes) -> None:
    with pytest.raises(InfrastructureError, match="the thing: not a JSON object"):
        read_members(content, "the thing")


@pytest.mark.parametrize("spaces", range(6))
def test_a_character_on_the_edge_of_two_pieces_is_one(spaces: int) -> None:
    content = b'{"a": "' + LONG[spaces:] + "\U0001f600\u20ac".encode() + b'"}'
    assert read(content)["a"].strip() == "\U0001f600\u20ac"


@given(st.binary(max_size=40) | st.text('{}[]",:\\u0a1.-+eE truefalsn', max_size=40).map(str.encode))
def test_no_rubbish_is_more_than_the_standard_library_would_read(content: bytes) -> None:
    try:
        found = read(b'{"a": [' + content + b"]}")
    except InfrastructureError:
        return
    assert found == json.loads(b'{"a": [' + content + b"]}")


class _Element(msgspec.Struct):
    name: str
    inner: list[int] | None = None


ELEMENT = msgspec.json.Decoder(_Element)


def test_of_an_element_only_what_is_used() -> None:
    found = read_members(b'{"a": [{"name": "x", "more": {"y": [1]}}, {"inner": [2], "name": "z"}]}', "it")
    assert list(elements(found["a"], ELEMENT, "a")) == [_Element("x"), _Element("z", [2])]
    assert list(elements(None, ELEMENT, "a")) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": {}}', "a: a list is missing"),
        ('{"a": false}', "a: a list is missing"),
        ('{"a": [1]}', "a[0]: expected `object`, got `int`"),
        ('{"a": [{"name": "x"}, {}]}', "a[1]: object missing required field `name`"),
        ('{"a": [{"name": null}]}', "a[0].name: expected `str`, got `null`"),
        ('{"a": [{"name": "x", "inner": [1, "2"]}]}', "a[0].inner[1]: expected `int`, got `str`"),
    ],
)
def test_what_is_something_else_is_refused_with_its_path(text: str, said: str) -> None:
    found = read_members(text.encode(), "it")
    with pytest.raises(TypeError) as raised:
        list(elements(found["a"], ELEMENT, "a"))
    assert str(raised.value) == said


def test_of_a_list_of_objects_each_has_lists_too() -> None:
    found = read_members(b'{"r": [{"v": [{"name": "x"}], "o": {"p": [1]}}, {"v": null}]}', "it")
    first, second = objects(found["r"], "r")
    assert list(elements(first["v"], ELEMENT, "r[0].v")) == [_Element("x")]
    assert (first["o"], second, len(unread(first["v"], "v"))) == ({"p": [1]}, {"v": None}, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"r": [{}, 1]}', r"r\[1\]: expected `object`, got `int`"), ('{"r": [{"v": 1, "v": []}]}', "twice")],
)
def test_no_object_is_passed_over(text: str, said: str) -> None:
    found = read_members(text.encode(), "it")
    with pytest.raises((TypeError, ValueError), match=said):
        list(objects(found["r"], "r"))


def test_a_file_is_read_where_it_is(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(b'{"a": [1]}')
    assert read(mapped(file)[:]) == {"a": [1]}
    found = read_members(mapped(file), "it")
    assert list(elements(found["a"], ANY, "a")) == [1]
    file.write_bytes(b"")
    with pytest.raises(InfrastructureError, match="the thing: not a JSON object"):
        read_members(mapped(file), "the thing")
