"""The containers of an instance, wherever their arguments stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

MAIN = "app"
"""The main container's name."""

DEFAULT_PORT = 8080


@dataclass(frozen=True)
class Container:
    """A container's arguments."""

    name: str
    prefix: str
    """The path of its arguments, with its dot; empty for the main container, whose arguments are the service's."""
    given: Mapping[str, Any]

    @property
    def main(self) -> bool:
        """Whether it gets the requests."""
        return not self.prefix

    def verify_name(self, service: str) -> str:
        """The name of what verifies its image."""
        return f"{service}-verify" if self.main else f"{service}-verify-{self.name}"

    def items(self, section: str) -> list[tuple[str, Mapping[str, Any]]]:
        """The entries of one of its lists or maps, each with its path."""
        entries = self.given.get(section, [])
        if isinstance(entries, Mapping):
            named = cast(Mapping[str, Mapping[str, Any]], entries)
            return [(f"{self.prefix}{section}.{key}", named[key]) for key in sorted(named)]
        return [(f"{self.prefix}{section}[{index}]", entry) for index, entry in enumerate(entries)]


def containers_of(given: Mapping[str, Any]) -> list[Container]:
    """The main container, then the sidecars by name: their order in the program means nothing."""
    main = Container(MAIN, "", given)
    sidecars = [Container(sidecar["name"], f"{path}.", sidecar) for path, sidecar in main.items("sidecars")]
    return [main, *sorted(sidecars, key=lambda sidecar: sidecar.name)]
