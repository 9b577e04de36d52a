"""Google's client libraries, as far as they are needed.

`import google.cloud.run_v2` costs 1.2 s of CPU and `compute_v1` 5 s, nearly all of it for clients that nothing here
uses. So a package is entered as an empty one with the right search path; its messages are those of its `types`.
"""

import importlib
import importlib.util
import sys
import threading
import types
from typing import Any

_LOCK = threading.RLock()


def library(name: str) -> Any:
    """Return `google.cloud.NAME`, which has the package's messages but no clients."""
    full = f"google.cloud.{name}"
    with _LOCK:
        if full not in sys.modules:
            _enter(full)
        return sys.modules[full]


def client_class(name: str, service: str, client: str) -> Any:
    """Return a client's class, of the package `google.cloud.NAME` and the service's folder in it."""
    with _LOCK:
        library(name)
        return getattr(importlib.import_module(f"google.cloud.{name}.services.{service}"), client)


def _enter(full: str) -> None:
    spec = importlib.util.find_spec(full)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"{full} isn't installed in this interpreter's environment")
    package = types.ModuleType(full)
    package.__path__ = list(spec.submodule_search_locations)

    def message(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(f"{full}.types"), name)

    package.__dict__["__getattr__"] = message
    sys.modules[full] = package
