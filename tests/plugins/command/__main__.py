"""Stands for pulumi-command 1.2.1 where the official plugin can't be downloaded: its commands, and `local.run`."""

import secrets
from typing import Any, ClassVar

from assets import archive_of, assets_of
from process import Processes
from properties import UNKNOWN, Properties
from provider import Provider
from remote import RemoteCommand
from resources import Function, Operation, Resource
from servicer import serve

_STRINGS = {"type": "array", "items": {"type": "string"}}
_COMMON: dict[str, Any] = {
    "addPreviousOutputInEnv": {"type": "boolean"},
    "archivePaths": _STRINGS,
    "assetPaths": _STRINGS,
    "dir": {"type": "string"},
    "environment": {"type": "object", "additionalProperties": {"type": "string"}},
    "interpreter": _STRINGS,
    "logging": {"type": "string", "enum": ["stdout", "stderr", "stdoutAndStderr", "none"]},
    "stdin": {"type": "string"},
}
_OUTPUTS = {
    "stdout": {"type": "string"},
    "stderr": {"type": "string"},
    "archive": {"$ref": "pulumi.json#/Archive"},
    "assets": {"type": "object", "additionalProperties": {"$ref": "pulumi.json#/Asset"}},
}


class Command(Resource):
    """`command:local:Command`: runs commands when it is made, changed and taken away."""

    token = "command:local:Command"
    inputs: ClassVar = {
        "type": "object",
        "properties": _COMMON
        | {
            "create": {"type": "string"},
            "update": {"type": "string"},
            "delete": {"type": "string"},
            "triggers": {"type": "array", "items": {}},
        },
    }
    outputs: ClassVar = {"properties": _OUTPUTS, "required": ["stdout", "stderr"]}
    replace_on = frozenset({"triggers"})

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def planned(self, operation: Operation, olds: Properties | None, news: Properties) -> Properties:
        # Every output depends on every input, and nothing is known of what a command will say.
        previous = {key: value for key, value in (olds or {}).items() if key in _OUTPUTS}
        return news | previous | {"stdout": UNKNOWN, "stderr": UNKNOWN}

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        outputs = {"stdout": "", "stderr": ""}
        if "create" in inputs:
            outputs = _run(self._processes, operation, inputs["create"], inputs)
        return f"{operation.name}{secrets.token_hex(4)}", inputs | outputs

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        previous = {key: value for key, value in olds.items() if key in _OUTPUTS}
        command = news.get("update", news.get("create"))
        if command is None:
            return news | previous
        return news | previous | _run(self._processes, operation, command, news, previous)

    def delete(self, operation: Operation, name: str, olds: Properties) -> None:
        if "delete" in olds:
            _run(self._processes, operation, olds["delete"], olds, previous=olds)


class Run(Function):
    """`command:local:run`: runs a command whenever the program does."""

    token = "command:local:run"
    inputs: ClassVar = {
        "type": "object",
        "properties": _COMMON | {"command": {"type": "string"}},
        "required": ["command"],
    }

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def invoke(self, operation: Operation, arguments: Properties) -> Properties:
        return arguments | _run(self._processes, operation, arguments["command"], arguments)


class CommandProvider(Provider):
    """Runs commands."""

    name = "command"
    version = "1.2.1"

    def __init__(self) -> None:
        self._processes = Processes()
        super().__init__([Command(self._processes), RemoteCommand()], [Run(self._processes)])

    def cancel(self) -> None:
        self._processes.cancel()


def _run(
    processes: Processes,
    operation: Operation,
    command: str,
    inputs: Properties,
    previous: Properties | None = None,
) -> Properties:
    environment = dict(inputs.get("environment", {}))
    if inputs.get("addPreviousOutputInEnv", True):
        for stream in ("stdout", "stderr"):
            if previous and previous.get(stream):
                environment[f"PULUMI_COMMAND_{stream.upper()}"] = previous[stream]
    folder = inputs.get("dir", ".")
    stdout, stderr = processes.run(
        command,
        interpreter=inputs.get("interpreter") or ["/bin/sh", "-c"],
        folder=folder,
        environment=environment,
        stdin=inputs.get("stdin", ""),
        logging=inputs.get("logging", "stdoutAndStderr"),
        log=operation.log,
        timeout=operation.timeout,
    )
    outputs: Properties = {"stdout": stdout, "stderr": stderr}
    if "assetPaths" in inputs:
        outputs["assets"] = assets_of(folder, inputs["assetPaths"])
    if "archivePaths" in inputs:
        outputs["archive"] = archive_of(folder, inputs["archivePaths"])
    return outputs


if __name__ == "__main__":
    serve(CommandProvider())
