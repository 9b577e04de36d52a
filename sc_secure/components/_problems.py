"""Collects what is wrong with a component's arguments, so that a user is told everything at once."""

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from sc_secure.components._validate import InvalidArgs


class Problems:
    """The problems found so far. What another resource will only know later isn't looked at."""

    def __init__(self, component: str) -> None:
        self.component = component
        self._found: list[tuple[str, str]] = []

    def add(self, path: str, reason: str) -> None:
        """Remembers a problem."""
        self._found.append((path, reason))

    def within(self, path: str, value: int | None, low: int, high: int, unit: str = "") -> None:
        """A number between two others, if it is given."""
        if value is not None and not low <= value <= high:
            self.add(path, f"between {low} and {high}{unit and ' '}{unit}")

    def one_of(self, path: str, value: str | None, allowed: Sequence[str]) -> None:
        """One of these words, if it is given."""
        if value is not None and value not in allowed:
            self.add(path, f"one of {', '.join(allowed)}")

    def matches(self, path: str, value: Any, pattern: re.Pattern[str], reason: str) -> None:
        """A text of this form, if it is given and known."""
        if isinstance(value, str) and not pattern.fullmatch(value):
            self.add(path, reason)

    @property
    def found(self) -> list[tuple[str, str]]:
        """The path of each problem so far, and what is allowed."""
        return list(self._found)

    @contextmanager
    def gathered(self) -> Generator[None]:
        """Remembers the problems that a check within raises."""
        try:
            yield
        except InvalidArgs as error:
            self._found += error.problems

    def stop_if_any(self) -> None:
        """Ends the constructor.

        Raises:
            InvalidArgs: with every problem that was remembered.
        """
        if self._found:
            raise InvalidArgs(self.component, self._found)
