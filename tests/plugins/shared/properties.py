"""Property maps: from and to the wire, what is unknown in them, how two differ, and whether one fits a schema."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2

Properties = dict[str, Any]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the protocol writes a string that isn't known yet."""

_UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
        "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """Read a property map; a null is the same as absent, and a whole number an int: the wire knows floats only."""
    return _plain(json_format.MessageToDict(struct))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Write a property map, without what is None at its top."""
    struct = struct_pb2.Struct()
    json_format.ParseDict({key: value for key, value in properties.items() if value is not None}, struct)
    return struct


def has_unknowns(value: Any) -> bool:
    """Whether any part of the value isn't known yet."""
    if isinstance(value, dict):
        return any(has_unknowns(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknowns(item) for item in value)
    return value in _UNKNOWNS


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield `(path, kind)` of each leaf that differs; kind is "add", "delete" or "update"."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            below = _below(path, key)
            if key not in new:
                yield below, "delete"
            elif key not in old:
                yield below, "add"
            else:
                yield from differences(old[key], new[key], below)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            below = f"{path}[{index}]"
            if index >= len(new):
                yield below, "delete"
            elif index >= len(old):
                yield below, "add"
            else:
                yield from differences(old[index], new[index], below)
    elif old != new:
        yield path, "update"


def _below(path: str, key: str) -> str:
    if key.replace("_", "a").isalnum():
        return f"{path}.{key}" if path else key
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'


def top(path: str) -> str:
    """Return the top-level property of a path made by `differences`."""
    return path.split(".", 1)[0].split("[", 1)[0]


def within(path: str, names: Collection[str]) -> bool:
    """Whether a path made by `differences` is one of the dotted names, in one of them, or around one."""
    plain = re.sub(r"\[[^]]*]", "", path)
    return any(f"{plain}.".startswith(f"{name}.") or f"{name}.".startswith(f"{plain}.") for name in names)


def any_order(value: Any, names: Collection[str], path: str = "") -> Any:
    """Return the value with the lists at these dotted names sorted."""
    if isinstance(value, dict):
        return {key: any_order(item, names, f"{path}.{key}" if path else key) for key, item in value.items()}
    if isinstance(value, list):
        items = [any_order(item, names, path) for item in value]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if path in names else items
    return value


def narrowed(schema: Mapping[str, Any], actual: Any, given: Any) -> Any:
    """Return `actual` without the properties of objects that `given` leaves to the other side."""
    if isinstance(actual, dict) and isinstance(given, dict) and "properties" in schema:
        kinds = schema["properties"]
        return {key: narrowed(kinds.get(key, {}), item, given[key]) for key, item in actual.items() if key in given}
    if isinstance(actual, list) and isinstance(given, list) and len(actual) == len(given):
        return [narrowed(schema.get("items", {}), *pair) for pair in zip(actual, given, strict=True)]
    return actual


def misfits(schema: Mapping[str, Any], value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield `(path, reason)` of each part of the value that doesn't fit the schema, written as a Pulumi package's."""
    if not isinstance(value, dict | list) and value in _UNKNOWNS:
        return
    match schema.get("type"):
        case "object" if isinstance(value, dict):
            yield from _object_misfits(schema, value, path)
        case "array" if isinstance(value, list):
            for index, item in enumerate(value):
                yield from misfits(schema["items"], item, f"{path}[{index}]")
        case "string" if isinstance(value, str):
            if "enum" in schema and value not in schema["enum"]:
                yield path, f"must be one of {', '.join(schema['enum'])}"
        case "boolean" if isinstance(value, bool):
            pass
        case "integer" if isinstance(value, int) and not isinstance(value, bool):
            pass
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            pass
        case None:
            pass  # anything
        case wanted:
            yield path, f"must be of type {wanted}"


def _object_misfits(schema: Mapping[str, Any], value: Properties, path: str) -> Iterator[tuple[str, str]]:
    if "properties" not in schema:
        for key, item in value.items():
            yield from misfits(schema["additionalProperties"], item, _below(path, key))
        return
    for key in schema.get("required", ()):
        if key not in value:
            yield _below(path, key), "is required"
    for key, item in value.items():
        if key not in schema["properties"]:
            yield _below(path, key), "isn't known to this offline plugin"
        else:
            yield from misfits(schema["properties"][key], item, _below(path, key))
