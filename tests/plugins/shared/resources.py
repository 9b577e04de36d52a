"""What a plugin says of its resources and functions. Property maps are plain dicts, as `properties` reads them."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from properties import UNKNOWN, Properties, any_order, within

DEFAULTS = "__defaults"
"""The input that lists which inputs the provider chose, as the official bridged providers write it."""

Schema = Mapping[str, Any]


class ProviderError(Exception):
    """Told to the user as it is, without a traceback."""


class InvalidInput(Exception):
    """An input that doesn't fit, found by `Resource.check`: told with the property's path, and nothing is made."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class PartlyMade(Exception):
    """The resource exists, but isn't what it should be: the engine keeps it, and the next update tries again."""

    def __init__(self, reason: str, name: str, outputs: Properties) -> None:
        super().__init__(reason)
        self.reason = reason
        self.name = name
        self.outputs = outputs


@dataclass
class Operation:
    """One request of the engine to do something."""

    urn: str = ""
    timeout: float = 0
    """Seconds (`customTimeouts`); 0 is none."""
    seed: bytes = b""
    """What a name that the provider chooses is made of."""
    log: Callable[[str], None] = field(default=lambda _line: None)
    """Shows a line beside the resource while it is under way."""
    warn: Callable[[str], None] = field(default=lambda _line: None)

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True)
class AutoName:
    """How a resource gets a name that the program doesn't give: its name in the program, `-` and 7 hex digits."""

    longest: int
    property: str = "name"
    lower: bool = False
    prefix: str = ""
    """What stands before it all."""

    def of(self, operation: Operation) -> str:
        """Make the name.

        Raises:
            InvalidInput: it would be too long.
        """
        start = operation.name.lower() if self.lower else operation.name
        name = f"{start}-{hashlib.sha256(operation.seed + operation.urn.encode()).hexdigest()[:7]}"
        if len(name) > self.longest:
            reason = f"name '{start}-' plus 7 random chars is longer than maximum length {self.longest}"
            raise InvalidInput(self.property, reason)
        return self.prefix + name


class Resource:
    """One resource type. Override what it can do."""

    token: str
    inputs: Schema
    """The schema of its inputs, and of the outputs beyond them:"""
    outputs: Schema
    replace_on: frozenset[str] = frozenset()
    """Inputs whose change makes a new resource; `a.b` is one within another."""
    computed: frozenset[str] = frozenset()
    """Inputs that get a value of the provider's when the program gives none."""
    unsettled: ClassVar[Mapping[str, frozenset[str]]] = {}
    """Outputs that an update may change, each with the inputs whose change does it."""
    sets: frozenset[str] = frozenset()
    """Lists whose order means nothing; `a.b` is one within another."""
    autoname: AutoName | None = None

    def check(self, operation: Operation, olds: Properties, news: Properties) -> Properties:
        """Return the inputs with what is to be remembered beside them; `olds` is empty for a new resource.

        Raises:
            InvalidInput: one doesn't fit.
        """
        naming = self.autoname
        if naming is None or naming.property in news:
            return news
        known = naming.property in olds.get(DEFAULTS, ())
        name = olds[naming.property] if known else naming.of(operation)
        return news | {naming.property: name, DEFAULTS: [naming.property]}

    def compared(self, inputs: Properties) -> Properties:
        """Return the inputs such that what means the same is the same."""
        return any_order(inputs, self.sets)

    def settled(self, olds: Properties, news: Properties) -> Properties:
        """Return the new inputs with those of the old ones that, left out, stay as they are."""
        return news

    def outdated(self, state: Properties, news: Properties) -> Iterable[str]:
        """Return the outputs that no longer hold, although no input has changed: they are a reason for an update."""
        return ()

    def replaces(self, path: str, olds: Properties, news: Properties) -> bool:
        """Whether the change at that path makes a new resource."""
        return within(path, self.replace_on)

    def deletes_first(self, news: Properties) -> bool:
        """Whether the old one goes before its replacement is made: when a name could be the same, officially, too."""
        naming = self.autoname
        return naming is not None and naming.property not in news.get(DEFAULTS, ())

    def planned(self, operation: Operation, olds: Properties | None, news: Properties) -> Properties:
        """Return the outputs as a preview knows them; `olds` are the outputs so far, None for a new resource."""
        beyond = (self.outputs["properties"].keys() - self.inputs["properties"].keys()) | self.computed
        if olds is None:
            return dict.fromkeys(beyond, UNKNOWN) | news
        planned = {key: value for key, value in olds.items() if key in beyond} | news
        old, new = self.compared(olds), self.compared(news)
        changed = {key for key, causes in self.unsettled.items() if any(old.get(it) != new.get(it) for it in causes)}
        return planned | dict.fromkeys(changed, UNKNOWN)

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        """Return the id and the outputs."""
        raise NotImplementedError

    def read(self, operation: Operation, name: str, state: Properties) -> Properties | None:
        """Return the outputs as they are, None for one that is gone; None if the resource is. Default: don't look."""
        return state

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        """Return the outputs; `olds` are the old ones, `news` the new inputs."""
        raise NotImplementedError

    def delete(self, operation: Operation, name: str, olds: Properties) -> None:
        """Take the resource away."""


class Function:
    """A function that programs can call."""

    token: str
    inputs: Schema

    def invoke(self, operation: Operation, arguments: Properties) -> Properties:
        """Return the result."""
        raise NotImplementedError
