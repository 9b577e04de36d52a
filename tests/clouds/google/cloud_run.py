"""Cloud Run Admin API v2: services, with their revisions and traffic. Nothing is run, and an image isn't looked for.

No jobs, no worker pools, no multi-region services, no GPUs. Locations are those that look like a region.
"""

import uuid
import zlib
from typing import Any

from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import field_mask_pb2

from tests.clouds.google import messages, revisions
from tests.clouds.google.errors import ApiError, invalid, not_found
from tests.clouds.google.iam import Iam
from tests.clouds.google.operations import Operations
from tests.clouds.google.policies import Policies
from tests.clouds.google.projects import Projects
from tests.clouds.google.revisions import Deployed
from tests.clouds.google.routing import Request, route
from tests.clouds.google.secret_manager import SecretManager
from tests.clouds.google.service_limits import check_service, check_service_id
from tests.plugins.gcp.libraries import library

_run = library("run_v2")

# What a user writes; the rest is Google's, and ignored in a request.
_INPUTS = (
    "annotations", "binary_authorization", "client", "client_version", "custom_audiences", "default_uri_disabled",
    "description", "iap_enabled", "ingress", "invoker_iam_disabled", "labels", "launch_stage", "scaling", "template",
    "traffic",
)  # fmt: skip
_CALLER = "deployer@example.com"
_LOCATION = "/v2/projects/{project}/locations/{location}"
_ONE = _LOCATION + "/services/{service}"


class CloudRun:
    """Services, by name."""

    def __init__(
        self, projects: Projects, iam: Iam, secrets: SecretManager, policies: Policies, operations: Operations
    ) -> None:
        self._projects = projects
        self._iam = iam
        self._secrets = secrets
        self._policies = policies
        self._operations = operations
        self.services: dict[str, Deployed] = {}
        self.failure = ""
        """Why no further revision becomes ready, for a test that wants one to fail."""

    @route("POST", f"{_LOCATION}/services")
    def create(self, request: Request) -> Any:
        wanted = request.message(_run.Service, "service")
        service_id = request.query.get("serviceId", "")
        check_service_id(service_id)
        if wanted.name:
            text = "service.name must be empty on CreateServiceRequest."
            raise invalid(f"Violation in CreateServiceRequest.service: {text}", "service.name")
        name = f"{self._parent(request)}/services/{service_id}"
        if name in self.services:
            raise ApiError("ALREADY_EXISTS", f"Resource '{service_id}' already exists.")
        return self._deploy(request, name, None, wanted, _everything())

    @route("GET", _ONE)
    def get(self, request: Request) -> Any:
        return self._existing(request).service

    @route("GET", f"{_LOCATION}/services")
    def list_services(self, request: Request) -> Any:
        answer = messages.new(_run.ListServicesResponse)
        beginning = f"{self._parent(request)}/services/"
        answer.services.extend(each.service for name, each in self.services.items() if name.startswith(beginning))
        return answer

    @route("PATCH", _ONE)
    def patch(self, request: Request) -> Any:
        wanted = request.message(_run.Service, "service")
        name = self._name(request)
        current = self.services.get(name)
        if current is None and request.flag("allowMissing"):
            check_service_id(request["service"])
        else:
            current = self._existing(request)
        text = request.query.get("updateMask", "*")
        mask = _everything() if text in ("", "*") else messages.mask_of(text, _run.Service)
        return self._deploy(request, name, current, wanted, mask)

    @route("DELETE", _ONE)
    def delete(self, request: Request) -> Any:
        current = self._existing(request)
        _same_version(current.service, request.query.get("etag", ""))
        service = messages.new(_run.Service)
        service.CopyFrom(current.service)
        if not request.flag("validateOnly"):
            service.delete_time.GetCurrentTime()
            del self.services[service.name]
            self._policies.forget(service.name)
        return self._operations.done(self._parent(request), service)

    @route("GET", f"{_ONE}:getIamPolicy")
    def get_policy(self, request: Request) -> policy_pb2.Policy:
        return self._policies.get(self._existing(request).service.name)

    @route("POST", f"{_ONE}:setIamPolicy")
    def set_policy(self, request: Request) -> policy_pb2.Policy:
        wanted = request.message(iam_policy_pb2.SetIamPolicyRequest, "")
        return self._policies.set(self._existing(request).service.name, wanted.policy)

    def _deploy(
        self,
        request: Request,
        name: str,
        current: Deployed | None,
        wanted: Any,
        mask: field_mask_pb2.FieldMask,
    ) -> Any:
        """Bring a service to what is wanted, as far as it can be."""
        project, service_id = name.split("/")[1], name.rpartition("/")[2]
        number = self._projects.number(project)
        service = messages.new(_run.Service)
        if current is not None:
            _same_version(current.service, wanted.etag)
            service.CopyFrom(current.service)
        messages.merge(mask, wanted, service)
        check_service(service, service_id, "UpdateServiceRequest" if current else "CreateServiceRequest")
        revisions.fill_defaults(service, number)
        self._check_account(service.template.service_account, project)
        deployed = Deployed(service, dict(current.revisions) if current else {})
        if current is None:
            service.name = name
            service.uid = str(uuid.uuid4())
            service.creator = _CALLER
            service.create_time.GetCurrentTime()
        changed = current is None or any(not _equal(service, current.service, field) for field in _INPUTS)
        service.generation += changed
        revision = revisions.revise(deployed, service_id, lambda: self._revision_problem(service.template, project))
        _check_traffic(deployed)
        if changed:
            service.last_modifier = _CALLER
            service.update_time.GetCurrentTime()
        revisions.give_addresses(service, service_id, number, name.split("/")[3])
        problem = deployed.problem_of(revision, *(each.revision for each in service.traffic if each.percent))
        revisions.conclude(deployed, problem)
        _stamp(service)
        if not request.flag("validateOnly"):
            self.services[name] = deployed
        error = ApiError("FAILED_PRECONDITION", problem) if problem else None
        return self._operations.done(self._parent(request), service, error)

    def _revision_problem(self, template: Any, project: str) -> str:
        return self.failure or revisions.secrets_problem(template, project, self._secrets)

    def _check_account(self, account: str, project: str) -> None:
        # An account of another project is taken for one that exists and may be used.
        if account.endswith(f"@{project}.iam.gserviceaccount.com") and not self._iam.exists(account):
            text = f"Permission 'iam.serviceaccounts.actAs' denied on service account {account} (or it may not exist)."
            raise ApiError("PERMISSION_DENIED", text)

    def _parent(self, request: Request) -> str:
        location = self._projects.region(request["location"])
        return f"projects/{self._projects.id(request['project'])}/locations/{location}"

    def _name(self, request: Request) -> str:
        return f"{self._parent(request)}/services/{request['service']}"

    def _existing(self, request: Request) -> Deployed:
        name = self._name(request)
        if name not in self.services:
            _, project, _, location, _, service = name.split("/")
            text = (
                f"Resource '{service}' of kind 'SERVICE' in region '{location}' in project '{project}' does not exist."
            )
            raise not_found(text)
        return self.services[name]


def _everything() -> field_mask_pb2.FieldMask:
    return field_mask_pb2.FieldMask(paths=_INPUTS)


def _equal(one: Any, other: Any, field: str) -> bool:
    return getattr(one, field) == getattr(other, field)


def _same_version(service: Any, etag: str) -> None:
    if etag and etag != service.etag:
        name = service.name.rpartition("/")[2]
        text = (
            f"Conflict for resource '{name}': version '{etag}' was specified but current version is '{service.etag}'."
        )
        raise ApiError("ABORTED", text)


def _check_traffic(deployed: Deployed) -> None:
    for index, target in enumerate(deployed.service.traffic):
        if target.revision and target.revision not in deployed.revisions:
            path = f"traffic[{index}].revision_name"
            raise invalid(f"{path}: Revision named '{target.revision}' was not found.", path)


def _stamp(service: Any) -> None:
    service.etag = ""
    service.etag = f'"{zlib.crc32(service.SerializeToString(deterministic=True)):08x}"'
