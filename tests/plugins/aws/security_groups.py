"""Security groups and their rules, and VPC endpoints."""

from typing import Any, ClassVar

import tagging
import validation
from cloud import Gone, asked, picked
from network import Ec2Resource
from policies import same_policy
from properties import Properties
from resources import AutoName, Operation

_SOURCES = {
    "CidrIpv4": "cidrIpv4",
    "CidrIpv6": "cidrIpv6",
    "PrefixListId": "prefixListId",
    "ReferencedGroupId": "referencedSecurityGroupId",
}
_ALL_PORTS = -1
_CHARACTERS = r"[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]*"


class SecurityGroup(Ec2Resource):
    token = "aws:ec2/securityGroup:SecurityGroup"
    what = "Security Group"
    path = "security-group"
    gone = frozenset({"InvalidGroup.NotFound", "InvalidGroupId.Malformed"})
    autoname = AutoName(255)
    computed = frozenset({"egress", "ingress", "namePrefix", "region", "vpcId"})
    replace_on = frozenset({"description", "name", "vpcId"})
    sets = frozenset(f"{way}{part}" for way in ("ingress", "egress") for part in ("", ".cidrBlocks", ".securityGroups"))
    unsupported = frozenset({"namePrefix"})
    validations: ClassVar = {
        "description": validation.name(_CHARACTERS, 255, "cannot contain some characters"),
        "name": validation.name(r"(?!sg-)" + _CHARACTERS, 255, "cannot begin with sg-"),
    }

    def check(self, operation: Operation, olds: Properties, news: Properties) -> Properties:
        return super().check(operation, olds, {"description": "Managed by Pulumi"} | news)

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, Description="description", GroupName="name", VpcId="vpcId")
        name = api.create_security_group(**request, **self.tags(inputs, "security-group"))["GroupId"]
        # The official provider takes away the rule that AWS makes: egress is what the program says, or nothing.
        found = api.describe_security_groups(GroupIds=[name])["SecurityGroups"][0]
        if found["IpPermissionsEgress"]:
            api.revoke_security_group_egress(GroupId=name, IpPermissions=found["IpPermissionsEgress"])
        self.change(api, name, {"ingress": [], "egress": []}, inputs)
        return name

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_security_groups(GroupIds=[name])["SecurityGroups"][0]
        seen = picked(found, description="Description", name="GroupName", vpcId="VpcId")
        seen["ingress"] = [_rule(each, name) for each in found["IpPermissions"]]
        seen["egress"] = [_rule(each, name) for each in found["IpPermissionsEgress"]]
        return {"revokeRulesOnDelete": False} | state | seen | self.owned(name, found, state)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        for way, authorize, revoke in (
            ("ingress", api.authorize_security_group_ingress, api.revoke_security_group_ingress),
            ("egress", api.authorize_security_group_egress, api.revoke_security_group_egress),
        ):
            if way not in news:  # then they're resources of their own
                continue
            before, after = ([_permission(rule, name) for rule in rules.get(way, [])] for rules in (olds, news))
            if unwanted := [rule for rule in before if rule not in after]:
                revoke(GroupId=name, IpPermissions=unwanted)
            if wanted := [rule for rule in after if rule not in before]:
                authorize(GroupId=name, IpPermissions=wanted)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_security_group(GroupId=name)


def _permission(rule: Properties, group: str) -> dict[str, Any]:
    """Return a rule within a group as the API has it."""
    text = {"Description": rule["description"]} if rule.get("description") else {}
    groups = [*rule.get("securityGroups", []), *([group] if rule.get("self") else [])]
    permission: dict[str, Any] = {"IpProtocol": rule["protocol"]}
    if rule["protocol"] != "-1":
        permission |= {"FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    for key, each, values in (
        ("IpRanges", "CidrIp", rule.get("cidrBlocks", [])),
        ("Ipv6Ranges", "CidrIpv6", rule.get("ipv6CidrBlocks", [])),
        ("PrefixListIds", "PrefixListId", rule.get("prefixListIds", [])),
        ("UserIdGroupPairs", "GroupId", groups),
    ):
        if values:
            permission[key] = [{each: value, **text} for value in sorted(values)]
    return permission


def _rule(permission: dict[str, Any], group: str) -> Properties:
    pairs = permission.get("UserIdGroupPairs", [])
    ranges = {
        "cidrBlocks": [each["CidrIp"] for each in permission.get("IpRanges", [])],
        "ipv6CidrBlocks": [each["CidrIpv6"] for each in permission.get("Ipv6Ranges", [])],
        "prefixListIds": [each["PrefixListId"] for each in permission.get("PrefixListIds", [])],
        "securityGroups": [each["GroupId"] for each in pairs if each["GroupId"] != group],
    }
    every = [*permission.get("IpRanges", []), *permission.get("Ipv6Ranges", []), *pairs]
    return {
        **ranges,
        "description": next((each["Description"] for each in every if each.get("Description")), ""),
        "fromPort": permission.get("FromPort", 0),
        "protocol": permission["IpProtocol"],
        "self": any(each["GroupId"] == group for each in pairs),
        "toPort": permission.get("ToPort", 0),
    }


class _Rule(Ec2Resource):
    """A rule that is a resource of its own."""

    path = "security-group-rule"
    gone = frozenset({"InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound"})
    computed = frozenset({"region"})
    replace_on = frozenset({"securityGroupId"})
    egress: bool

    def replaces(self, path: str, olds: Properties, news: Properties) -> bool:
        kinds = [{source for source in _SOURCES.values() if source in inputs} for inputs in (olds, news)]
        return super().replaces(path, olds, news) or (path in _SOURCES.values() and kinds[0] != kinds[1])

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        authorize = api.authorize_security_group_egress if self.egress else api.authorize_security_group_ingress
        request = {"GroupId": inputs["securityGroupId"], "IpPermissions": [_single(inputs)]}
        made = authorize(**request, **self.tags(inputs, "security-group-rule"))["SecurityGroupRules"]
        return made[0]["SecurityGroupRuleId"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_security_group_rules(SecurityGroupRuleIds=[name])["SecurityGroupRules"]
        if not found:
            raise Gone
        seen = picked(found[0], description="Description", ipProtocol="IpProtocol", securityGroupId="GroupId")
        seen |= picked(found[0], fromPort="FromPort", toPort="ToPort")
        seen |= {port: None for port in ("fromPort", "toPort") if seen[port] == _ALL_PORTS and port not in state}
        sources = dict(found[0]) | {"ReferencedGroupId": found[0].get("ReferencedGroupInfo", {}).get("GroupId")}
        seen |= {ours: sources.get(theirs) for theirs, ours in _SOURCES.items()}
        # moto forgets the tags of a rule, and the description of one that names another group.
        seen["description"] = seen["description"] or state.get("description")
        tags = found[0].get("Tags") or tagging.EC2.written(state.get("tags", {}))
        owned = self.owned(name, {"OwnerId": found[0].get("GroupOwnerId"), "Tags": tags}, state)
        return seen | {"securityGroupRuleId": name} | owned

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        ports = {"FromPort": news.get("fromPort", _ALL_PORTS), "ToPort": news.get("toPort", _ALL_PORTS)}
        rule = asked(news, Description="description", IpProtocol="ipProtocol", **_SOURCES) | ports
        update = {"SecurityGroupRuleId": name, "SecurityGroupRule": rule}
        api.modify_security_group_rules(GroupId=news["securityGroupId"], SecurityGroupRules=[update])

    def remove(self, api: Any, name: str, state: Properties) -> None:
        revoke = api.revoke_security_group_egress if self.egress else api.revoke_security_group_ingress
        revoke(GroupId=state["securityGroupId"], SecurityGroupRuleIds=[name])


class SecurityGroupIngressRule(_Rule):
    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    what = "VPC Security Group Ingress Rule"
    egress = False


class SecurityGroupEgressRule(_Rule):
    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    what = "VPC Security Group Egress Rule"
    egress = True


def _single(inputs: Properties) -> dict[str, Any]:
    rule = {"protocol": inputs["ipProtocol"], "description": inputs.get("description", "")}
    rule |= {"fromPort": inputs.get("fromPort", _ALL_PORTS), "toPort": inputs.get("toPort", _ALL_PORTS)}
    lists = {"cidrBlocks": "cidrIpv4", "ipv6CidrBlocks": "cidrIpv6", "prefixListIds": "prefixListId"}
    lists["securityGroups"] = "referencedSecurityGroupId"
    return _permission(rule | {key: [inputs[name]] for key, name in lists.items() if name in inputs}, "")


class VpcEndpoint(Ec2Resource):
    token = "aws:ec2/vpcEndpoint:VpcEndpoint"
    what = "EC2 VPC Endpoint"
    path = "vpc-endpoint"
    gone = frozenset({"InvalidVpcEndpointId.NotFound"})
    supported = frozenset(
        {
            "policy",
            "privateDnsEnabled",
            "routeTableIds",
            "securityGroupIds",
            "serviceName",
            "subnetIds",
            "vpcEndpointType",
            "vpcId",
        }
    )
    computed = frozenset(
        {"dnsOptions", "ipAddressType", "policy", "privateDnsEnabled", "routeTableIds", "securityGroupIds", "subnetIds"}
    )
    replace_on = frozenset({"serviceName", "vpcEndpointType", "vpcId"})
    documents: ClassVar = {"policy": same_policy}
    sets = frozenset({"routeTableIds", "securityGroupIds", "subnetIds"})

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(
            inputs,
            PolicyDocument="policy",
            PrivateDnsEnabled="privateDnsEnabled",
            RouteTableIds="routeTableIds",
            SecurityGroupIds="securityGroupIds",
            ServiceName="serviceName",
            SubnetIds="subnetIds",
            VpcEndpointType="vpcEndpointType",
            VpcId="vpcId",
        )
        return api.create_vpc_endpoint(**request, **self.tags(inputs, "vpc-endpoint"))["VpcEndpoint"]["VpcEndpointId"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
        if not found or found[0].get("State", "").lower() == "deleted":
            raise Gone
        seen = picked(found[0], serviceName="ServiceName", vpcEndpointType="VpcEndpointType", vpcId="VpcId")
        seen["state"] = found[0].get("State")
        for ours, theirs in (("routeTableIds", "RouteTableIds"), ("subnetIds", "SubnetIds")):
            seen[ours] = found[0].get(theirs, [])
        seen["securityGroupIds"] = [group["GroupId"] for group in found[0].get("Groups", [])] or state.get(
            "securityGroupIds", []
        )
        return seen | self.owned(name, found[0], state)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        request = asked(news, PolicyDocument="policy", PrivateDnsEnabled="privateDnsEnabled")
        for singular in ("RouteTable", "SecurityGroup", "Subnet"):
            ours = f"{singular[0].lower()}{singular[1:]}Ids"
            before, after = set(olds.get(ours, [])), set(news.get(ours, olds.get(ours, [])))
            request |= {f"Add{singular}Ids": sorted(after - before)} if after - before else {}
            request |= {f"Remove{singular}Ids": sorted(before - after)} if before - after else {}
        if request:
            api.modify_vpc_endpoint(VpcEndpointId=name, **request)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_vpc_endpoints(VpcEndpointIds=[name])
