"""Schemas of resources and functions, from the type information in an official Python SDK.

The official plugin and the SDK of a version are made from one schema, so what the SDK knows of a property is what the
plugin checks. Deriving it means importing the SDK, which takes up to a second: `sdk_resource` keeps the result.
"""

import collections.abc
import enum
import inspect
import sys
import types
import typing
from functools import cache
from importlib import import_module
from typing import Any

Schema = dict[str, Any]

_SIMPLE = {str: "string", bool: "boolean", int: "integer", float: "number"}
_NAME = "_pulumi_name"
"""Where the SDK's property getters keep the name of the wire."""


def resource_class(token: str) -> type:
    """Return the SDK's class for a resource: `aws:ecs/service:Service` is `pulumi_aws.ecs.Service`."""
    package, module, name = token.split(":")
    home = f"pulumi_{package.replace('-', '_')}"
    return getattr(_sdk(home if module == "index" else f"{home}.{module.partition('/')[0].lower()}"), name)


def _sdk(module: str) -> types.ModuleType:
    # `protos` may have entered an empty `pulumi`; the protocol's modules that came with it are the real ones and stay.
    if "pulumi" in sys.modules and not hasattr(sys.modules["pulumi"], "Resource"):
        for name in ("pulumi", "pulumi.runtime"):
            sys.modules.pop(name, None)
    return import_module(module)


@cache
def inputs_of(token: str) -> Schema:
    """Return the schema of a resource's inputs."""
    cls = resource_class(token)
    return _object(getattr(sys.modules[cls.__module__], f"{cls.__name__}Args"))


@cache
def outputs_of(token: str) -> Schema:
    """Return the names of a resource's outputs beyond its inputs; of their types nothing is said."""
    names = _getters(resource_class(token)).values() - inputs_of(token)["properties"].keys()
    return {"properties": {name: {} for name in sorted(names)}}


@cache
def arguments_of(token: str) -> Schema:
    """Return the schema of a function's arguments: `aws:ec2/getSubnet:getSubnet`, `aws:index/…` of the package."""
    package, module, name = token.split(":")
    module = module.partition("/")[0].lower()
    python = _sdk(f"pulumi_{package}" if module == "index" else f"pulumi_{package}.{module}")
    function = getattr(python, "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name))
    parameters = inspect.signature(function).parameters.values()
    home = sys.modules[function.__module__]
    return {
        "type": "object",
        "properties": {_camel(it.name): _schema(it.annotation, home) for it in parameters if it.name != "opts"},
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _getters(cls: type) -> dict[str, str]:
    """Return the name on the wire of each property of an SDK class."""
    found = {
        name: getattr(member.fget, _NAME, None) for name, member in vars(cls).items() if isinstance(member, property)
    }
    return {name: wire for name, wire in found.items() if wire is not None}


@cache
def _object(cls: type) -> Schema:
    home = sys.modules[cls.__module__]
    parameters = inspect.signature(cls).parameters
    names = _getters(cls)
    annotations = {name: getattr(cls, name).fget.__annotations__["return"] for name in names}
    return {
        "type": "object",
        "properties": {wire: _schema(annotations[name], home) for name, wire in names.items()},
        "required": [wire for name, wire in names.items() if parameters[name].default is inspect.Parameter.empty],
    }


def _schema(hint: Any, home: types.ModuleType) -> Schema:
    """Return the schema of a type as the SDK writes it: often `Input[Optional[…]]`, with names yet to be resolved."""
    if isinstance(hint, str | typing.ForwardRef):
        hint = _resolved(hint if isinstance(hint, str) else hint.__forward_arg__, home)
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    if isinstance(hint, type):
        if issubclass(hint, enum.Enum):
            return {"type": _SIMPLE[type(next(iter(hint)).value)]}
        return _object(hint) if _getters(hint) else {}  # anything: an asset
    return _composed(typing.get_origin(hint), typing.get_args(hint), home)


def _composed(origin: Any, arguments: tuple[Any, ...], home: types.ModuleType) -> Schema:
    match origin:
        case typing.Union | types.UnionType:
            kinds = [_schema(each, home) for each in arguments if not _is_wrapper(each)]
            distinct = [kind for index, kind in enumerate(kinds) if kind not in kinds[:index]]
            return distinct[0] if len(distinct) == 1 else {}
        case collections.abc.Mapping:
            return {"type": "object", "additionalProperties": _schema(arguments[1], home)}
        case collections.abc.Sequence:
            return {"type": "array", "items": _schema(arguments[0], home)}
    return {}  # anything: JSON


def _is_wrapper(hint: Any) -> bool:
    """Whether it is a part of `Input[T]` or `Optional[T]` beside `T`, or the dict that stands for an object."""
    name = hint.__forward_arg__ if isinstance(hint, typing.ForwardRef) else ""
    return (
        hint is types.NoneType
        or typing.get_origin(hint) is collections.abc.Awaitable
        or name.startswith("Output[")
        or name.endswith("ArgsDict")
    )


def _resolved(name: str, home: types.ModuleType) -> Any:
    found: Any = home
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise TypeError(f"{home.__name__}: the type {name} can't be resolved")
    return found
