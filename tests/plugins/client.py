"""A plugin without an engine: for what would take many runs of one."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.plugins.install import CLOUD_VERSIONS


class Plugin:
    """A running plugin, asked as the engine asks."""

    def __init__(self, stub: provider_pb2_grpc.ResourceProviderStub) -> None:
        self._stub = stub

    def check(self, token: str, inputs: Mapping[str, Any], name: str = "x") -> dict[str, str]:
        """Return what's wrong with the inputs: path → reason."""
        request = provider_pb2.CheckRequest(urn=_urn(token, name), news=_struct(inputs), randomSeed=b"seed")
        return {failure.property: failure.reason for failure in self._stub.Check(request).failures}

    def diff(self, token: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, str]:
        """Return what differs: path → kind, as `UPDATE` and `UPDATE_REPLACE`."""
        request = provider_pb2.DiffRequest(
            urn=_urn(token, "x"), id="x", olds=_struct(olds), old_inputs=_struct(olds), news=_struct(news)
        )
        kinds = provider_pb2.PropertyDiff.Kind
        return {path: kinds.Name(each.kind) for path, each in self._stub.Diff(request).detailedDiff.items()}


@contextmanager
def running(name: str, pulumi_home: str, environment: Mapping[str, str]) -> Iterator[Plugin]:
    """Start the installed plugin of a cloud, and end it."""
    folder = Path(pulumi_home, "plugins", f"resource-{name}-v{CLOUD_VERSIONS[name]}")
    program = subprocess.Popen(
        [str(folder / f"pulumi-resource-{name}")],
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = program.stdout.readline().strip()  # type: ignore[union-attr] - it's a pipe
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Configure(provider_pb2.ConfigureRequest())
            yield Plugin(stub)
    finally:
        program.terminate()
        program.wait()
        program.stdout.close()  # type: ignore[union-attr]


def _urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::trial::{token}::{name}"


def _struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    json_format.ParseDict(dict(properties), struct)
    return struct
