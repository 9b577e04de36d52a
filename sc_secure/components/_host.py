"""The package as a plugin for programs in any language: Pulumi's own host, but for what it loses of the arguments.

Pulumi's host gives a constructor an empty mapping where a whole nested argument is an output, a secret or of another
type, and leaves out each key that it doesn't know. A policy would arrive weaker than it is written, and without a word.
"""

from collections.abc import Sequence
from typing import Any, cast

import pulumi
from pulumi.provider import main
from pulumi.provider.experimental.analyzer import PropertyDefinition, PropertyType
from pulumi.provider.experimental.component import ComponentProvider

from sc_secure.components._validate import InvalidArgs

_PLAIN = (
    "must be known when the program runs: it can't be an output or a secret as a whole; give its values one by one, of "
    "which those that the schema doesn't call plain may be outputs and secrets"
)


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
            InvalidArgs: a whole nested argument is an output, a secret, or no mapping.
        """
        if not isinstance(inputs, dict):
            raise InvalidArgs(component_name, [(property_path, _reason(inputs))])
        given = cast(dict[str, Any], inputs)
        for name, prop in properties.items():
            value = given.get(name)
            if value is None:
                continue
            nested = self.get_type_definition(prop) if prop.ref else None
            several = prop.items is not None or prop.additional_properties is not None
            if nested is not None and not nested.enum and not isinstance(value, dict):
                raise InvalidArgs(component_name, [(f"{property_path}.{name}".lstrip("."), _reason(value))])
            if isinstance(value, pulumi.Output) and prop.type == PropertyType.INTEGER and not several:
                raise InvalidArgs(component_name, [(f"{property_path}.{name}".lstrip("."), _reason(value))])
        mapped: Any = super().map_input_properties(given, properties, mapping, component_name, property_path)
        unknown = {name: value for name, value in given.items() if name not in properties}
        return {**mapped, **unknown}  # the constructor refuses it, with what may have been meant


def _reason(value: Any) -> str:
    plain = isinstance(value, str | bool | int | float | list)
    return "a mapping is expected" if plain else _PLAIN


def serve(components: list[type[pulumi.ComponentResource]], version: str, arguments: Sequence[str]) -> None:
    """Serves the components until the engine ends the plugin.

    Args:
        components: what programs may declare.
        version: the package's.
        arguments: the program's own.
    """
    main(Host(components, "sc-secure", None, version), list(arguments))
