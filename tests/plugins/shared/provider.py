"""What the offline provider plugins have in common: the protocol between the engine and a provider.

A plugin is a program that prints the port of its gRPC server on stdout. A `Provider` says what its resources are; this
module answers the engine. Neither plugin takes secrets (as the official docker one): the engine strips the marks from
what it sends and puts them back on outputs named as a secret input, which is what the official command plugin does too.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any, ClassVar

import grpc
from google.protobuf import empty_pb2
from properties import Properties, differences, from_struct, misfits, to_struct, top
from protos import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

_WORKERS = (
    64  # one a resource under way: the engine's default parallelism is far below, and a hung command keeps its one
)
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_KINDS = {
    "add": (provider_pb2.PropertyDiff.ADD, provider_pb2.PropertyDiff.ADD_REPLACE),
    "delete": (provider_pb2.PropertyDiff.DELETE, provider_pb2.PropertyDiff.DELETE_REPLACE),
    "update": (provider_pb2.PropertyDiff.UPDATE, provider_pb2.PropertyDiff.UPDATE_REPLACE),
}


class ProviderError(Exception):
    """Told to the user as it is, without a traceback."""


@dataclass
class Operation:
    """One request of the engine to do something."""

    urn: str = ""
    preview: bool = False
    timeout: float = 0
    """Seconds (`customTimeouts`); 0 is none."""
    log: Callable[[str], None] = field(default=lambda _line: None)
    """Shows a line beside the resource while it is under way."""
    warn: Callable[[str], None] = field(default=lambda _line: None)


class Provider:
    """Override what the plugin can do. Property maps are plain dicts."""

    name: str
    version: str
    resource: str
    """The type token of its one resource."""
    inputs: ClassVar[dict[str, Any]]
    """The schema of the resource's inputs, and of the outputs beyond them:"""
    outputs: ClassVar[dict[str, Any]]
    functions: ClassVar[dict[str, dict[str, Any]]] = {}
    """Tokens, each with the schema of its arguments."""
    replace_on: frozenset[str] = frozenset()
    """Inputs whose change makes a new resource."""

    def configure(self, config: dict[str, str]) -> None:
        """Take the provider's configuration."""
        if config:
            raise ProviderError(f"the offline {self.name} plugin takes no configuration, got {', '.join(config)}")

    def check(self, operation: Operation, news: Properties) -> Properties:
        """Return the inputs with what is to be remembered beside them."""
        return news

    def compared(self, inputs: Properties) -> Properties:
        """Return the part of the inputs whose change is a change of the resource."""
        return inputs

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        """Return the id and the outputs."""
        raise NotImplementedError

    def update(self, operation: Operation, olds: Properties, news: Properties) -> Properties:
        """Return the outputs."""
        raise NotImplementedError

    def delete(self, operation: Operation, olds: Properties) -> None:
        """Take the resource away."""

    def invoke(self, operation: Operation, token: str, arguments: Properties) -> Properties:
        """Run a function."""
        raise NotImplementedError

    def cancel(self) -> None:
        """End what is under way: the user pressed Ctrl-C."""

    def schema(self) -> dict[str, Any]:
        """Return the package's schema, as far as this plugin goes."""
        resource = {
            "inputProperties": self.inputs["properties"],
            "requiredInputs": self.inputs.get("required", []),
            "properties": self.inputs["properties"] | self.outputs["properties"],
            "required": self.outputs.get("required", []),
        }
        functions = {token: {"inputs": arguments} for token, arguments in self.functions.items()}
        return {
            "name": self.name,
            "version": self.version,
            "resources": {self.resource: resource},
            "functions": functions,
        }


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine for one provider."""

    def __init__(self, provider: Provider, engine_address: str | None) -> None:
        self._provider = provider
        self._engine: engine_pb2_grpc.EngineStub | None = None
        if engine_address:
            self._connect(engine_address)

    def _connect(self, address: str) -> None:
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address, options=_ANY_SIZE))

    def _log(self, urn: str, message: str, *, severity: int, ephemeral: bool) -> None:
        if self._engine is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
        with contextlib.suppress(grpc.RpcError):  # the engine may be on its way out
            self._engine.Log(request)

    def _operation(self, urn: str = "", *, preview: bool = False, timeout: float = 0) -> Operation:
        return Operation(
            urn=urn,
            preview=preview,
            timeout=timeout,
            log=lambda line: self._log(urn, line, severity=engine_pb2.INFO, ephemeral=True),
            warn=lambda line: self._log(urn, line, severity=engine_pb2.WARNING, ephemeral=False),
        )

    # The protocol's own names, arguments and order from here on.

    def Handshake(self, request, context):
        self._connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, request, context):
        self._connect(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def GetSchema(self, request, context):
        return provider_pb2.GetSchemaResponse(schema=json.dumps(self._provider.schema()))

    def CheckConfig(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        return provider_pb2.DiffResponse()

    def Configure(self, request, context):
        config = {key.rpartition(":")[2]: value for key, value in request.variables.items()}
        with _told(context):
            self._provider.configure({key: value for key, value in config.items() if key != "version"})
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request, context):
        self._known_type(request.urn, context)
        news = from_struct(request.news)
        failures = [_failure(path, reason) for path, reason in misfits(self._provider.inputs, news)]
        if failures:
            return provider_pb2.CheckResponse(inputs=request.news, failures=failures)
        with _told(context):
            inputs = self._provider.check(self._operation(request.urn), news)
        return provider_pb2.CheckResponse(inputs=to_struct(inputs))

    def Diff(self, request, context):
        provider = self._provider
        old, new = (provider.compared(from_struct(inputs)) for inputs in (request.old_inputs, request.news))
        response = provider_pb2.DiffResponse(hasDetailedDiff=True)
        for path, kind in differences(old, new):
            replace = top(path) in provider.replace_on
            response.detailedDiff[path].kind = _KINDS[kind][replace]
            response.detailedDiff[path].inputDiff = True
            if top(path) not in response.diffs:
                response.diffs.append(top(path))
                if replace:
                    response.replaces.append(top(path))
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        response.changes = some if response.detailedDiff else none
        return response

    def Create(self, request, context):
        operation = self._operation(request.urn, preview=request.preview, timeout=request.timeout)
        with _told(context):
            name, outputs = self._provider.create(operation, from_struct(request.properties))
        # No id in a preview, so that programs don't know one that will never be.
        return provider_pb2.CreateResponse(id="" if request.preview else name, properties=to_struct(outputs))

    def Read(self, request, context):
        # A refresh looks at nothing, in the official plugins too.
        return provider_pb2.ReadResponse(id=request.id, inputs=request.inputs, properties=request.properties)

    def Update(self, request, context):
        operation = self._operation(request.urn, preview=request.preview, timeout=request.timeout)
        with _told(context):
            outputs = self._provider.update(operation, from_struct(request.olds), from_struct(request.news))
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    def Delete(self, request, context):
        with _told(context):
            operation = self._operation(request.urn, timeout=request.timeout)
            self._provider.delete(operation, from_struct(request.properties))
        return empty_pb2.Empty()

    def Invoke(self, request, context):
        if request.tok not in self._provider.functions:
            reason = f"the offline {self._provider.name} plugin has no function {request.tok}"
            context.abort(grpc.StatusCode.UNIMPLEMENTED, reason)
        arguments = from_struct(request.args)
        response = provider_pb2.InvokeResponse()
        response.failures.extend(
            _failure(path, reason) for path, reason in misfits(self._provider.functions[request.tok], arguments)
        )
        if not response.failures:
            with _told(context):
                result = self._provider.invoke(self._operation(), request.tok, arguments)
            getattr(response, "return").CopyFrom(to_struct(result))
        return response

    def Cancel(self, request, context):
        self._provider.cancel()
        return empty_pb2.Empty()

    def _known_type(self, urn: str, context: grpc.ServicerContext) -> None:
        kind = urn.split("::")[2].rpartition("$")[2]
        if kind != self._provider.resource:
            reason = f"the offline {self._provider.name} plugin has no resource {kind}: it needs the official plugin"
            context.abort(grpc.StatusCode.UNIMPLEMENTED, reason)


def _failure(path: str, reason: str) -> provider_pb2.CheckFailure:
    return provider_pb2.CheckFailure(property=path, reason=reason)


@contextlib.contextmanager
def _told(context: grpc.ServicerContext) -> Iterator[None]:
    """Turn what goes wrong into the status that the engine shows as an error of the resource."""
    try:
        yield
    except ProviderError as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
    except Exception:
        context.abort(grpc.StatusCode.INTERNAL, f"the offline plugin broke: {traceback.format_exc()}")


def _end_with_parent() -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)  # a worker thread may hang for ever, and on purpose


def serve(provider: Provider) -> None:
    """Run the plugin until the engine ends it, or ends itself."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=_WORKERS), options=_ANY_SIZE)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(
        Servicer(provider, addresses[0] if addresses else None), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(port, flush=True)
    server.wait_for_termination()
