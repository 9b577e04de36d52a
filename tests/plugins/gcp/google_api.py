"""Calls to Google: where they go and as whom, clients by service, and errors in the official provider's words."""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from google.api_core import exceptions
from google.longrunning import operations_pb2
from google.protobuf import json_format
from libraries import client_class
from resources import ProviderError

_CLIENTS = {
    "cloud_run": ("CLOUD_RUN_V2", "run_v2", "services", "ServicesClient"),
    "secret_manager": ("SECRET_MANAGER", "secretmanager_v1", "secret_manager_service", "SecretManagerServiceClient"),
    "artifact_registry": ("ARTIFACT_REGISTRY", "artifactregistry_v1", "artifact_registry", "ArtifactRegistryClient"),
    "networks": ("COMPUTE", "compute_v1", "networks", "NetworksClient"),
    "subnetworks": ("COMPUTE", "compute_v1", "subnetworks", "SubnetworksClient"),
}
"""Name → the endpoint's name in the environment, and where the client's class is."""
_SETTINGS = {
    "project": ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
    "region": ("GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"),
    "zone": ("GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"),
    "accessToken": ("GOOGLE_OAUTH_ACCESS_TOKEN",),
}
"""Settings of the provider, each with the environment variables that stand in for it."""
ATTRIBUTION = "goog-pulumi-provisioned"
"""The label that the official provider puts on all that it makes."""
_TIMEOUT = 60  # seconds


class Google:
    """The project and region that the provider is configured for; the endpoints are the environment's."""

    def __init__(self) -> None:
        self._config: dict[str, str] = {}
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def configure(self, config: Mapping[str, str]) -> None:
        """Take the provider's configuration.

        Raises:
            ProviderError: some of it isn't known here.
        """
        unknown = config.keys() - _SETTINGS.keys() - {"addPulumiAttributionLabel"}
        if unknown:
            raise ProviderError(f"the offline gcp plugin doesn't know the configuration {', '.join(sorted(unknown))}")
        self._config = dict(config)

    def setting(self, name: str) -> str:
        """Return a setting, of the configuration or else the environment; empty if neither has it."""
        found = (os.environ.get(variable, "") for variable in _SETTINGS[name])
        return self._config.get(name) or next(filter(None, found), "")

    def required(self, name: str) -> str:
        """Return a setting that must be there."""
        value = self.setting(name)
        if not value:
            raise ProviderError(f"{name}: required field is not set")
        return value

    @property
    def own_labels(self) -> dict[str, str]:
        """The labels that the provider adds to those of the program."""
        return {} if self._config.get("addPulumiAttributionLabel") == "false" else {ATTRIBUTION: "true"}

    def client(self, name: str) -> Any:
        """Return the client of a service, over REST."""
        from google.oauth2.credentials import Credentials  # noqa: PLC0415 - a preview does without

        endpoint, *where = _CLIENTS[name]
        with self._lock:
            if name not in self._clients:
                self._clients[name] = client_class(*where)(
                    transport="rest",
                    credentials=Credentials(self.required("accessToken")),
                    client_options={"api_endpoint": "{0.scheme}://{0.netloc}".format(urlsplit(_endpoint(endpoint)))},
                )
            return self._clients[name]

    def call(self, service: str, method: str, path: str, body: Any = None, *, answer: Any = dict) -> Any:
        """Call a service whose library doesn't speak REST. The body is a message; `answer` is the answer's class."""
        import requests  # noqa: PLC0415 - a preview does without

        content = json_format.MessageToDict(body) if hasattr(body, "DESCRIPTOR") else body
        token = self.required("accessToken")
        response = requests.request(
            method,
            f"{_endpoint(service)}{path}",
            json=content,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT,
        )
        if not response.ok:
            raise exceptions.from_http_response(response)
        return response.json() if answer is dict else json_format.ParseDict(response.json(), answer())


def _endpoint(service: str) -> str:
    variable = f"GOOGLE_{service}_CUSTOM_ENDPOINT"
    if not os.environ.get(variable):
        raise ProviderError(f"the offline gcp plugin doesn't call the real Google: {variable} must name a fake one")
    return os.environ[variable]


@contextlib.contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn what Google says into the plugin's error; `doing` is as in `creating Service`."""
    try:
        yield
    except exceptions.GoogleAPICallError as error:
        raise ProviderError(f"1 error occurred:\n\t* Error {doing}: {text_of(error)}\n\n") from error
    except OSError as error:  # what requests raises is one: it isn't imported for a preview
        raise ProviderError(f"1 error occurred:\n\t* Error {doing}: {error}\n\n") from error


def text_of(error: exceptions.GoogleAPICallError) -> str:
    """Return an error in the words of the official provider: of a request, or of an operation."""
    if isinstance(error.response, operations_pb2.Operation):
        return f"Error code {error.response.error.code}, message: {error.response.error.message}"
    message = error.response.json()["error"]["message"]
    return f"googleapi: Error {error.response.status_code}: {message}"
