"""The functions that programs ask for what is there already."""

from typing import Any

from cloud import Aws, asked, picked, told
from properties import Properties
from resources import Operation, ProviderError
from sdk_resource import SdkFunction


class AwsFunction(SdkFunction):
    """A function of the provider's."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    def client(self, service: str, arguments: Properties) -> Any:
        return self.aws.client(service, arguments.get("region", ""))


class GetRegion(AwsFunction):
    token = "aws:index/getRegion:getRegion"

    def invoke(self, operation: Operation, arguments: Properties) -> Properties:
        region = arguments.get("region") or arguments.get("name") or self.aws.region
        known = {"id": region, "name": region, "region": region, "description": region}
        return known | {"endpoint": f"ec2.{region}.amazonaws.com"}


class GetCallerIdentity(AwsFunction):
    token = "aws:index/getCallerIdentity:getCallerIdentity"

    def invoke(self, operation: Operation, arguments: Properties) -> Properties:
        with told("reading STS Caller Identity"):
            caller = self.aws.client("sts").get_caller_identity()
        return picked(caller, accountId="Account", arn="Arn", id="Account", userId="UserId")


class GetPartition(AwsFunction):
    token = "aws:index/getPartition:getPartition"

    def invoke(self, operation: Operation, arguments: Properties) -> Properties:
        known = {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com"}
        return known | {"reverseDnsPrefix": "com.amazonaws"}


class GetAvailabilityZones(AwsFunction):
    token = "aws:index/getAvailabilityZones:getAvailabilityZones"

    def invoke(self, operation: Operation, arguments: Properties) -> Properties:
        filters = _filters(arguments)
        if "state" in arguments:
            filters.append({"Name": "state", "Values": [arguments["state"]]})
        with told("reading EC2 Availability Zones"):
            found = self.client("ec2", arguments).describe_availability_zones(
                **({"Filters": filters} if filters else {})
            )
        zones = sorted(found["AvailabilityZones"], key=lambda zone: zone["ZoneName"])
        excluded = {*arguments.get("excludeNames", []), *arguments.get("excludeZoneIds", [])}
        zones = [zone for zone in zones if not {zone["ZoneName"], zone.get("ZoneId")} & excluded]
        return arguments | {
            "groupNames": sorted({zone.get("GroupName", zone["RegionName"]) for zone in zones}),
            "id": arguments.get("region") or self.aws.region,
            "names": [zone["ZoneName"] for zone in zones],
            "region": arguments.get("region") or self.aws.region,
            "zoneIds": [zone["ZoneId"] for zone in zones],
        }


class GetSubnet(AwsFunction):
    token = "aws:ec2/getSubnet:getSubnet"

    def invoke(self, operation: Operation, arguments: Properties) -> Properties:
        filters = _filters(arguments)
        for ours, theirs in (
            ("vpcId", "vpc-id"),
            ("cidrBlock", "cidr-block"),
            ("availabilityZone", "availability-zone"),
        ):
            if ours in arguments:
                filters.append({"Name": theirs, "Values": [arguments[ours]]})
        filters += [{"Name": f"tag:{key}", "Values": [value]} for key, value in arguments.get("tags", {}).items()]
        request = {"SubnetIds": [arguments["id"]]} if "id" in arguments else {}
        with told("reading EC2 Subnet"):
            request |= {"Filters": filters} if filters else {}
            found = self.client("ec2", arguments).describe_subnets(**request)["Subnets"]
        if len(found) != 1:
            raise ProviderError(
                "no matching EC2 Subnet found"
                if not found
                else "multiple EC2 Subnets matched; use additional constraints"
            )
        seen = picked(
            found[0],
            arn="SubnetArn",
            availabilityZone="AvailabilityZone",
            availabilityZoneId="AvailabilityZoneId",
            availableIpAddressCount="AvailableIpAddressCount",
            cidrBlock="CidrBlock",
            defaultForAz="DefaultForAz",
            id="SubnetId",
            mapPublicIpOnLaunch="MapPublicIpOnLaunch",
            ownerId="OwnerId",
            state="State",
            vpcId="VpcId",
        )
        tags = {tag["Key"]: tag["Value"] for tag in found[0].get("Tags", [])}
        return asked(arguments, region="region", filters="filters") | seen | {"tags": tags}


def _filters(arguments: Properties) -> list[dict[str, Any]]:
    return [{"Name": each["name"], "Values": each["values"]} for each in arguments.get("filters", [])]
