"""Secret Manager v1: secrets, their versions and policies. Google gives names back with the project's number.

No regional secrets, no rotation, no expiry, no customer-managed keys, and a payload's checksum isn't looked at.
"""

import re
import zlib
from typing import Any

from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import empty_pb2

from tests.clouds.google import messages
from tests.clouds.google.errors import ApiError, invalid, not_found
from tests.clouds.google.labels import check_labels
from tests.clouds.google.policies import Policies
from tests.clouds.google.projects import Projects
from tests.clouds.google.routing import Request, route
from tests.plugins.gcp.libraries import library

_types = library("secretmanager_v1")

ACCESSOR = "roles/secretmanager.secretAccessor"
_SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")  # https://cloud.google.com/secret-manager/docs/reference/rest/v1
_MOST_BYTES = 64 * 1024  # https://cloud.google.com/secret-manager/quotas
_FIXED = ("name", "replication", "create_time", "etag")
_SECRET = "/v1/projects/{project}/secrets/{secret}"
_VERSION = f"{_SECRET}/versions/{{version}}"
_ENABLED, _DISABLED, _DESTROYED = 1, 2, 3


class SecretManager:
    """Secrets and versions, by name."""

    def __init__(self, projects: Projects, policies: Policies, project_policies: Policies) -> None:
        self._projects = projects
        self._policies = policies
        self._project_policies = project_policies
        self.secrets: dict[str, Any] = {}
        self.versions: dict[str, list[tuple[Any, bytes]]] = {}

    @route("POST", "/v1/projects/{project}/secrets")
    def create(self, request: Request) -> Any:
        secret = request.message(_types.Secret, "secret")
        name = self._name(request["project"], request.query.get("secretId", ""))
        if not _SECRET_ID.fullmatch(name.rpartition("/")[2]):
            raise invalid("The provided Secret ID is invalid: 1 to 255 letters, numerals, - and _.", "secret_id")
        if not secret.replication.WhichOneof("replication"):
            raise invalid("Replication must be set to automatic or user_managed.", "secret.replication")
        check_labels(secret.labels, "secret.labels")
        if name in self.secrets:
            raise ApiError("ALREADY_EXISTS", f"Secret [{name}] already exists.")
        secret.name = name
        secret.create_time.GetCurrentTime()
        self.secrets[name], self.versions[name] = _stamped(secret), []
        return secret

    @route("GET", _SECRET)
    def get(self, request: Request) -> Any:
        return self.secrets[self._existing(request)]

    @route("PATCH", _SECRET)
    def patch(self, request: Request) -> Any:
        name = self._existing(request)
        wanted = request.message(_types.Secret, "secret")
        mask = messages.mask_of(request.query.get("updateMask", ""), _types.Secret)
        if not mask.paths or any(path.partition(".")[0] in _FIXED for path in mask.paths):
            raise invalid("update_mask must name fields that can be changed", "update_mask")
        if wanted.etag and wanted.etag != self.secrets[name].etag:
            raise ApiError("FAILED_PRECONDITION", f"The etag doesn't match that of Secret [{name}].")
        check_labels(wanted.labels, "secret.labels")
        messages.merge(mask, wanted, self.secrets[name])
        return _stamped(self.secrets[name])

    @route("DELETE", _SECRET)
    def delete(self, request: Request) -> Any:
        name = self._existing(request)
        del self.secrets[name], self.versions[name]
        self._policies.forget(name)
        return empty_pb2.Empty()

    @route("GET", f"{_SECRET}:getIamPolicy")
    def get_policy(self, request: Request) -> policy_pb2.Policy:
        return self._policies.get(self._existing(request))

    @route("POST", f"{_SECRET}:setIamPolicy")
    def set_policy(self, request: Request) -> policy_pb2.Policy:
        wanted = request.message(iam_policy_pb2.SetIamPolicyRequest, "")
        return self._policies.set(self._existing(request), wanted.policy)

    @route("POST", f"{_SECRET}:addVersion")
    def add_version(self, request: Request) -> Any:
        name = self._existing(request)
        payload = request.message(_types.AddSecretVersionRequest, "").payload
        if not payload.data or len(payload.data) > _MOST_BYTES:
            reason = f"Secret Payload cannot be empty, and at most {_MOST_BYTES} bytes are allowed."
            raise invalid(reason, "payload.data")
        version = messages.new(_types.SecretVersion)
        version.name = f"{name}/versions/{len(self.versions[name]) + 1}"
        version.create_time.GetCurrentTime()
        version.state = _ENABLED
        version.replication_status.automatic.SetInParent()
        self.versions[name].append((_stamped(version), payload.data))
        return version

    @route("GET", f"{_SECRET}/versions")
    def list_versions(self, request: Request) -> Any:
        answer = messages.new(_types.ListSecretVersionsResponse)
        versions = [version for version, _ in reversed(self.versions[self._existing(request)])]
        answer.versions.extend(versions)
        answer.total_size = len(versions)
        return answer

    @route("GET", _VERSION)
    def get_version(self, request: Request) -> Any:
        return self._version(self._existing(request), request["version"])[0]

    @route("GET", f"{_VERSION}:access")
    def access_version(self, request: Request) -> Any:
        version, data = self._version(self._existing(request), request["version"])
        if version.state != _ENABLED:
            state = version.DESCRIPTOR.enum_types_by_name["State"].values_by_number[version.state].name
            raise ApiError("FAILED_PRECONDITION", f"Secret Version [{version.name}] is in {state} state.")
        answer = messages.new(_types.AccessSecretVersionResponse)
        answer.name, answer.payload.data = version.name, data
        return answer

    @route("POST", f"{_VERSION}:enable")
    @route("POST", f"{_VERSION}:disable")
    @route("POST", f"{_VERSION}:destroy")
    def change_version(self, request: Request) -> Any:
        version, _ = self._version(self._existing(request), request["version"])
        if version.state == _DESTROYED:
            raise ApiError("FAILED_PRECONDITION", f"Secret Version [{version.name}] is in DESTROYED state.")
        states = {"enable": _ENABLED, "disable": _DISABLED, "destroy": _DESTROYED}
        version.state = states[request.path.rpartition(":")[2]]
        if version.state == _DESTROYED:
            version.destroy_time.GetCurrentTime()
        return _stamped(version)

    def accessible(self, project: str, secret: str, version: str, account: str) -> str:
        """Say why a service account can't read a version, or nothing; of a missing secret Google says no more."""
        owner = secret.split("/")[1] if "/" in secret else project
        name = self._name(owner, secret.rpartition("/")[2])
        member = f"serviceAccount:{account}"
        granted = self._policies.grants(name, ACCESSOR, member) or self._project_policies.grants(
            f"projects/{self._projects.id(owner)}", ACCESSOR, member
        )
        if name not in self.secrets or not granted:
            return (
                f"Permission denied on secret: {name}/versions/{version} for Revision service account {account}. "
                "The service account used must be granted the 'Secret Manager Secret Accessor' role "
                f"({ACCESSOR}) at the secret, project or higher level."
            )
        try:
            found, _ = self._version(name, version)
        except ApiError:
            return f"Secret {name}/versions/{version} was not found"
        return "" if found.state == _ENABLED else f"Secret {name}/versions/{version} is not enabled"

    def _name(self, project: str, secret: str) -> str:
        return f"projects/{self._projects.number(self._projects.id(project))}/secrets/{secret}"

    def _existing(self, request: Request) -> str:
        name = self._name(request["project"], request["secret"])
        if name not in self.secrets:
            raise not_found(f"Secret [{name}] not found.")
        return name

    def _version(self, secret: str, wanted: str) -> tuple[Any, bytes]:
        # "latest" is the newest whatever its state, so that disabling it doesn't bring an old one back.
        for version, data in reversed(self.versions[secret]):
            if wanted in ("latest", version.name.rpartition("/")[2]):
                return version, data
        raise not_found(f"Secret Version [{secret}/versions/{wanted}] not found.")


def _stamped(message: Any) -> Any:
    message.etag = ""
    message.etag = f'"{zlib.crc32(message.SerializeToString(deterministic=True)):x}"'
    return message
