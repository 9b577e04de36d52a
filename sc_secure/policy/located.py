"""A policy's values with the places that they come from, through reading, merging and showing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Located:
    """A value and where it stands. Merged values keep the place that each part came from."""

    value: Scalar | list[Located] | dict[str, Located]
    file: str
    line: int
    """Counted from 1: the line of its key or, in a list, of the item."""

    @property
    def plain(self) -> Any:
        """The value as YAML would give it: mappings, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: item.plain for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain for item in self.value]
        return self.value

    def at(self, path: Iterable[str]) -> Located:
        """The value at a path, or the nearest one around it where there is none: a missing key has no line."""
        found = self
        for part in path:
            if isinstance(found.value, dict) and part in found.value:
                found = found.value[part]
            elif isinstance(found.value, list) and part.isdigit() and int(part) < len(found.value):
                found = found.value[int(part)]
            else:
                break
        return found

    def leaves(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Located]]:
        """Each value that holds no others, with its path."""
        if self.value and isinstance(self.value, dict):
            for key, item in self.value.items():
                yield from item.leaves((*path, key))
        elif self.value and isinstance(self.value, list):
            for index, item in enumerate(self.value):
                yield from item.leaves((*path, str(index)))
        else:
            yield path, self
