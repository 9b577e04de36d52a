"""The protocol's messages, from the installed Pulumi SDK, without importing the SDK itself.

`import pulumi` costs a plugin 0.3 s of CPU at every start and gives it nothing: all it needs are the generated modules
in `pulumi/runtime/proto`. So `pulumi` and `pulumi.runtime` are entered as empty packages with the right search path.
A plugin that needs the SDK after all (`sdk_schema`) takes them away again.
"""

import importlib.util
import sys
import types
from pathlib import Path


def _enter_empty_packages() -> None:
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        raise ImportError("the Pulumi SDK isn't installed in this interpreter's environment")
    root = Path(spec.origin).parent
    for name, folder in (("pulumi", root), ("pulumi.runtime", root / "runtime")):
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package


if "pulumi" not in sys.modules:
    _enter_empty_packages()

from pulumi.runtime.proto import (  # noqa: E402
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

try:  # the same message twice: a process can have only one, and Google's libraries bring theirs
    from google.rpc import status_pb2
except ImportError:
    from pulumi.runtime.proto import status_pb2

__all__ = ["engine_pb2", "engine_pb2_grpc", "plugin_pb2", "provider_pb2", "provider_pb2_grpc", "status_pb2"]
