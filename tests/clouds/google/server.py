"""Google's APIs on loopback, as far as the tests need them: Cloud Run, IAM, Secret Manager, Artifact Registry, Compute.

They stand for the REST APIs that Google's client libraries and Pulumi's `gcp` provider call. A body is read into
Google's own protobuf message, so a field that isn't in the API is refused, and so are values outside the documented
limits. They don't: run anything, ask who the caller is (any bearer token may do everything), count quotas, know which
APIs are enabled, take time (each operation is done at once), or spread rights late as the real IAM does.
"""

import json
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from google.protobuf.message import Message

from tests.clouds.google import messages
from tests.clouds.google.artifact_registry import ArtifactRegistry
from tests.clouds.google.cloud_run import CloudRun
from tests.clouds.google.compute import Compute
from tests.clouds.google.errors import ApiError, invalid, not_found
from tests.clouds.google.iam import Iam
from tests.clouds.google.operations import Operations
from tests.clouds.google.policies import Policies
from tests.clouds.google.projects import Projects
from tests.clouds.google.revisions import Deployed
from tests.clouds.google.routing import Request, routes
from tests.clouds.google.secret_manager import SecretManager
from tests.plugins.gcp.libraries import library

PROJECT = "sc-secure-tests"
REGION = "europe-west1"
_NO_TOKEN = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential."
)
_ENDPOINTS = {
    "ARTIFACT_REGISTRY": "/v1/",
    "CLOUD_RUN_V2": "/v2/",
    "COMPUTE": "/compute/v1/",
    "IAM": "/v1/",
    "RESOURCE_MANAGER": "/v1/",
    "SECRET_MANAGER": "/v1/",
}
"""The official provider's names: https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/provider_reference"""


class Google:
    """The server, and what it holds. Stop it with `close`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        """What was asked for, in order; `clear` it to look at what comes after."""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.reset()
        self._thread.start()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What sends the `gcp` provider here."""
        endpoints = {f"GOOGLE_{name}_CUSTOM_ENDPOINT": self.address + path for name, path in _ENDPOINTS.items()}
        return endpoints | {
            "GOOGLE_OAUTH_ACCESS_TOKEN": "offline",
            "GOOGLE_PROJECT": PROJECT,
            "GOOGLE_REGION": REGION,
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self.requests.clear()
            self.projects = Projects()
            self.iam = Iam(self.projects)
            self.project_policies, self.service_policies, self.secret_policies, self.repository_policies = (
                Policies(self.iam.exists) for _ in range(4)
            )
            self.projects.policies = self.project_policies
            self._operations = Operations()
            self.secrets = SecretManager(self.projects, self.secret_policies, self.project_policies)
            self.cloud_run = CloudRun(self.projects, self.iam, self.secrets, self.service_policies, self._operations)
            self.artifact_registry = ArtifactRegistry(self.projects, self.repository_policies, self._operations)
            self.compute = Compute(self.projects)
            services = (
                self.projects, self.iam, self.secrets, self.cloud_run, self.artifact_registry, self.compute,
                self._operations,
            )  # fmt: skip
            self._routes = [each for service in services for each in routes(service)]

    def deployed(self, name: str, project: str = PROJECT, location: str = REGION) -> Deployed:
        """Return a Cloud Run service with its revisions; KeyError if there is none."""
        return self.cloud_run.services[f"projects/{project}/locations/{location}/services/{name}"]

    def service(self, name: str, project: str = PROJECT, location: str = REGION) -> Any:
        """Return a Cloud Run service as the client library's `Service`."""
        return library("run_v2").Service.wrap(self.deployed(name, project, location).service)

    def calls(self, method: str = "") -> list[str]:
        """Return the requests as `METHOD path`, those with the method only if one is given."""
        return [f"{each.method} {each.path}" for each in self.requests if method in ("", each.method)]

    def answer(self, request: Request, token: str) -> Message | dict[str, Any]:
        """Answer one request; one at a time, so that what a handler reads is still so when it writes."""
        with self._lock:
            self.requests.append(request)
            if not token.startswith("Bearer "):
                raise ApiError("UNAUTHENTICATED", _NO_TOKEN)
            for method, pattern, handler in self._routes:
                found = pattern.fullmatch(request.path)
                if method == request.method and found:
                    request.parameters = found.groupdict()
                    return handler(request)
            raise not_found(f"The requested URL {request.path} was not found on this server.")


def _handler(google: Google) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query))
            numbers = "enum-encoding=int" in query.get("$alt", "")
            try:
                request = Request(self.command, url.path, query, self._body())
                result = google.answer(request, self.headers.get("Authorization", ""))
                document = messages.document(result, numbers=numbers) if isinstance(result, Message) else result
                self._send(200, document)
            except ApiError as error:
                self._send(error.http_status, error.document())
            except Exception:
                # Neither an error of Google's nor one to try again: the fake is broken.
                text = f"the fake broke: {traceback.format_exc()}"
                self._send(501, {"error": {"code": 501, "message": text, "status": "UNIMPLEMENTED"}})

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer

        def _body(self) -> Any:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                return json.loads(raw) if raw.strip() else None
            except ValueError as error:
                raise invalid(f"Invalid JSON payload received. {error}") from error

        def _send(self, status: int, document: dict[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        log_message: Callable[..., None] = lambda *_: None

    return Handler
