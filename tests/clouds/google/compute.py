"""Compute Engine v1: VPC networks and subnetworks. No addresses, routes, firewalls or peerings.

Its messages take a second to load, so they are loaded by the first request.
"""

import ipaddress
import re
import uuid
import zlib
from typing import Any

from tests.clouds.google import messages
from tests.clouds.google.errors import ApiError, invalid, not_found
from tests.clouds.google.projects import Projects
from tests.clouds.google.routing import Request, route
from tests.plugins.gcp.libraries import library

_NAME = r"(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)"  # as Google's own text has it
_BASE = "https://www.googleapis.com/compute/v1/"
_GLOBAL = "/compute/v1/projects/{project}/global"
_REGION = "/compute/v1/projects/{project}/regions/{region}"
_NETWORK = f"{_GLOBAL}/networks/{{name}}"
_SUBNETWORK = f"{_REGION}/subnetworks/{{name}}"
_FIXED = ("name", "network", "region", "ip_cidr_range")
# https://cloud.google.com/vpc/docs/subnets#valid-ranges
_SHORTEST, _LONGEST = 4, 29
_MTU = range(1300, 8897)  # https://cloud.google.com/vpc/docs/mtu


class Compute:
    """Networks and subnetworks, by the part of their URL after the version."""

    def __init__(self, projects: Projects) -> None:
        self._projects = projects
        self.networks: dict[str, Any] = {}
        self.subnetworks: dict[str, Any] = {}

    @route("POST", f"{_GLOBAL}/networks")
    def insert_network(self, request: Request) -> Any:
        network = request.message(_types().Network, "resource")
        self._begin(network, f"projects/{self._projects.id(request['project'])}/global/networks", self.networks)
        if network.mtu and network.mtu not in _MTU:
            raise _bad_value("resource.mtu", network.mtu, f"Must be between {_MTU[0]} and {_MTU[-1]}.")
        if not network.HasField("auto_create_subnetworks"):
            network.auto_create_subnetworks = True
        self.networks[_path(network)] = network
        return _done(request, network)

    @route("GET", _NETWORK)
    def get_network(self, request: Request) -> Any:
        return self._existing(request, self.networks)

    @route("PATCH", _NETWORK)
    def patch_network(self, request: Request) -> Any:
        network = self._existing(request, self.networks)
        _patch(network, request.message(_types().Network, "resource"))
        return _done(request, network)

    @route("DELETE", _NETWORK)
    def delete_network(self, request: Request) -> Any:
        network = self._existing(request, self.networks)
        for path, subnetwork in self.subnetworks.items():
            if subnetwork.network == network.self_link:
                text = f"The network resource '{_path(network)}' is already being used by '{path}'"
                raise ApiError("FAILED_PRECONDITION", text)
        del self.networks[_path(network)]
        return _done(request, network)

    @route("POST", f"{_REGION}/subnetworks")
    def insert_subnetwork(self, request: Request) -> Any:
        subnetwork = request.message(_types().Subnetwork, "resource")
        region = self._projects.region(request["region"])
        parent = f"projects/{self._projects.id(request['project'])}/regions/{region}"
        network = self.network(subnetwork.network, request["project"])
        if network is None:
            raise not_found(f"The resource '{subnetwork.network}' was not found")
        addresses = _addresses(subnetwork.ip_cidr_range)
        for path, other in self.subnetworks.items():
            if other.network == network.self_link and addresses.overlaps(_addresses(other.ip_cidr_range)):
                reason = f"Invalid IPCidrRange: {addresses} conflicts with existing subnetwork '{path}'."
                raise invalid(reason, "resource.ipCidrRange")
        self._begin(subnetwork, f"{parent}/subnetworks", self.subnetworks)
        subnetwork.network, subnetwork.region = network.self_link, f"{_BASE}{parent}"
        subnetwork.gateway_address = str(addresses[1])
        subnetwork.fingerprint = _fingerprint(subnetwork)
        network.subnetworks.append(subnetwork.self_link)
        self.subnetworks[_path(subnetwork)] = subnetwork
        return _done(request, subnetwork)

    @route("GET", _SUBNETWORK)
    def get_subnetwork(self, request: Request) -> Any:
        return self._existing(request, self.subnetworks)

    @route("PATCH", _SUBNETWORK)
    def patch_subnetwork(self, request: Request) -> Any:
        subnetwork = self._existing(request, self.subnetworks)
        wanted = request.message(_types().Subnetwork, "resource")
        if wanted.fingerprint != subnetwork.fingerprint:
            raise ApiError("FAILED_PRECONDITION", "Invalid fingerprint.")
        _patch(subnetwork, wanted)
        subnetwork.fingerprint = _fingerprint(subnetwork)
        return _done(request, subnetwork)

    @route("POST", f"{_SUBNETWORK}/setPrivateIpGoogleAccess")
    def set_private_access(self, request: Request) -> Any:
        subnetwork = self._existing(request, self.subnetworks)
        wanted = request.message(_types().SubnetworksSetPrivateIpGoogleAccessRequest, "resource")
        subnetwork.private_ip_google_access = wanted.private_ip_google_access
        return _done(request, subnetwork)

    @route("DELETE", _SUBNETWORK)
    def delete_subnetwork(self, request: Request) -> Any:
        subnetwork = self._existing(request, self.subnetworks)
        del self.subnetworks[_path(subnetwork)]
        self.networks[_path(subnetwork, "network")].subnetworks.remove(subnetwork.self_link)
        return _done(request, subnetwork)

    def network(self, reference: str, project: str) -> Any:
        """Find a network by its URL, its path or its name; None if there is none."""
        path = reference.removeprefix(_BASE)
        return self.networks.get(path if "/" in path else f"projects/{project}/global/networks/{path}")

    def subnetwork(self, reference: str, project: str, region: str) -> Any:
        """Find a subnetwork in the same way."""
        path = reference.removeprefix(_BASE)
        return self.subnetworks.get(path if "/" in path else f"projects/{project}/regions/{region}/subnetworks/{path}")

    def _begin(self, resource: Any, parent: str, known: dict[str, Any]) -> None:
        if not re.fullmatch(_NAME, resource.name):
            raise _bad_value("resource.name", resource.name, f"Must be a match of regex '{_NAME}'")
        path = f"{parent}/{resource.name}"
        if path in known:
            raise ApiError("ALREADY_EXISTS", f"The resource '{path}' already exists")
        resource.self_link = f"{_BASE}{path}"
        resource.id = zlib.crc32(path.encode()) + 10**18

    def _existing(self, request: Request, known: dict[str, Any]) -> Any:
        path = request.path.removeprefix("/compute/v1/").removesuffix("/setPrivateIpGoogleAccess")
        if path not in known:
            raise not_found(f"The resource '{path}' was not found")
        return known[path]


def _types() -> Any:
    return library("compute_v1")


def _path(resource: Any, field: str = "self_link") -> str:
    return getattr(resource, field).removeprefix(_BASE)


def _patch(current: Any, wanted: Any) -> None:
    for name in _FIXED:
        if wanted.HasField(name) and getattr(wanted, name) != getattr(current, name):
            raise invalid(f"Invalid value for field 'resource.{name}': it can't be changed.", f"resource.{name}")
        wanted.ClearField(name)
    current.MergeFrom(wanted)


def _addresses(text: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise _bad_value("resource.ipCidrRange", text, f"Must be a valid IPv4 range: {error}.") from error
    if not _SHORTEST <= network.prefixlen <= _LONGEST:
        raise _bad_value("resource.ipCidrRange", text, f"Its prefix must be of /{_SHORTEST} to /{_LONGEST}.")
    return network


def _bad_value(field: str, value: object, reason: str) -> ApiError:
    return invalid(f"Invalid value for field '{field}': '{value}'. {reason}", field)


def _fingerprint(resource: Any) -> str:
    resource.fingerprint = ""
    return f"{zlib.crc32(resource.SerializeToString(deterministic=True)):08x}"


def _done(request: Request, target: Any) -> Any:
    operation = messages.new(_types().Operation)
    operation.name = f"operation-{uuid.uuid4()}"
    operation.status = operation.DESCRIPTOR.enum_types_by_name["Status"].values_by_name["DONE"].number
    operation.operation_type = request.method.lower()
    operation.progress = 100
    operation.target_link = target.self_link
    operation.self_link = f"{target.self_link.rpartition('/')[0].rpartition('/')[0]}/operations/{operation.name}"
    return operation
