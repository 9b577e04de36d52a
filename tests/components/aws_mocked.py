"""AWS's part of Pulumi's mocks: what is declared gets the ARN that AWS would give it."""

import json
from typing import Any

import pulumi
from pulumi.runtime import mocks

from sc_secure import SecuredEcsService
from tests.components.mocked import DIGEST, Mocks, run

ACCOUNT, REGION = "123456789012", "eu-central-1"
REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/app"
IMAGE = f"{REPOSITORY}@{DIGEST}"
VPC = "vpc-1"

_ARNS = {
    "aws:cloudwatch/logGroup:LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:NAME",
    "aws:ecr/repository:Repository": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/NAME",
    "aws:ecs/cluster:Cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/NAME",
    "aws:ecs/service:Service": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/NAME",
    "aws:ecs/taskDefinition:TaskDefinition": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/NAME:1",
    "aws:iam/role:Role": f"arn:aws:iam::{ACCOUNT}:role/NAME",
    "aws:servicediscovery/service:Service": f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:service/srv-NAME",
}

MINIMAL: dict[str, Any] = {"image": IMAGE, "subnet_ids": ["subnet-1", "subnet-2"], "verify": {"key": "cosign.pub"}}


class AwsMocks(Mocks):
    """Names what has no name as Pulumi would, with `-1a2b3c4` for what is random."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        resource_id, outputs = super().new_resource(args)
        if args.typ in _ARNS:
            outputs.setdefault("name", f"{args.name}-1a2b3c4")
            outputs["arn"] = _ARNS[args.typ].replace("NAME", outputs.get("family", outputs["name"]))
        if args.typ == "aws:ecr/repository:Repository":
            outputs["repositoryUrl"] = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{outputs['name']}"
        return resource_id, outputs

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        if args.token != "aws:ec2/getSubnet:getSubnet":
            return super().call(args)
        assert dict(args.args) == {"id": "subnet-1"}
        return {"vpcId": VPC, "id": "subnet-1"}

    def declared(self) -> dict[str, dict[str, Any]]:
        """`type name` of each of AWS's resources -> its inputs."""
        return self.of("aws:")


def service(recorder: AwsMocks, output: str = "service_arn", name: str = "web", **changes: Any) -> Any:
    """Declares a service, and returns one of its outputs. A change to None takes an argument away."""
    args: Any = {key: value for key, value in (MINIMAL | changes).items() if value is not None}
    return run(lambda: getattr(SecuredEcsService(name, args), output), recorder)


def declared(**changes: Any) -> dict[str, dict[str, Any]]:
    """What a service declares of AWS's resources."""
    recorder = AwsMocks()
    service(recorder, **changes)
    return recorder.declared()


def containers(**changes: Any) -> list[dict[str, Any]]:
    """A service's container definitions."""
    return json.loads(declared(**changes)["TaskDefinition web-task-definition"]["containerDefinitions"])


def statements(document: str) -> dict[str, dict[str, Any]]:
    """A policy's statements by their ids."""
    policy = json.loads(document)
    assert policy["Version"] == "2012-10-17"
    return {each.pop("Sid"): each for each in policy["Statement"]}


def later(value: Any) -> pulumi.Output[Any]:
    """A value that comes from another resource."""
    return pulumi.Output.from_input(value).apply(lambda known: known)
