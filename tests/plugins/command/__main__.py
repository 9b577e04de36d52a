"""Stands for pulumi-command 1.2.1 where the official plugin can't be downloaded: `local.Command` and `local.run`."""

import secrets
from typing import Any, ClassVar

from assets import archive_of, assets_of
from process import Processes
from properties import UNKNOWN, Properties
from provider import Operation, Provider, serve

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


class Command(Provider):
    """Runs commands, as `command:local:Command` and `command:local:run`."""

    name = "command"
    version = "1.2.1"
    resource = "command:local:Command"
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
    functions: ClassVar = {
        "command:local:run": {
            "type": "object",
            "properties": _COMMON | {"command": {"type": "string"}},
            "required": ["command"],
        }
    }
    replace_on = frozenset({"triggers"})

    def __init__(self) -> None:
        self._processes = Processes()

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        name = operation.urn.rpartition("::")[2]
        # In a preview every output depends on every input, and nothing is known of what a command will say.
        outputs = _unknown() if operation.preview else {"stdout": "", "stderr": ""}
        if not operation.preview and "create" in inputs:
            outputs = self._run(operation, inputs["create"], inputs, previous={})
        return f"{name}{secrets.token_hex(4)}", inputs | outputs

    def update(self, operation: Operation, olds: Properties, news: Properties) -> Properties:
        previous = {key: value for key, value in olds.items() if key in _OUTPUTS}
        command = news.get("update", news.get("create"))
        if operation.preview:  # the engine asks only when an input changed
            return news | previous | _unknown()
        if command is None:
            return news | previous
        return news | previous | self._run(operation, command, news, previous)

    def delete(self, operation: Operation, olds: Properties) -> None:
        if "delete" in olds:
            self._run(operation, olds["delete"], olds, previous=olds)

    def invoke(self, operation: Operation, token: str, arguments: Properties) -> Properties:
        return arguments | self._run(operation, arguments["command"], arguments, previous={})

    def cancel(self) -> None:
        self._processes.cancel()

    def _run(self, operation: Operation, command: str, inputs: Properties, previous: Properties) -> Properties:
        environment = dict(inputs.get("environment", {}))
        if inputs.get("addPreviousOutputInEnv", True):
            for stream in ("stdout", "stderr"):
                if previous.get(stream):
                    environment[f"PULUMI_COMMAND_{stream.upper()}"] = previous[stream]
        folder = inputs.get("dir", ".")
        stdout, stderr = self._processes.run(
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


def _unknown() -> Properties:
    return {"stdout": UNKNOWN, "stderr": UNKNOWN}


if __name__ == "__main__":
    serve(Command())
