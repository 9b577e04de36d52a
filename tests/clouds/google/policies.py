"""IAM policies of resources: read, modify, write, guarded by an etag as Google's are."""

import hashlib
import re
from collections.abc import Callable

from google.iam.v1 import policy_pb2

from tests.clouds.google.errors import ApiError, invalid

_EMPTY = b"\x00\x20\x01"
"""The etag of a policy that was never set; "ACAB" in JSON."""
_CONDITIONS = 3
# https://cloud.google.com/iam/docs/reference/rest/v1/Policy#Binding
_MEMBER = re.compile(
    r"allUsers|allAuthenticatedUsers|(user|serviceAccount|group|domain|deleted:\w+|projectOwner|projectEditor"
    r"|projectViewer):\S+|principal(Set)?://\S+"
)
_ROLE = re.compile(r"roles/[\w.]+|(projects|organizations)/[^/]+/roles/[\w.]+")
_ACCOUNT = re.compile(r"serviceAccount:(?P<email>[^@]+@[^.]+\.iam\.gserviceaccount\.com)")


class Policies:
    """The policies of one kind of resource, by the resource's name."""

    def __init__(self, account_exists: Callable[[str], bool]) -> None:
        self._account_exists = account_exists
        self._policies: dict[str, policy_pb2.Policy] = {}

    def get(self, resource: str) -> policy_pb2.Policy:
        """Return a copy of the resource's policy."""
        policy = policy_pb2.Policy()
        policy.CopyFrom(self._policies.get(resource, policy_pb2.Policy(version=1, etag=_EMPTY)))
        return policy

    def set(self, resource: str, wanted: policy_pb2.Policy) -> policy_pb2.Policy:
        """Replace the resource's policy, if it is still the one that the etag names."""
        current = self.get(resource)
        if wanted.etag and wanted.etag != current.etag:
            retry = "Please retry the whole read-modify-write with exponential backoff."
            text = f"There were concurrent policy changes. {retry}"
            raise ApiError("ABORTED", text)
        for binding in wanted.bindings:
            self._check(binding, wanted.version)
        policy = policy_pb2.Policy(version=wanted.version or 1)
        policy.bindings.extend(binding for binding in wanted.bindings if binding.members)
        policy.etag = hashlib.sha256(current.etag + policy.SerializeToString(deterministic=True)).digest()[:6]
        self._policies[resource] = policy
        return self.get(resource)

    def forget(self, resource: str) -> None:
        """A resource made anew has no policy."""
        self._policies.pop(resource, None)

    def grants(self, resource: str, role: str, member: str) -> bool:
        """Whether the member has the role there, unconditionally."""
        bindings = self.get(resource).bindings
        return any(each.role == role and member in each.members and not each.HasField("condition") for each in bindings)

    def _check(self, binding: policy_pb2.Binding, version: int) -> None:
        if not _ROLE.fullmatch(binding.role):
            raise invalid(f"Role {binding.role} is not supported for this resource.", "policy.bindings.role")
        if binding.HasField("condition") and version != _CONDITIONS:
            raise invalid("Policy version must be 3 when a binding has a condition.", "policy.version")
        for member in binding.members:
            account = _ACCOUNT.fullmatch(member)
            if not _MEMBER.fullmatch(member):
                raise invalid(f"The member {member} is of an unknown type.", "policy.bindings.members")
            if account and not self._account_exists(account["email"]):
                raise invalid(f"Service account {account['email']} does not exist.", "policy.bindings.members")
