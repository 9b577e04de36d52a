"""The protocol between the engine and a provider: a plugin is a program that prints its gRPC server's port on stdout.

No plugin here takes secrets, as the official ones don't: the engine strips the marks from what it sends and puts them
back on inputs and outputs that have the name of a secret input.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent import futures

import grpc
from google.protobuf import any_pb2, empty_pb2
from properties import Properties, differences, from_struct, misfits, narrowed, to_struct, top
from protos import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2
from provider import Provider
from resources import DEFAULTS, InvalidInput, Operation, PartlyMade, ProviderError, Resource

_WORKERS = (
    64  # one a resource under way: the engine's default parallelism is far below, and a hung command keeps its one
)
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_KINDS = {
    "add": (provider_pb2.PropertyDiff.ADD, provider_pb2.PropertyDiff.ADD_REPLACE),
    "delete": (provider_pb2.PropertyDiff.DELETE, provider_pb2.PropertyDiff.DELETE_REPLACE),
    "update": (provider_pb2.PropertyDiff.UPDATE, provider_pb2.PropertyDiff.UPDATE_REPLACE),
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

    def _operation(self, urn: str = "", *, timeout: float = 0, seed: bytes = b"") -> Operation:
        return Operation(
            urn=urn,
            timeout=timeout,
            seed=seed,
            log=lambda line: self._log(urn, line, severity=engine_pb2.INFO, ephemeral=True),
            warn=lambda line: self._log(urn, line, severity=engine_pb2.WARNING, ephemeral=False),
        )

    def _resource(self, urn: str, context: grpc.ServicerContext) -> Resource:
        kind = urn.split("::")[2].rpartition("$")[2]
        if kind not in self._provider.resources:
            reason = f"the offline {self._provider.name} plugin has no resource {kind}: it needs the official plugin"
            context.abort(grpc.StatusCode.UNIMPLEMENTED, reason)
        return self._provider.resources[kind]

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
        resource = self._resource(request.urn, context)
        operation = self._operation(request.urn, seed=request.randomSeed)
        with _told(context):
            news = _given(from_struct(request.news))
            failures = [_failure(path, reason) for path, reason in misfits(resource.inputs, news)]
            try:
                inputs = news if failures else resource.check(operation, from_struct(request.olds), news)
            except InvalidInput as error:
                inputs, failures = news, [_failure(error.path, error.reason)]
        return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=failures)

    def Diff(self, request, context):
        resource = self._resource(request.urn, context)
        olds, news = from_struct(request.old_inputs), from_struct(request.news)
        response = provider_pb2.DiffResponse(hasDetailedDiff=True)
        with _told(context):
            old, new = _given(olds), _given(news)
            old, new = resource.compared(old), resource.compared(resource.settled(old, new))
            for path, kind in differences(old, new):
                replace = resource.replaces(path, old, new)
                response.detailedDiff[path].kind = _KINDS[kind][replace]
                response.detailedDiff[path].inputDiff = True
                if top(path) not in response.diffs:
                    response.diffs.append(top(path))
                if replace and top(path) not in response.replaces:
                    response.replaces.append(top(path))
            for path in resource.outdated(from_struct(request.olds), _given(news)):
                response.detailedDiff[path].kind = provider_pb2.PropertyDiff.UPDATE
                response.diffs.append(path)
            response.deleteBeforeReplace = bool(response.replaces) and resource.deletes_first(news)
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        response.changes = some if response.detailedDiff else none
        return response

    def Create(self, request, context):
        resource = self._resource(request.urn, context)
        operation = self._operation(request.urn, timeout=request.timeout)
        inputs = _given(from_struct(request.properties))
        with _told(context):
            if request.preview:  # without an id, so that programs don't know one that will never be
                planned = resource.planned(operation, None, inputs)
                return provider_pb2.CreateResponse(properties=to_struct(planned))
            name, outputs = resource.create(operation, inputs)
        return provider_pb2.CreateResponse(id=name, properties=to_struct(outputs))

    def Read(self, request, context):
        resource = self._resource(request.urn, context)
        with _told(context):
            outputs = resource.read(self._operation(request.urn), request.id, from_struct(request.properties))
            if outputs is None:
                return provider_pb2.ReadResponse()
            inputs = _refreshed(resource, from_struct(request.inputs), outputs)
        return provider_pb2.ReadResponse(id=request.id, inputs=to_struct(inputs), properties=to_struct(outputs))

    def Update(self, request, context):
        resource = self._resource(request.urn, context)
        operation = self._operation(request.urn, timeout=request.timeout)
        olds, news = from_struct(request.olds), _given(from_struct(request.news))
        with _told(context):
            if request.preview:
                outputs = resource.planned(operation, olds, news)
            else:
                outputs = resource.update(operation, request.id, olds, news)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    def Delete(self, request, context):
        resource = self._resource(request.urn, context)
        operation = self._operation(request.urn, timeout=request.timeout)
        with _told(context):
            resource.delete(operation, request.id, from_struct(request.properties))
        return empty_pb2.Empty()

    def Invoke(self, request, context):
        function = self._provider.functions.get(request.tok)
        if function is None:
            reason = f"the offline {self._provider.name} plugin has no function {request.tok}"
            context.abort(grpc.StatusCode.UNIMPLEMENTED, reason)
        arguments = from_struct(request.args)
        response = provider_pb2.InvokeResponse()
        with _told(context):
            response.failures.extend(_failure(path, reason) for path, reason in misfits(function.inputs, arguments))
            if not response.failures:
                result = function.invoke(self._operation(), arguments)
                getattr(response, "return").CopyFrom(to_struct(result))
        return response

    def Cancel(self, request, context):
        self._provider.cancel()
        return empty_pb2.Empty()


def _given(inputs: Properties) -> Properties:
    """Return the inputs without what the provider remembers beside them."""
    return {key: value for key, value in inputs.items() if key != DEFAULTS}


def _refreshed(resource: Resource, inputs: Properties, outputs: Properties) -> Properties:
    """Return the inputs that would have given these outputs: those that mean the same stay as they were written."""
    seen = {key: outputs[key] for key in inputs if key in outputs and key in resource.inputs["properties"]}
    actual = inputs | narrowed(resource.inputs, seen, inputs)
    before, after = resource.compared(_given(inputs)), resource.compared(_given(actual))
    same = {key for key in inputs if before.get(key) == after.get(key)}
    return {key: inputs[key] if key in same else actual[key] for key in inputs if actual[key] is not None}


def _failure(path: str, reason: str) -> provider_pb2.CheckFailure:
    return provider_pb2.CheckFailure(property=path, reason=reason)


@contextlib.contextmanager
def _told(context: grpc.ServicerContext) -> Iterator[None]:
    """Turn what goes wrong into the status that the engine shows as an error of the resource."""
    try:
        yield
    except ProviderError as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
    except PartlyMade as error:
        _tell_partly_made(context, error)
    except Exception:
        context.abort(grpc.StatusCode.INTERNAL, f"the offline plugin broke: {traceback.format_exc()}")


def _tell_partly_made(context: grpc.ServicerContext, error: PartlyMade) -> None:
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.name, properties=to_struct(error.outputs), reasons=[error.reason]
    )
    packed = any_pb2.Any()
    packed.Pack(detail)
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=error.reason, details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, error.reason)


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
