"""What Google's APIs answer when they refuse: a canonical code, its HTTP status, and JSON of one form."""

from typing import Any

from google.rpc import code_pb2

_HTTP = {
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "FAILED_PRECONDITION": 400,
    "INVALID_ARGUMENT": 400,
    "NOT_FOUND": 404,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "UNIMPLEMENTED": 501,
}


class ApiError(Exception):
    """A refusal: the canonical code's name, Google's text, and the field that is wrong, if one is."""

    def __init__(self, status: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field

    @property
    def http_status(self) -> int:
        return _HTTP[self.status]

    @property
    def code(self) -> int:
        """The number of the canonical code, which operations have."""
        return code_pb2.Code.Value(self.status)

    def document(self) -> dict[str, Any]:
        """Return the body of the answer."""
        error: dict[str, Any] = {"code": self.http_status, "message": self.message, "status": self.status}
        if self.field:
            violation = {"field": self.field, "description": self.message}
            kind = "type.googleapis.com/google.rpc.BadRequest"
            error["details"] = [{"@type": kind, "fieldViolations": [violation]}]
        return {"error": error}


def invalid(message: str, field: str = "") -> ApiError:
    return ApiError("INVALID_ARGUMENT", message, field)


def not_found(message: str) -> ApiError:
    return ApiError("NOT_FOUND", message)
