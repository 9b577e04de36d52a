"""Property maps to Google's messages and back: the same things, under names of which some differ."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from resources import ProviderError


@dataclass(frozen=True)
class Names:
    """How Pulumi's names of a service's fields differ from Google's JSON."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    """Pulumi's name → Google's."""
    single: frozenset[str] = frozenset()
    """Pulumi's names of objects that are lists with one item at Google's."""
    maps: frozenset[str] = frozenset({"annotations", "labels"})
    """Maps whose keys are the user's."""

    def to_google(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.to_google(item) for item in value]
        if not isinstance(value, dict):
            return value
        result = {}
        for key, item in value.items():
            converted = item if key in self.maps else self.to_google(item)
            result[self.renamed.get(key, key)] = [converted] if key in self.single else converted
        return result

    def to_pulumi(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.to_pulumi(item) for item in value]
        if not isinstance(value, dict):
            return value
        back = {google: pulumi for pulumi, google in self.renamed.items()}
        result = {}
        for key, item in value.items():
            name = back.get(key, key)
            converted = item if name in self.maps else self.to_pulumi(item)
            if name not in self.single:
                result[name] = converted
            elif converted:
                result[name] = converted[0]
        return result


def message_of(kind: Any, document: Mapping[str, Any]) -> Any:
    """Read Google's JSON into a message of the client library.

    Raises:
        ProviderError: the library's message has no such field, or not of that type.
    """
    message = kind.pb(kind())
    try:
        json_format.ParseDict(dict(document), message)
    except json_format.ParseError as error:
        raise ProviderError(f"the offline gcp plugin can't say this to Google: {error}") from error
    return kind.wrap(message)


def document_of(message: Any) -> dict[str, Any]:
    """Write a message of the client library as Google's JSON; fields without presence are there when they are empty."""
    return json_format.MessageToDict(type(message).pb(message), always_print_fields_with_no_presence=True)


def carried(new: Any, old: Any, names: Collection[str], path: str = "") -> Any:
    """Return the new value with what it leaves out at these dotted names taken from the old one."""
    if isinstance(new, list) and isinstance(old, list):
        return [carried(item, old[at] if at < len(old) else None, names, path) for at, item in enumerate(new)]
    if not isinstance(new, dict) or not isinstance(old, dict):
        return new
    result = {key: carried(item, old.get(key), names, _below(path, key)) for key, item in new.items()}
    for key, item in old.items():
        if _below(path, key) in names and new.get(key, []) == []:  # an empty list is the same as none
            result[key] = item
    return result


def found(value: Any, names: Collection[str], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted names that the value has something at, with what that is."""
    if isinstance(value, list):
        for item in value:
            yield from found(item, names, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            below = _below(path, key)
            if below in names:
                yield below, item
            yield from found(item, names, below)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
