"""Long-running operations, which are done as soon as they have begun."""

import uuid
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.message import Message

from tests.clouds.google.errors import ApiError, not_found
from tests.clouds.google.routing import Request, route


class Operations:
    """The operations of the services that answer with `google.longrunning.Operation`."""

    def __init__(self) -> None:
        self._operations: dict[str, Any] = {}

    def done(self, parent: str, result: Message, error: ApiError | None = None) -> operations_pb2.Operation:
        """Return a finished operation; with an error, the result is what there is of the resource."""
        operation = operations_pb2.Operation(name=f"{parent}/operations/{uuid.uuid4()}", done=True)
        if error is None:
            operation.response.Pack(result)
        else:
            operation.metadata.Pack(result)
            operation.error.code, operation.error.message = error.code, error.message
        self._operations[operation.name] = operation
        return operation

    @route("GET", "/{version}/projects/{project}/locations/{location}/operations/{operation}")
    def get(self, request: Request) -> operations_pb2.Operation:
        name = request.path.split("/", 2)[2]
        if name not in self._operations:
            raise not_found(f"Operation {name} not found.")
        return self._operations[name]
