"""AWS on loopback: moto's server in this process, with what it leaves out of ECS and KMS, and a log of the requests.

moto keeps what it is told and gives it back. It doesn't: run tasks, ask who the caller is or what he may do, or know
most of AWS's limits (tests/plugins/aws/limits.py checks those that matter here).
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

import boto3
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.moto_api._internal import moto_api_backend
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.clouds import ecs, kms

REGION = "eu-west-1"
ACCOUNT = "123456789012"
_SETTINGS = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
_MANAGED = ("AmazonECSTaskExecutionRolePolicy", "AmazonEC2ContainerRegistryReadOnly", "CloudWatchLogsFullAccess")
"""AWS's own policies that an account has here: all 1,500 take moto seconds at every reset."""


@dataclass(frozen=True)
class Request:
    """What AWS was asked."""

    service: str
    """As in the credentials' scope: `ecs`, `iam`, `ec2`, `elasticloadbalancing` …"""
    action: str
    body: dict[str, Any]
    """The parsed JSON; the parameters, each a text, where the protocol is a form."""


class Aws:
    """The server, and what one test sees of it."""

    def __init__(self) -> None:
        self._changed = contextlib.ExitStack()
        self._changed.enter_context(patch.dict(os.environ, _SETTINGS))
        self._changed.enter_context(patch.object(IAMBackend, "_init_aws_policies", _managed_policies))
        self._changed.enter_context(ecs.completed())
        self._changed.enter_context(kms.completed())
        self._requests: list[Request] = []
        self._server = make_server("127.0.0.1", 0, self._logged, threaded=True, request_handler=_Silent)
        self._app = DomainDispatcherApplication(create_backend_app)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find it, the offline plugin as well."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a boto3 client."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def requests(self, service: str = "", action: str = "") -> list[Request]:
        """Return what was asked since the test began, in order: of a service and an action, if given."""
        return [
            request
            for request in list(self._requests)
            if service in ("", request.service) and action in ("", request.action)
        ]

    def failing(self, family: str) -> None:
        """Have the tasks of this family never start."""
        ecs.failing.add(family)

    def reset(self) -> None:
        """Make the account as it is when it's new."""
        moto_api_backend.reset()
        self._requests.clear()
        ecs.failing.clear()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._changed.close()

    def _logged(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        self._requests.append(_request(environ, body))
        return self._app(environ, start_response)


@cache
def _managed_data() -> dict[str, Any]:
    every = json.loads(aws_managed_policies_data)
    return {name: every[name] for name in _MANAGED}


def _managed_policies(backend: IAMBackend) -> list[AWSManagedPolicy]:
    account, region = backend.account_id, backend.region_name
    return [AWSManagedPolicy.from_data(name, account, region, data) for name, data in _managed_data().items()]


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing of each request."""


def _request(environ: dict[str, Any], body: bytes) -> Request:
    # Credential=KEY/DATE/REGION/SERVICE/aws4_request
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0].split("/")
    service = scope[3] if len(scope) > 3 else ""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return Request(service, target.rpartition(".")[2], json.loads(body or b"{}"))
    form = {key: values[0] for key, values in parse_qs(body.decode(errors="replace"), keep_blank_values=True).items()}
    return Request(service, form.pop("Action", environ["PATH_INFO"]), form)
