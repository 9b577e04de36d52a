"""IAM v1: service accounts. Google's own library calls this service over gRPC only; REST has the same messages."""

import re
import zlib
from typing import Any

from google.protobuf import empty_pb2

from tests.clouds.google import messages
from tests.clouds.google.errors import ApiError, invalid, not_found
from tests.clouds.google.projects import Projects
from tests.clouds.google.routing import Request, route
from tests.plugins.gcp.libraries import library

_types = library("iam_admin_v1")

# https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create
_ACCOUNT_ID = re.compile(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])")
_ADDRESS = re.compile(r"(?P<account>[^@]+)@(?P<project>[^.]+)\.iam\.gserviceaccount\.com")
_MOST_BYTES = {"display_name": 100, "description": 256}
_ONE = "/v1/projects/{project}/serviceAccounts/{account}"


class Iam:
    """Service accounts, by their e-mail address."""

    def __init__(self, projects: Projects) -> None:
        self._projects = projects
        self.accounts: dict[str, Any] = {}

    def exists(self, email: str) -> bool:
        return email in self.accounts and not self.accounts[email].disabled

    @route("POST", "/v1/projects/{project}/serviceAccounts")
    def create(self, request: Request) -> Any:
        project = self._projects.id(request["project"])
        wanted = request.message(_types.CreateServiceAccountRequest, "request")
        if not _ACCOUNT_ID.fullmatch(wanted.account_id):
            reason = "must be 6 to 30 characters: lowercase letters, digits and hyphens, beginning with a letter"
            raise invalid(f"Invalid value for account_id {wanted.account_id!r}: {reason}", "account_id")
        return self.add(project, wanted.account_id, wanted.service_account)

    def add(self, project: str, account_id: str, wanted: Any = None) -> Any:
        """Make an account."""
        email = f"{account_id}@{project}.iam.gserviceaccount.com"
        if email in self.accounts:
            text = f"Service account {account_id} already exists within project projects/{project}."
            raise ApiError("ALREADY_EXISTS", text)
        account = messages.new(_types.ServiceAccount)
        if wanted is not None:
            _check(wanted)
            account.display_name, account.description = wanted.display_name, wanted.description
        account.name = f"projects/{project}/serviceAccounts/{email}"
        account.project_id = project
        account.email = email
        account.unique_id = f"1{zlib.crc32(email.encode()):020}"
        account.oauth2_client_id = account.unique_id
        self.accounts[email] = account
        return account

    @route("GET", _ONE)
    def get(self, request: Request) -> Any:
        return self._account(request)

    @route("PATCH", _ONE)
    def patch(self, request: Request) -> Any:
        account = self._account(request)
        wanted = request.message(_types.PatchServiceAccountRequest, "request")
        for path in wanted.update_mask.paths:
            if path not in _MOST_BYTES:
                raise invalid(f"Invalid field mask: {path!r} can't be changed", "update_mask")
        _check(wanted.service_account)
        messages.merge(wanted.update_mask, wanted.service_account, account)
        return account

    @route("POST", f"{_ONE}:disable")
    @route("POST", f"{_ONE}:enable")
    def switch(self, request: Request) -> Any:
        self._account(request).disabled = request.path.endswith(":disable")
        return empty_pb2.Empty()

    @route("DELETE", _ONE)
    def delete(self, request: Request) -> Any:
        del self.accounts[self._account(request).email]
        return empty_pb2.Empty()

    def _account(self, request: Request) -> Any:
        for account in self.accounts.values():
            if request["account"] in (account.email, account.unique_id):
                return account
        raise not_found("Unknown service account")


def _check(account: Any) -> None:
    for name, most in _MOST_BYTES.items():
        if len(getattr(account, name).encode()) > most:
            raise invalid(f"Invalid {name}: at most {most} bytes are allowed", f"service_account.{name}")
