"""VPCs, subnets, gateways and routes."""

import time
import zlib
from typing import Any, ClassVar

import tagging
from botocore.exceptions import ClientError
from cloud import AwsResource, Gone, asked, code_of, picked
from properties import Properties
from resources import Operation

_TARGETS = {
    "GatewayId": "gatewayId",
    "NatGatewayId": "natGatewayId",
    "NetworkInterfaceId": "networkInterfaceId",
    "TransitGatewayId": "transitGatewayId",
    "VpcEndpointId": "vpcEndpointId",
    "VpcPeeringConnectionId": "vpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId": "egressOnlyGatewayId",
}
_DESTINATIONS = {"DestinationCidrBlock": "destinationCidrBlock", "DestinationIpv6CidrBlock": "destinationIpv6CidrBlock"}
_NAT_POLL_SECONDS = 0.2
_NAT_SECONDS = 600.0


class Ec2Resource(AwsResource):
    """One of EC2's: an id, and its ARN made of it."""

    service = "ec2"
    tagging = tagging.EC2
    path: str
    """What stands before the id in its ARN."""

    def arn(self, name: str, state: Properties) -> str:
        return name

    def owned(self, name: str, found: dict[str, Any], state: Properties) -> Properties:
        """Return the outputs that all have: ARN, owner and tags."""
        owner = found.get("OwnerId") or self.aws.account()
        region = state.get("region") or self.aws.region
        seen = {"arn": f"arn:aws:ec2:{region}:{owner}:{self.path}/{name}", "ownerId": owner}
        kept = {key: value for key, value in seen.items() if key in self.outputs["properties"]}
        return kept | tagging.EC2.seen(found.get("Tags"))

    def tags(self, inputs: Properties, kind: str) -> dict[str, Any]:
        """Return the argument of a creating call."""
        if not inputs.get("tags"):
            return {}
        return {"TagSpecifications": [{"ResourceType": kind, "Tags": tagging.EC2.written(inputs["tags"])}]}


class Vpc(Ec2Resource):
    token = "aws:ec2/vpc:Vpc"
    what = "EC2 VPC"
    path = "vpc"
    gone = frozenset({"InvalidVpcID.NotFound"})
    supported = frozenset({"cidrBlock", "enableDnsHostnames", "enableDnsSupport", "instanceTenancy"})
    computed = frozenset({"cidrBlock", "enableDnsHostnames", "region"})
    replace_on = frozenset({"cidrBlock", "instanceTenancy"})

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, CidrBlock="cidrBlock", InstanceTenancy="instanceTenancy")
        name = api.create_vpc(**request, **self.tags(inputs, "vpc"))["Vpc"]["VpcId"]
        self.change(api, name, {}, inputs)
        return name

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        vpc = api.describe_vpcs(VpcIds=[name])["Vpcs"][0]
        seen = picked(vpc, cidrBlock="CidrBlock", dhcpOptionsId="DhcpOptionsId", instanceTenancy="InstanceTenancy")
        for ours, theirs in (("enableDnsHostnames", "EnableDnsHostnames"), ("enableDnsSupport", "EnableDnsSupport")):
            attribute = theirs[0].lower() + theirs[1:]
            seen[ours] = api.describe_vpc_attribute(VpcId=name, Attribute=attribute)[theirs]["Value"]
        of_vpc = [{"Name": "vpc-id", "Values": [name]}]
        groups = api.describe_security_groups(Filters=[*of_vpc, {"Name": "group-name", "Values": ["default"]}])
        tables = api.describe_route_tables(Filters=[*of_vpc, {"Name": "association.main", "Values": ["true"]}])
        acls = api.describe_network_acls(Filters=[*of_vpc, {"Name": "default", "Values": ["true"]}])
        main = tables["RouteTables"][0]["RouteTableId"]
        seen |= {"mainRouteTableId": main, "defaultRouteTableId": main}
        seen["defaultSecurityGroupId"] = groups["SecurityGroups"][0]["GroupId"]
        seen["defaultNetworkAclId"] = acls["NetworkAcls"][0]["NetworkAclId"]
        return seen | self.owned(name, vpc, state)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        for ours, theirs in (("enableDnsSupport", "EnableDnsSupport"), ("enableDnsHostnames", "EnableDnsHostnames")):
            if ours in news and olds.get(ours) != news[ours]:
                api.modify_vpc_attribute(VpcId=name, **{theirs: {"Value": news[ours]}})

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_vpc(VpcId=name)


class Subnet(Ec2Resource):
    token = "aws:ec2/subnet:Subnet"
    what = "EC2 Subnet"
    path = "subnet"
    gone = frozenset({"InvalidSubnetID.NotFound"})
    supported = frozenset({"vpcId", "availabilityZone", "availabilityZoneId", "cidrBlock", "mapPublicIpOnLaunch"})
    computed = frozenset({"availabilityZone", "availabilityZoneId", "region"})
    replace_on = frozenset({"vpcId", "availabilityZone", "availabilityZoneId", "cidrBlock"})

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(
            inputs,
            AvailabilityZone="availabilityZone",
            AvailabilityZoneId="availabilityZoneId",
            CidrBlock="cidrBlock",
            VpcId="vpcId",
        )
        name = api.create_subnet(**request, **self.tags(inputs, "subnet"))["Subnet"]["SubnetId"]
        if inputs.get("mapPublicIpOnLaunch"):
            self.change(api, name, {}, inputs)
        return name

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        subnet = api.describe_subnets(SubnetIds=[name])["Subnets"][0]
        seen = picked(
            subnet,
            availabilityZone="AvailabilityZone",
            availabilityZoneId="AvailabilityZoneId",
            cidrBlock="CidrBlock",
            mapPublicIpOnLaunch="MapPublicIpOnLaunch",
            vpcId="VpcId",
        )
        return seen | self.owned(name, subnet, state)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        wanted = news.get("mapPublicIpOnLaunch", False)
        if olds.get("mapPublicIpOnLaunch") != wanted:
            api.modify_subnet_attribute(SubnetId=name, MapPublicIpOnLaunch={"Value": wanted})

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_subnet(SubnetId=name)


class InternetGateway(Ec2Resource):
    token = "aws:ec2/internetGateway:InternetGateway"
    what = "EC2 Internet Gateway"
    path = "internet-gateway"
    gone = frozenset({"InvalidInternetGatewayID.NotFound"})
    computed = frozenset({"vpcId", "region"})

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        made = api.create_internet_gateway(**self.tags(inputs, "internet-gateway"))["InternetGateway"]
        name = made["InternetGatewayId"]
        self.change(api, name, {}, inputs)
        return name

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_internet_gateways(InternetGatewayIds=[name])["InternetGateways"][0]
        attached = [each["VpcId"] for each in found.get("Attachments", [])]
        return {"vpcId": attached[0] if attached else None} | self.owned(name, found, state)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        old, new = olds.get("vpcId"), news.get("vpcId")
        if old and old != new:
            api.detach_internet_gateway(InternetGatewayId=name, VpcId=old)
        if new and old != new:
            api.attach_internet_gateway(InternetGatewayId=name, VpcId=new)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        self.change(api, name, state, {})
        api.delete_internet_gateway(InternetGatewayId=name)


class RouteTable(Ec2Resource):
    token = "aws:ec2/routeTable:RouteTable"
    what = "EC2 Route Table"
    path = "route-table"
    gone = frozenset({"InvalidRouteTableID.NotFound"})
    computed = frozenset({"propagatingVgws", "routes", "region"})
    replace_on = frozenset({"vpcId"})
    sets = frozenset({"routes"})
    unsupported = frozenset({"propagatingVgws"})
    _INLINE: ClassVar = {"DestinationCidrBlock": "cidrBlock", "DestinationIpv6CidrBlock": "ipv6CidrBlock"}

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        made = api.create_route_table(VpcId=inputs["vpcId"], **self.tags(inputs, "route-table"))["RouteTable"]
        self.change(api, made["RouteTableId"], {}, inputs)
        return made["RouteTableId"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_route_tables(RouteTableIds=[name])["RouteTables"][0]
        routes = [picked(each, **_swapped(self._INLINE | _TARGETS)) for each in found["Routes"] if not _local(each)]
        routes = [{key: value for key, value in route.items() if value} for route in routes]
        return {"vpcId": found["VpcId"], "routes": routes} | self.owned(name, found, state)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        if "routes" not in news:  # then they're resources of their own
            return
        before, after = olds.get("routes", []), news["routes"]
        for route in (route for route in before if route not in after):
            api.delete_route(RouteTableId=name, **asked(route, **self._INLINE))
        for route in (route for route in after if route not in before):
            api.create_route(RouteTableId=name, **asked(route, **self._INLINE, **_TARGETS))

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_route_table(RouteTableId=name)


class Route(AwsResource):
    token = "aws:ec2/route:Route"
    service = "ec2"
    what = "EC2 Route"
    gone = frozenset({"InvalidRouteTableID.NotFound", "InvalidRoute.NotFound"})
    supported = frozenset({"routeTableId", *_DESTINATIONS.values(), *_TARGETS.values()})
    computed = frozenset({"networkInterfaceId", "region"})
    replace_on = frozenset({"routeTableId", *_DESTINATIONS.values()})

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        api.create_route(**asked(inputs, RouteTableId="routeTableId", **_DESTINATIONS, **_TARGETS))
        destination = "".join(inputs[name] for name in _DESTINATIONS.values() if name in inputs)
        return f"r-{inputs['routeTableId']}{zlib.crc32(destination.encode())}"

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        table = api.describe_route_tables(RouteTableIds=[state["routeTableId"]])["RouteTables"][0]
        wanted = asked(state, **_DESTINATIONS)
        for route in table["Routes"]:
            if all(route.get(key) == value for key, value in wanted.items()):
                seen = picked(route, origin="Origin", state="State", **_swapped(_TARGETS))
                return {key: value for key, value in seen.items() if value}
        raise Gone

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        api.replace_route(**asked(news, RouteTableId="routeTableId", **_DESTINATIONS, **_TARGETS))

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_route(**asked(state, RouteTableId="routeTableId", **_DESTINATIONS))


class RouteTableAssociation(AwsResource):
    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    service = "ec2"
    what = "EC2 Route Table Association"
    gone = frozenset({"InvalidAssociationID.NotFound"})
    supported = frozenset({"routeTableId", "subnetId"})
    computed = frozenset({"region"})
    # The official one keeps the resource, but gives it another id.
    replace_on = frozenset({"subnetId", "routeTableId"})

    def deletes_first(self, news: Properties) -> bool:
        return True

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, RouteTableId="routeTableId", SubnetId="subnetId")
        return api.associate_route_table(**request)["AssociationId"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        of_this = [{"Name": "association.route-table-association-id", "Values": [name]}]
        for table in api.describe_route_tables(Filters=of_this)["RouteTables"]:
            for association in table["Associations"]:
                if association["RouteTableAssociationId"] == name:
                    return picked(association, routeTableId="RouteTableId", subnetId="SubnetId")
        raise Gone

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.disassociate_route_table(AssociationId=name)


class Eip(Ec2Resource):
    token = "aws:ec2/eip:Eip"
    what = "EC2 EIP"
    path = "elastic-ip"
    gone = frozenset({"InvalidAllocationID.NotFound"})
    supported = frozenset({"domain"})
    computed = frozenset({"domain", "instance", "networkBorderGroup", "networkInterface", "publicIpv4Pool", "region"})
    replace_on = frozenset({"domain"})

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        domain = inputs.get("domain", "vpc")
        return api.allocate_address(Domain=domain, **self.tags(inputs, "elastic-ip"))["AllocationId"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_addresses(AllocationIds=[name])["Addresses"][0]
        seen = picked(found, allocationId="AllocationId", associationId="AssociationId", domain="Domain")
        seen |= picked(found, networkInterface="NetworkInterfaceId", privateIp="PrivateIpAddress", publicIp="PublicIp")
        return seen | self.owned(name, found, state)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.release_address(AllocationId=name)


class NatGateway(Ec2Resource):
    token = "aws:ec2/natGateway:NatGateway"
    what = "EC2 NAT Gateway"
    path = "natgateway"
    gone = frozenset({"NatGatewayNotFound"})
    supported = frozenset({"allocationId", "connectivityType", "subnetId"})
    computed = frozenset({"privateIp", "secondaryPrivateIpAddressCount", "secondaryPrivateIpAddresses", "region"})
    replace_on = frozenset({"allocationId", "connectivityType", "subnetId"})

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, AllocationId="allocationId", ConnectivityType="connectivityType", SubnetId="subnetId")
        made = api.create_nat_gateway(**request, **self.tags(inputs, "natgateway"))["NatGateway"]["NatGatewayId"]
        self._wait(api, made, "available")
        return made

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_nat_gateways(NatGatewayIds=[name])["NatGateways"]
        if not found or found[0]["State"] in ("deleted", "deleting"):
            raise Gone
        address = next(iter(found[0].get("NatGatewayAddresses", [])), {})
        seen = picked(address, associationId="AssociationId", networkInterfaceId="NetworkInterfaceId")
        seen |= picked(address, privateIp="PrivateIp", publicIp="PublicIp", allocationId="AllocationId")
        seen |= {"connectivityType": found[0].get("ConnectivityType", "public"), "subnetId": found[0]["SubnetId"]}
        return seen | self.owned(name, found[0], state)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_nat_gateway(NatGatewayId=name)
        self._wait(api, name, "deleted")

    def _wait(self, api: Any, name: str, wanted: str) -> None:
        deadline = time.monotonic() + _NAT_SECONDS
        while time.monotonic() < deadline and not self.aws.cancelled.is_set():
            try:
                found = api.describe_nat_gateways(NatGatewayIds=[name])["NatGateways"]
            except ClientError as error:
                if code_of(error) in self.gone and wanted == "deleted":
                    return
                raise
            if (found[0]["State"] if found else "deleted") == wanted:
                return
            self.aws.cancelled.wait(_NAT_POLL_SECONDS)


def _swapped(names: dict[str, str]) -> dict[str, str]:
    return {ours: theirs for theirs, ours in names.items()}


def _local(route: dict[str, Any]) -> bool:
    return route.get("GatewayId") == "local"
