"""Artifact Registry v1: repositories and their policies. No packages: the images are in a real registry of the tests.

Remote and virtual repositories are refused only where their mode and configuration don't match.
"""

import re
from typing import Any

from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import empty_pb2

from tests.clouds.google import messages
from tests.clouds.google.errors import ApiError, invalid, not_found
from tests.clouds.google.labels import check_labels
from tests.clouds.google.operations import Operations
from tests.clouds.google.policies import Policies
from tests.clouds.google.projects import Projects
from tests.clouds.google.routing import Request, route
from tests.plugins.gcp.libraries import library

_types = library("artifactregistry_v1")

# https://cloud.google.com/artifact-registry/docs/repositories/create-repos#create-console
_REPOSITORY_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
# https://cloud.google.com/kms/docs/resource-hierarchy
_KEY = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")
_MULTI_REGIONS = frozenset({"us", "europe", "asia"})
_CHANGEABLE = frozenset(
    {
        "cleanup_policies",
        "cleanup_policy_dry_run",
        "description",
        "docker_config",
        "labels",
        "remote_repository_config",
        "virtual_repository_config",
        "vulnerability_scanning_config",
    }
)
_DOCKER = 1
_STANDARD, _VIRTUAL, _REMOTE = 1, 2, 3
_DELETE, _KEEP = 1, 2
_MOST_POLICIES = 10  # https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview
_LONGEST_POLICY_ID = 128
_LOCATION = "/v1/projects/{project}/locations/{location}"
_ONE = _LOCATION + "/repositories/{repository}"


class ArtifactRegistry:
    """Repositories, by name."""

    def __init__(self, projects: Projects, policies: Policies, operations: Operations) -> None:
        self._projects = projects
        self._policies = policies
        self._operations = operations
        self.repositories: dict[str, Any] = {}

    @route("POST", f"{_LOCATION}/repositories")
    def create(self, request: Request) -> Any:
        repository = request.message(_types.Repository, "repository")
        repository_id = request.query.get("repositoryId", "")
        if not _REPOSITORY_ID.fullmatch(repository_id):
            reason = (
                "up to 63 lowercase letters, numbers and hyphens; it must begin with a letter and not end with a hyphen"
            )
            raise invalid(f"invalid repository_id {repository_id!r}: {reason}", "repository_id")
        if not repository.format_:
            raise invalid("the repository's format must be set", "repository.format")
        repository.mode = repository.mode or _STANDARD
        _check(repository)
        parent = self._parent(request)
        repository.name = f"{parent}/repositories/{repository_id}"
        if repository.name in self.repositories:
            raise ApiError("ALREADY_EXISTS", "the repository already exists")
        repository.create_time.GetCurrentTime()
        repository.update_time.CopyFrom(repository.create_time)
        _, project, _, location = parent.split("/")
        host = f"{location}-{_format(repository)}.pkg.dev"
        repository.registry_uri = f"{host}/{project}/{repository_id}"
        self.repositories[repository.name] = repository
        return self._operations.done(parent, repository)

    @route("GET", _ONE)
    def get(self, request: Request) -> Any:
        return self.repositories[self._existing(request)]

    @route("PATCH", _ONE)
    def patch(self, request: Request) -> Any:
        current = self.repositories[self._existing(request)]
        wanted = request.message(_types.Repository, "repository")
        mask = messages.mask_of(request.query.get("updateMask", ""), _types.Repository)
        for path in mask.paths:
            if path.partition(".")[0] not in _CHANGEABLE:
                raise invalid(f"{path} can't be changed", "update_mask")
        changed = messages.new(_types.Repository)
        changed.CopyFrom(current)
        messages.merge(mask, wanted, changed)
        _check(changed)
        changed.update_time.GetCurrentTime()
        current.CopyFrom(changed)
        return current

    @route("DELETE", _ONE)
    def delete(self, request: Request) -> Any:
        name = self._existing(request)
        del self.repositories[name]
        self._policies.forget(name)
        return self._operations.done(self._parent(request), empty_pb2.Empty())

    @route("GET", f"{_ONE}:getIamPolicy")
    def get_policy(self, request: Request) -> policy_pb2.Policy:
        return self._policies.get(self._existing(request))

    @route("POST", f"{_ONE}:setIamPolicy")
    def set_policy(self, request: Request) -> policy_pb2.Policy:
        wanted = request.message(iam_policy_pb2.SetIamPolicyRequest, "")
        return self._policies.set(self._existing(request), wanted.policy)

    def _parent(self, request: Request) -> str:
        location = request["location"]
        if location not in _MULTI_REGIONS:
            self._projects.region(location)
        return f"projects/{self._projects.id(request['project'])}/locations/{location}"

    def _existing(self, request: Request) -> str:
        name = f"{self._parent(request)}/repositories/{request['repository']}"
        if name not in self.repositories:
            raise not_found(f'Requested entity was not found: "{name}"')
        return name


def _format(repository: Any) -> str:
    return repository.DESCRIPTOR.enum_types_by_name["Format"].values_by_number[repository.format_].name.lower()


def _check(repository: Any) -> None:
    check_labels(repository.labels, "repository.labels")
    if repository.docker_config.immutable_tags and repository.format_ != _DOCKER:
        raise invalid("docker_config is for repositories of the format DOCKER", "repository.docker_config")
    if repository.kms_key_name and not _KEY.fullmatch(repository.kms_key_name):
        raise invalid(f"invalid kms_key_name {repository.kms_key_name!r}", "repository.kms_key_name")
    for field, mode in (("virtual_repository_config", _VIRTUAL), ("remote_repository_config", _REMOTE)):
        if repository.HasField(field) != (repository.mode == mode):
            raise invalid(f"the mode and {field} don't match", f"repository.{field}")
    if len(repository.cleanup_policies) > _MOST_POLICIES:
        raise invalid(f"at most {_MOST_POLICIES} cleanup policies are allowed", "repository.cleanup_policies")
    for key, policy in repository.cleanup_policies.items():
        _check_cleanup(key, policy)


def _check_cleanup(key: str, policy: Any) -> None:
    path = f"repository.cleanup_policies[{key}]"
    if policy.id != key or not 1 <= len(key) <= _LONGEST_POLICY_ID:
        raise invalid(f"{path}: its id must be its key, of at most {_LONGEST_POLICY_ID} characters", path)
    if policy.action not in (_DELETE, _KEEP):
        raise invalid(f"{path}: action must be DELETE or KEEP", path)
    kind = policy.WhichOneof("condition_type")
    if kind is None:
        raise invalid(f"{path}: one of condition and most_recent_versions must be set", path)
    if kind == "most_recent_versions" and policy.action != _KEEP:
        raise invalid(f"{path}: most_recent_versions can only be used with the action KEEP", path)
