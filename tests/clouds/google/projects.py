"""Resource Manager v1: projects exist as soon as they are named; they have a number and an IAM policy."""

import re
import zlib
from typing import Any

from google.iam.v1 import iam_policy_pb2, policy_pb2

from tests.clouds.google.errors import ApiError
from tests.clouds.google.policies import Policies
from tests.clouds.google.routing import Request, route

# https://cloud.google.com/resource-manager/docs/creating-managing-projects
_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_REGION = re.compile(r"[a-z]+-[a-z]+\d+")


class Projects:
    """Projects by id and by number."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self.policies: Policies

    def number(self, project: str) -> str:
        """Return a project's number, the same in each test."""
        number = str(10**11 + zlib.crc32(project.encode()))
        self._ids[number] = project
        return number

    def id(self, project: str) -> str:
        """Return a project's id, of its id or number."""
        if project in self._ids:
            return self._ids[project]
        if not _PROJECT.fullmatch(project):
            raise ApiError("PERMISSION_DENIED", f"Permission denied on resource project {project}.")
        self.number(project)
        return project

    def region(self, location: str) -> str:
        """Return the location if it has the form of a region."""
        if not _REGION.fullmatch(location):
            raise ApiError("PERMISSION_DENIED", f"Permission denied on 'locations/{location}' (or it may not exist).")
        return location

    @route("GET", "/v1/projects/{project}")
    def get(self, request: Request) -> dict[str, Any]:
        project = self.id(request["project"])
        return {
            "projectId": project,
            "projectNumber": self.number(project),
            "name": project,
            "lifecycleState": "ACTIVE",
        }

    @route("POST", "/v1/projects/{project}:getIamPolicy")
    def get_policy(self, request: Request) -> policy_pb2.Policy:
        return self.policies.get(f"projects/{self.id(request['project'])}")

    @route("POST", "/v1/projects/{project}:setIamPolicy")
    def set_policy(self, request: Request) -> policy_pb2.Policy:
        wanted = request.message(iam_policy_pb2.SetIamPolicyRequest, "")
        return self.policies.set(f"projects/{self.id(request['project'])}", wanted.policy)
