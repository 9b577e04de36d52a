"""Requests, and which method of which service answers them."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.clouds.google import messages

Handler = Callable[["Request"], Any]
_ROUTES = "_google_routes"


@dataclass
class Request:
    """One request. A handler answers with a message, or a dict where Google's library has no message."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    parameters: dict[str, str] = field(default_factory=dict)
    """What the placeholders of the route stand for."""

    def __getitem__(self, name: str) -> str:
        return self.parameters[name]

    def message(self, kind: Any, where: str) -> Any:
        """Read the body as a message of that kind."""
        return messages.parse(kind, self.body or {}, where)

    def flag(self, name: str) -> bool:
        return self.query.get(name, "false").lower() == "true"


def route(method: str, template: str) -> Callable[[Handler], Handler]:
    """Mark a handler; `{name}` in the template is one segment without a colon, which begins a custom verb."""

    def mark(handler: Handler) -> Handler:
        handler.__dict__.setdefault(_ROUTES, []).append((method, template))
        return handler

    return mark


def routes(service: object) -> Iterator[tuple[str, re.Pattern[str], Handler]]:
    """Yield the marked handlers of a service."""
    for _, handler in inspect.getmembers(service, inspect.ismethod):
        for method, template in getattr(handler, _ROUTES, ()):
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/:]+)", template)
            yield method, re.compile(pattern), handler
