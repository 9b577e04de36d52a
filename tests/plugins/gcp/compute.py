"""`compute.Network` and `Subnetwork`, as `google_compute_network` and `…_subnetwork` do it; the common inputs only."""

from typing import Any, ClassVar

from conversion import message_of
from gcp_resource import CLIENT_SIDE, GcpResource
from google_api import told
from libraries import library
from properties import Properties
from resources import AutoName, Operation

_BASE = "https://www.googleapis.com/compute/v1/"
_RFC_1035 = "^(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$"


class _ComputeResource(GcpResource):
    """What networks and subnetworks have in common."""

    autoname = AutoName(longest=63)
    patterns: ClassVar = {"name": _RFC_1035}

    def remove(self, name: str, state: Properties) -> None:
        self._call("delete", state).result()

    def _call(self, method: str, properties: Properties, **more: Any) -> Any:
        raise NotImplementedError


class Network(_ComputeResource):
    """A VPC network."""

    token = "gcp:compute/network:Network"
    what = "Network"
    computed = frozenset({"project", "mtu", "routingMode"})
    replace_on = frozenset({"autoCreateSubnetworks", "description", "mtu", "name", "project"})
    defaults: ClassVar = {
        "autoCreateSubnetworks": True,
        "deleteDefaultRoutesOnCreate": False,
        "deletionPolicy": "DELETE",
        "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
    }
    choices: ClassVar = {"routingMode": ("REGIONAL", "GLOBAL")}
    unsupported = frozenset(
        {
            "bgpAlwaysCompareMed", "bgpBestPathSelectionMode", "bgpInterRegionCost", "deleteBgpAlwaysCompareMed",
            "enableUlaInternalIpv6", "internalIpv6Range", "networkProfile", "params",
        }
    )  # fmt: skip

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        sent = ("autoCreateSubnetworks", "description", "mtu", "name", "networkFirewallPolicyEnforcementOrder")
        document = {key: inputs[key] for key in sent if key in inputs}
        document["routingConfig"] = {"routingMode": inputs.get("routingMode", "REGIONAL")}
        with told("creating Network"):
            self._call("insert", inputs, network_resource=message_of(library("compute_v1").Network, document)).result()
            outputs = self.look("", inputs)
        return f"projects/{outputs['project']}/global/networks/{outputs['name']}", outputs

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        document = {"routingConfig": {"routingMode": news.get("routingMode", olds["routingMode"])}}
        with told(f'updating Network "{name}"'):
            self._call("patch", news, network_resource=message_of(library("compute_v1").Network, document)).result()
            return self.look(name, news)

    def _call(self, method: str, properties: Properties, **more: Any) -> Any:
        which = {} if method == "insert" else {"network": properties["name"]}
        return getattr(self.google.client("networks"), method)(project=self.project(properties), **which, **more)

    def look(self, name: str, state: Properties) -> Properties:
        network = self._call("get", state)
        return {
            "autoCreateSubnetworks": network.auto_create_subnetworks,
            "deleteDefaultRoutesOnCreate": state.get("deleteDefaultRoutesOnCreate", False),
            "description": network.description,
            "gatewayIpv4": network.gateway_i_pv4,
            "mtu": network.mtu,
            "name": network.name,
            "networkFirewallPolicyEnforcementOrder": network.network_firewall_policy_enforcement_order,
            "networkId": str(network.id),
            "numericId": str(network.id),
            "project": self.project(state),
            "routingMode": network.routing_config.routing_mode,
            "selfLink": network.self_link,
            **{key: state[key] for key in CLIENT_SIDE if key in state},
        }


class Subnetwork(_ComputeResource):
    """A subnetwork: the addresses of a network in one region."""

    token = "gcp:compute/subnetwork:Subnetwork"
    what = "Subnetwork"
    computed = frozenset({"privateIpv6GoogleAccess", "project", "purpose", "region", "stackType"})
    replace_on = frozenset({"description", "ipCidrRange", "name", "network", "project", "purpose", "region"})
    defaults: ClassVar = {"deletionPolicy": "DELETE"}
    unsupported = frozenset(
        {
            "allowSubnetCidrRoutesOverlap", "externalIpv6Prefix", "internalIpv6Prefix", "ipCollection",
            "ipv6AccessType", "logConfig", "params", "privateIpv6GoogleAccess", "reservedInternalRange",
            "resolveSubnetMask", "role", "secondaryIpRanges", "sendSecondaryIpRangeIfEmpty", "stackType",
        }
    )  # fmt: skip

    def compared(self, inputs: Properties) -> Properties:
        given = inputs.get("network")
        # By its URL, its path or its name: the same network.
        return inputs | {"network": given.rpartition("/")[2]} if isinstance(given, str) else inputs

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        sent = ("description", "ipCidrRange", "name", "privateIpGoogleAccess", "purpose")
        document = {key: inputs[key] for key in sent if key in inputs} | {"network": self._network(inputs)}
        with told("creating Subnetwork"):
            message = message_of(library("compute_v1").Subnetwork, document)
            self._call("insert", inputs, subnetwork_resource=message).result()
            outputs = self.look("", inputs)
        return outputs["selfLink"].removeprefix(_BASE), outputs

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        access = {"private_ip_google_access": news.get("privateIpGoogleAccess", False)}
        with told(f'updating Subnetwork "{name}"'):
            self._call(
                "set_private_ip_google_access",
                news,
                subnetworks_set_private_ip_google_access_request_resource=access,
            ).result()
            return self.look(name, news)

    def _network(self, inputs: Properties) -> str:
        given = inputs["network"].removeprefix(_BASE)
        return given if "/" in given else f"projects/{self.project(inputs)}/global/networks/{given}"

    def _call(self, method: str, properties: Properties, **more: Any) -> Any:
        region = properties.get("region") or self.google.required("region")
        which = {} if method == "insert" else {"subnetwork": properties["name"]}
        call = getattr(self.google.client("subnetworks"), method)
        return call(project=self.project(properties), region=region.rpartition("/")[2], **which, **more)

    def look(self, name: str, state: Properties) -> Properties:
        subnetwork = self._call("get", state)
        return {
            "creationTimestamp": subnetwork.creation_timestamp,
            "description": subnetwork.description,
            "fingerprint": subnetwork.fingerprint,
            "gatewayAddress": subnetwork.gateway_address,
            "ipCidrRange": subnetwork.ip_cidr_range,
            "name": subnetwork.name,
            "network": subnetwork.network,
            "privateIpGoogleAccess": subnetwork.private_ip_google_access,
            "project": self.project(state),
            "purpose": subnetwork.purpose,
            "region": subnetwork.region.rpartition("/")[2],
            "selfLink": subnetwork.self_link,
            "subnetworkId": subnetwork.id,
            **{key: state[key] for key in CLIENT_SIDE if key in state},
        }
