"""Property maps: from and to the wire, what is unknown in them, how two differ, and whether one fits a schema."""

from collections.abc import Iterator, Mapping
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
    """Read a property map; a null is the same as absent."""
    return _without_nulls(json_format.MessageToDict(struct))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Write a property map."""
    struct = struct_pb2.Struct()
    json_format.ParseDict(dict(properties), struct)
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
