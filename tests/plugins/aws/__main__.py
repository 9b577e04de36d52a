"""Stands for pulumi-aws 7.51.1 in the tests, where the official plugin can't be downloaded: only what the tests use.

Inputs are checked against the official SDK's schema, and then the real API is called through botocore, at the endpoint
that AWS_ENDPOINT_URL names: moto's server (tests/clouds/aws.py). What differs between a resource's states is decided as
terraform-provider-aws 6 does.
"""

import autoscaling
import discovery
import ecr
import ecs
import ecs_service
import elb
import functions
import iam
import kms
import logs
import network
import secretsmanager
import security_groups
from cloud import Aws
from provider import Provider
from resources import ProviderError
from servicer import serve

_RESOURCES = (
    autoscaling.Policy,
    autoscaling.Target,
    discovery.PrivateDnsNamespace,
    discovery.Service,
    ecr.LifecyclePolicy,
    ecr.Repository,
    ecr.RepositoryPolicy,
    ecs.Cluster,
    ecs.ClusterCapacityProviders,
    ecs.TaskDefinition,
    ecs_service.Service,
    elb.Listener,
    elb.LoadBalancer,
    elb.TargetGroup,
    iam.Role,
    iam.RolePolicy,
    iam.RolePolicyAttachment,
    kms.Alias,
    kms.Key,
    logs.LogGroup,
    network.Eip,
    network.InternetGateway,
    network.NatGateway,
    network.Route,
    network.RouteTable,
    network.RouteTableAssociation,
    network.Subnet,
    network.Vpc,
    secretsmanager.Parameter,
    secretsmanager.Secret,
    secretsmanager.SecretVersion,
    security_groups.SecurityGroup,
    security_groups.SecurityGroupEgressRule,
    security_groups.SecurityGroupIngressRule,
    security_groups.VpcEndpoint,
)
_FUNCTIONS = (
    functions.GetAvailabilityZones,
    functions.GetCallerIdentity,
    functions.GetPartition,
    functions.GetRegion,
    functions.GetSubnet,
)
_WITHOUT_EFFECT = {
    "skipCredentialsValidation",
    "skipMetadataApiCheck",
    "skipRegionValidation",
    "skipRequestingAccountId",
}
"""Configuration that the SDK's provider sends by itself."""


class AwsProvider(Provider):
    """Resources of AWS's."""

    name = "aws"
    version = "7.51.1"

    def __init__(self) -> None:
        self._aws = Aws()
        super().__init__([each(self._aws) for each in _RESOURCES], [each(self._aws) for each in _FUNCTIONS])

    def configure(self, config: dict[str, str]) -> None:
        config = {key: value for key, value in config.items() if key not in _WITHOUT_EFFECT}
        self._aws.region = config.pop("region", "")
        if config:
            raise ProviderError(f"the offline aws plugin takes no other configuration than region: {', '.join(config)}")

    def cancel(self) -> None:
        self._aws.cancelled.set()


if __name__ == "__main__":
    serve(AwsProvider())
