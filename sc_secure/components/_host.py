"""The package as a plugin for programs in any language: Pulumi's own host, but for what it loses of the arguments.

Pulumi's host gives a constructor an empty mapping where a whole nested argument is an output or a secret, or is of
another type, and leaves out each key that it doesn't know. A policy would arrive weaker than it is written, and without
a word. Here such a whole is opened: the engine has sent its value, unless a preview doesn't know it yet.
"""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast, get_args

import pulumi
from pulumi.output import Unknown
from pulumi.provider import main
from pulumi.provider.experimental.analyzer import PropertyDefinition, PropertyType
from pulumi.provider.experimental.component import ComponentProvider

from sc_secure.components._memory import Later
from sc_secure.components._validate import InvalidArgs
from sc_secure.components.cloud_run.limits import EGRESS
from sc_secure.policy.scanning import Threshold
from sc_secure.policy.security import SbomFormat

T = TypeVar("T")

_SINGLE = (str, bool, int, float)
_NOT_KNOWN = (
    "must be known when the program runs: it can't be an output or a secret as a whole, unless its value is known; "
    "give its values one by one, of which those that the schema doesn't call plain may be outputs and secrets"
)
_PLAIN_TEXT = (
    "is a secret, and would be kept in the state as plain text; if it isn't one, give it outside of what is marked as "
    "a secret, or mark only those values that are (as a password, or a build argument)"
)
_NO_SECRETS = frozenset({*get_args(Threshold), *get_args(SbomFormat), *EGRESS})
"""Words of the policy, and of a network: nobody's secret, even in a whole that is marked as one."""


class Host(ComponentProvider):
    """Pulumi's host, which keeps what it would lose for the constructor, and refuses what it can't keep."""

    def map_input_properties(
        self,
        inputs: Any,
        properties: dict[str, PropertyDefinition],
        mapping: dict[str, str],
        component_name: str,
        property_path: str,
    ) -> Any:
        """The arguments, or a nested one's, under their names in Python.

        Args:
            inputs: as they arrive.
            properties: those of the schema.
            mapping: a name in the schema -> the name in Python.
            component_name: whose arguments they are.
            property_path: the nested argument's; empty for the component's own.

        Raises:
            InvalidArgs: a nested argument is no mapping, or is a secret that would be kept as plain text.
        """
        if isinstance(inputs, pulumi.Output):  # an item that isn't known yet: for the constructor to take or to refuse
            return cast(Any, inputs)
        if not isinstance(inputs, dict):
            raise InvalidArgs(component_name, [(property_path, _reason(inputs))])
        given = dict(cast(dict[str, Any], inputs))
        later: dict[str, Any] = {}
        for name, prop in properties.items():
            value = given.get(name)
            if value is None or (isinstance(value, dict) if prop.ref else isinstance(value, _SINGLE)):
                continue  # nothing to open, as nearly always; Pulumi's host asks for a mapping's members one by one
            path = f"{property_path}.{name}".lstrip(".")
            value = given[name] = self._opened(value, prop, _At(component_name, path))
            nested = self._nested(prop)
            if isinstance(value, pulumi.Output) and (nested or prop.type == PropertyType.INTEGER):
                later[name] = given.pop(name)
            elif nested is not None and not isinstance(value, dict):
                raise InvalidArgs(component_name, [(path, _reason(value))])
        now = {name: prop for name, prop in properties.items() if name not in later} if later else properties
        mapped: Any = super().map_input_properties(given, now, mapping, component_name, property_path)
        unknown = {name: value for name, value in given.items() if name not in properties}
        # What isn't known yet, and what no schema has, is for the constructor to take, or to refuse with a hint.
        return {**mapped, **{mapping[name]: value for name, value in later.items()}, **unknown}

    def _nested(self, prop: PropertyDefinition) -> dict[str, PropertyDefinition] | None:
        kind = self.get_type_definition(prop) if prop.ref else None
        return None if kind is None or kind.enum else kind.properties

    def _opened(self, value: Any, prop: PropertyDefinition, at: "_At") -> Any:
        """The value with all that it consists of in sight; single values that may be outputs stay as secret as it was.

        Raises:
            InvalidArgs: a plain text is in what is marked as a secret.
        """
        single = not (prop.plain or prop.ref or prop.additional_properties)
        if isinstance(value, pulumi.Output) and not (single and at.bare):
            value, at = _seen(cast(pulumi.Output[Any], value), at)
        if isinstance(value, pulumi.Output):
            return pulumi.Output.secret(cast(Any, value)) if at.secret else cast(Any, value)
        if (prop.ref or prop.additional_properties) and not isinstance(value, Unknown):
            return self._opened_mapping(cast(dict[str, Any], value), prop, at) if isinstance(value, dict) else value
        if isinstance(value, list) and prop.plain and prop.items:
            items = enumerate(cast(list[Any], value))
            return [self._opened(each, prop.items, at.within(f"[{index}]")) for index, each in items]
        if at.secret and prop.plain and isinstance(value, str) and value not in _NO_SECRETS:
            raise InvalidArgs(at.component, [(at.path, _PLAIN_TEXT)])
        if prop.type == PropertyType.INTEGER and isinstance(value, float) and value.is_integer():
            value = int(value)  # the engine has floats alone
        return _output(value, at) if isinstance(value, Unknown) or not prop.plain else cast(Any, value)

    def _opened_mapping(self, value: dict[str, Any], prop: PropertyDefinition, at: "_At") -> dict[str, Any]:
        nested = self._nested(prop)
        if nested is not None and at.bare:
            return value  # Pulumi's host asks for its members one by one
        kinds = dict.fromkeys(value, prop.additional_properties) if nested is None else nested
        opened: dict[str, Any] = {}
        for key, each in value.items():
            kind = kinds.get(key)
            opened[key] = each if kind is None or each is None else self._opened(each, kind, at.within(f".{key}"))
        return opened


@dataclass(frozen=True)
class _At:
    """Where a value stands among a component's arguments, and what the outputs say that it is in."""

    component: str
    path: str
    secret: bool = False
    resources: frozenset[pulumi.Resource] = frozenset()
    bare: bool = True
    """In no output at all."""

    def within(self, key: str) -> "_At":
        return replace(self, path=self.path + key)


def _seen(output: "pulumi.Output[Any]", at: _At) -> tuple[Any, _At]:
    """What an output holds, `Unknown` if a preview doesn't know that, and where that stands.

    The output itself, if it has to be waited for: the engine's never have to.
    """
    known = _at_once(output.is_known())
    if known is None:
        return output, at
    value = _at_once(output.future(with_unknowns=True))
    secret, resources = (
        at.secret or _at_once(output.is_secret()),
        at.resources | (_at_once(output.resources()) or set()),
    )
    inside = replace(at, secret=secret is not False, resources=frozenset(resources), bare=False)
    return value if known or isinstance(value, dict | list) else Unknown(), inside  # pyright: ignore


def _at_once(coroutine: Coroutine[Any, Any, T]) -> T | None:
    """What a coroutine returns, if it has to wait for nothing; else None."""
    try:
        future = coroutine.send(None)
    except StopIteration as done:
        return done.value
    # As asyncio's own tasks do with what they wait for: whoever else does can't otherwise.
    future._asyncio_future_blocking = False  # pyright: ignore
    coroutine.close()
    return None


def _output(value: Any, at: _At) -> Any:
    """The value as an output that is as secret as what it was in, and depends on the same resources."""
    known = not isinstance(value, Unknown)
    if known and not at.secret and not at.resources:
        return value

    async def given() -> Any:
        return value

    async def is_known() -> bool:
        return known

    async def is_secret() -> bool:
        return at.secret

    return pulumi.Output(set(at.resources), Later(given), Later(is_known), Later(is_secret))


def _reason(value: Any) -> str:
    plain = isinstance(value, str | bool | int | float | list)
    return "a mapping is expected" if plain else _NOT_KNOWN


def serve(components: list[type[pulumi.ComponentResource]], version: str, arguments: Sequence[str]) -> None:
    """Serves the components until the engine ends the plugin.

    Args:
        components: what programs may declare.
        version: the package's.
        arguments: the program's own.
    """
    main(Host(components, "sc-secure", None, version), list(arguments))
