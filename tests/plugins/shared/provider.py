"""What an offline provider plugin is: resources, functions, and a configuration."""

from collections.abc import Iterable
from typing import Any

from resources import Function, ProviderError, Resource


class Provider:
    """Override what the plugin can do beyond its resources and functions."""

    name: str
    version: str

    def __init__(self, resources: Iterable[Resource], functions: Iterable[Function] = ()) -> None:
        self.resources = {resource.token: resource for resource in resources}
        self.functions = {function.token: function for function in functions}

    def configure(self, config: dict[str, str]) -> None:
        """Take the provider's configuration."""
        if config:
            raise ProviderError(f"the offline {self.name} plugin takes no configuration, got {', '.join(config)}")

    def cancel(self) -> None:
        """End what is under way: the user pressed Ctrl-C."""

    def schema(self) -> dict[str, Any]:
        """Return the package's schema, as far as this plugin goes."""
        return {
            "name": self.name,
            "version": self.version,
            "resources": {token: _schema(resource) for token, resource in self.resources.items()},
            "functions": {token: {"inputs": function.inputs} for token, function in self.functions.items()},
        }


def _schema(resource: Resource) -> dict[str, Any]:
    return {
        "inputProperties": resource.inputs["properties"],
        "requiredInputs": resource.inputs.get("required", []),
        "properties": resource.inputs["properties"] | resource.outputs["properties"],
        "required": resource.outputs.get("required", []),
    }
