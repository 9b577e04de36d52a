import pytest

from sc_secure.tools.text import last_lines, printable


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain", "plain"),
        ("größe ✓", "größe ✓"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202eevil", "\\u202eevil"),
        ("\u2028", "\\u2028"),
        ("\x9b", "\\x9b"),
        ("\ud800", "\\ud800"),
    ],
)
def test_controls_are_escaped(text: str, safe: str) -> None:
    assert printable(text) == safe


def test_long_text_is_cut() -> None:
    assert printable("x" * 100, limit=10) == "x" * 10 + "…"


def test_last_lines() -> None:
    assert last_lines("a\n\nb\n \nc\x1b\n", 2) == "b | c\\x1b"
    assert last_lines("one\nError: it: broke\nfailed again: it: broke\n", 2) == "one | failed again: it: broke"
    long = last_lines("from " + "x" * 1000 + " to the cause", 1)
    assert (long.startswith("from x"), long.endswith("x to the cause"), len(long)) == (True, True, 361)
