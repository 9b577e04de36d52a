"""The `…IamMember` resources: one member in one role, added to the policy that is there, and taken out of it again."""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar

from gcp_resource import GcpResource
from google.api_core import exceptions
from google.iam.v1 import iam_policy_pb2, options_pb2, policy_pb2
from google.protobuf import json_format
from google_api import told
from properties import Properties, has_unknowns
from resources import Operation

_VERSION = 3  # the one with conditions, which a client has to ask for
_ATTEMPTS = 10
_SHORTEST_WAIT = 0.02  # seconds

_locks: dict[str, threading.Lock] = defaultdict(threading.Lock)


class Member(GcpResource):
    """One member in one role, of one resource."""

    what = "IAM member"
    client: str
    """Whose policies they are, by the client's name."""
    parent: str
    """The input that names the resource: by its own name, or in full."""
    collection: str
    """What is between the project, or the location, and the resource's own name."""
    regional = False

    @property
    def replace_on(self) -> frozenset[str]:
        return frozenset(self.inputs["properties"])

    @property
    def computed(self) -> frozenset[str]:
        return super().computed | ({"location"} if self.regional else frozenset())

    def compared(self, inputs: Properties) -> Properties:
        given = inputs.get(self.parent)
        # The state has the full name, whatever the program wrote.
        return inputs | {self.parent: given.rpartition("/")[2]} if isinstance(given, str) else inputs

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        resource = self.resource(inputs)

        def add(policy: policy_pb2.Policy) -> None:
            binding = _binding(policy, inputs) or policy.bindings.add(role=inputs["role"], condition=_condition(inputs))
            if inputs["member"] not in binding.members:
                binding.members.append(inputs["member"])

        with told(f"applying IAM policy for {resource}"):
            policy = self._change(resource, add)
        title = inputs.get("condition", {}).get("title")
        name = "/".join(filter(None, (resource, inputs["role"], inputs["member"], title)))
        return name, self._outputs(inputs, resource, policy)

    def look(self, name: str, state: Properties) -> Properties:
        resource = self.resource(state)
        policy = self._get(resource)
        binding = _binding(policy, state)
        if binding is None or state["member"] not in binding.members:
            raise exceptions.NotFound(f"{state['member']} isn't in {state['role']} of {resource}")
        return self._outputs(state, resource, policy)

    def remove(self, name: str, state: Properties) -> None:
        def take_out(policy: policy_pb2.Policy) -> None:
            binding = _binding(policy, state)
            if binding is not None and state["member"] in binding.members:
                binding.members.remove(state["member"])

        self._change(self.resource(state), take_out)

    def resource(self, properties: Properties) -> str:
        """Return the full name of the resource whose policy it is."""
        given = properties[self.parent]
        if "/" in given:
            return given
        place = f"/locations/{self._location(properties)}" if self.regional else ""
        return f"projects/{self.project(properties)}{place}/{self.collection}/{given}"

    def _location(self, properties: Properties) -> str:
        return properties.get("location") or self.google.required("region")

    def _outputs(self, inputs: Properties, resource: str, policy: policy_pb2.Policy) -> Properties:
        outputs = inputs | {self.parent: resource, "project": self.project(inputs)}
        if self.regional:
            outputs["location"] = self._location(inputs)
        return outputs | {"etag": json_format.MessageToDict(policy)["etag"]}

    def _get(self, resource: str) -> policy_pb2.Policy:
        options = options_pb2.GetPolicyOptions(requested_policy_version=_VERSION)
        request = iam_policy_pb2.GetIamPolicyRequest(resource=resource, options=options)
        return self.google.client(self.client).get_iam_policy(request=request)

    def _set(self, resource: str, policy: policy_pb2.Policy) -> policy_pb2.Policy:
        request = iam_policy_pb2.SetIamPolicyRequest(resource=resource, policy=policy)
        return self.google.client(self.client).set_iam_policy(request=request)

    def _change(self, resource: str, change: Callable[[policy_pb2.Policy], None]) -> policy_pb2.Policy:
        """Read the policy, change it, and write it unless another has; then again."""
        with _locks[resource]:
            for attempt in range(_ATTEMPTS):
                policy = self._get(resource)
                change(policy)
                policy.version = _VERSION
                try:
                    return self._set(resource, policy)
                except exceptions.Conflict:
                    if attempt == _ATTEMPTS - 1:
                        raise
                time.sleep(_SHORTEST_WAIT * 2**attempt * random.random())  # noqa: S311 - another plugin does the same
        raise AssertionError("the last attempt raises")


def _condition(properties: Properties) -> dict[str, Any] | None:
    return properties.get("condition")


def _binding(policy: policy_pb2.Policy, properties: Properties) -> policy_pb2.Binding | None:
    condition = _condition(properties) or {}
    for binding in policy.bindings:
        if binding.role == properties["role"] and json_format.MessageToDict(binding.condition) == condition:
            return binding
    return None


class ServiceIamMember(Member):
    """A member of a Cloud Run service."""

    token = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
    client = "cloud_run"
    parent = "name"
    collection = "services"
    regional = True


class SecretIamMember(Member):
    """A member of a secret."""

    token = "gcp:secretmanager/secretIamMember:SecretIamMember"
    client = "secret_manager"
    parent = "secretId"
    collection = "secrets"


class RepositoryIamMember(Member):
    """A member of a repository."""

    token = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
    client = "artifact_registry"
    parent = "repository"
    collection = "repositories"
    regional = True


class ProjectIamMember(Member):
    """A member of a project, whose service has no client library here."""

    token = "gcp:projects/iAMMember:IAMMember"
    parent = "project"
    computed: ClassVar = frozenset()

    def resource(self, properties: Properties) -> str:
        return properties["project"].removeprefix("projects/")

    def check(self, operation: Operation, olds: Properties, news: Properties) -> Properties:
        checked = super().check(operation, olds, news)
        project = checked["project"]
        return checked if has_unknowns(project) else checked | {"project": project.removeprefix("projects/")}

    def _get(self, resource: str) -> policy_pb2.Policy:
        body = {"options": {"requestedPolicyVersion": _VERSION}}
        path = f"projects/{resource}:getIamPolicy"
        return self.google.call("RESOURCE_MANAGER", "POST", path, body, answer=policy_pb2.Policy)

    def _set(self, resource: str, policy: policy_pb2.Policy) -> policy_pb2.Policy:
        body = iam_policy_pb2.SetIamPolicyRequest(policy=policy)
        path = f"projects/{resource}:setIamPolicy"
        return self.google.call("RESOURCE_MANAGER", "POST", path, body, answer=policy_pb2.Policy)
