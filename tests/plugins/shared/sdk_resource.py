"""Resources and functions whose schema is the official Python SDK's.

What was derived from the SDK is kept in files beside the plugin's code, so that only the first run imports the SDK.
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

from resources import Function, Resource, Schema
from sdk_schema import arguments_of, inputs_of, outputs_of

_KEPT = Path(__file__).parent / "schemas"
_known: dict[Path, Schema] = {}
_lock = threading.Lock()


class SdkResource(Resource):
    """A resource type of a cloud; its token says which class of the SDK has its schema."""

    @property
    def inputs(self) -> Schema:
        return _kept("inputs", self.token, inputs_of)

    @property
    def outputs(self) -> Schema:
        return _kept("outputs", self.token, outputs_of)


class SdkFunction(Function):
    """A function of a cloud."""

    @property
    def inputs(self) -> Schema:
        return _kept("arguments", self.token, arguments_of)


def _kept(kind: str, token: str, derive: Callable[[str], Schema]) -> Schema:
    path = _KEPT / f"{kind}-{token.replace(':', '.').replace('/', '.')}.json"
    with _lock:
        if path not in _known:
            _known[path] = json.loads(path.read_text()) if path.exists() else _keep(path, derive(token))
        return _known[path]


def _keep(path: Path, schema: Schema) -> Schema:
    path.parent.mkdir(exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        json.dump(schema, file)
    Path(file.name).rename(path)  # another process may be doing the same
    return schema
