"""Stands for pulumi-gcp 10.2.0 where the official plugin can't be downloaded, or must not reach the real Google.

It has the types named below and refuses the rest. Inputs are checked against the official SDK's schema; a request is
made of Google's own messages, and sent by its client libraries to the endpoints that the environment names.
"""

from artifact_registry import Repository
from cloud_run import Service
from compute import Network, Subnetwork
from google_api import Google
from members import ProjectIamMember, RepositoryIamMember, SecretIamMember, ServiceIamMember
from organizations import GetClientConfig, GetProject
from provider import Provider
from secret_manager import Secret, SecretVersion
from service_account import Account
from servicer import serve

_RESOURCES = (
    Account,
    Network,
    ProjectIamMember,
    Repository,
    RepositoryIamMember,
    Secret,
    SecretIamMember,
    SecretVersion,
    Service,
    ServiceIamMember,
    Subnetwork,
)
_FUNCTIONS = (GetClientConfig, GetProject)


class Gcp(Provider):
    """Makes resources of Google Cloud."""

    name = "gcp"
    version = "10.2.0"

    def __init__(self) -> None:
        self._google = Google()
        super().__init__(
            (resource(self._google) for resource in _RESOURCES), (function(self._google) for function in _FUNCTIONS)
        )

    def configure(self, config: dict[str, str]) -> None:
        self._google.configure(config)


if __name__ == "__main__":
    serve(Gcp())
