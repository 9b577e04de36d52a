"""GitHub's expressions, as far as the example uses them; any other is refused.

https://docs.github.com/actions/reference/workflows-and-actions/expressions
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(==|!=|&&|\|\||!|\(|\))|'((?:[^']|'')*)'|([A-Za-z_][\w.-]*(?:\(\))?))")
_STATUS = ("always()", "success()", "failure()", "cancelled()")


class Expression:
    """One expression."""

    def __init__(self, text: str, contexts: Mapping[str, Any], status: str = "success") -> None:
        self._contexts, self._status = contexts, status
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            assert match, f"no expression that is known here: {text}"
            operator, literal, name = match.groups()
            kind = "operator" if operator else "name" if name else "literal"
            self._tokens.append((kind, operator or name or literal.replace("''", "'")))
            position = match.end()

    @property
    def asks_for_status(self) -> bool:
        return any(value in _STATUS for _, value in self._tokens)

    def value(self) -> Any:
        found = self._either()
        assert not self._tokens, f"what is {self._tokens}?"
        return found

    def _next_is(self, *operators: str) -> bool:
        return bool(self._tokens) and self._tokens[0][0] == "operator" and self._tokens[0][1] in operators

    def _either(self) -> Any:
        return self._chain("||", self._both, lambda left, right: left or right)

    def _both(self) -> Any:
        return self._chain("&&", self._comparison, lambda left, right: left and right)

    def _chain(self, operator: str, part: Callable[[], Any], join: Callable[[Any, Any], Any]) -> Any:
        found = part()
        while self._next_is(operator):
            self._tokens.pop(0)
            found = join(found, part())
        return found

    def _comparison(self) -> Any:
        left = self._single()
        if self._next_is("==", "!="):
            equal = self._tokens.pop(0)[1] == "=="
            return (left == self._single()) is equal
        return left

    def _single(self) -> Any:
        kind, value = self._tokens.pop(0)
        if (kind, value) == ("operator", "!"):
            return not self._single()
        if (kind, value) == ("operator", "("):
            found = self._either()
            assert self._tokens.pop(0) == ("operator", ")")
            return found
        if value in _STATUS:
            return value in ("always()", f"{self._status}()")
        return value if kind == "literal" else self._look_up(value)

    def _look_up(self, name: str) -> Any:
        root, *path = name.split(".")
        assert root in self._contexts, f"no context is called {root}"
        found: Any = self._contexts[root]
        for part in path:
            found = found.get(part, "") if isinstance(found, Mapping) else ""
        return found


def holds(condition: object, contexts: Mapping[str, Any], status: str) -> bool:
    """Whether a step or job with this `if` runs, after what came before it ended so."""
    text = str(condition or "success()")
    expression = Expression(text.removeprefix("${{").removesuffix("}}"), contexts, status)
    if not expression.asks_for_status and status != "success":
        return False
    return bool(expression.value())


def filled(value: object, contexts: Mapping[str, Any]) -> str:
    """A value with its `${{ }}` replaced."""
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)

    def fill(match: re.Match[str]) -> str:
        found = Expression(match[1], contexts).value()
        assert isinstance(found, str | int), f"{match[0]} is no text"
        return str(found)

    return re.sub(r"\$\{\{(.*?)\}\}", fill, text)
