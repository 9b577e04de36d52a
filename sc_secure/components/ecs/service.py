"""`SecuredEcsService`: a Fargate service of images that are verified just before each deployment.

verify → cluster, log group, roles, security group → task definition → service → scaling. Nothing of it is made or
changed before every container's image has passed.
"""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from sc_secure.components._deployment import DeployedImage, Deployment, deployed_image, physical_name
from sc_secure.components._validate import InvalidArgs, validated
from sc_secure.components.ecs.args import SecuredEcsServiceArgs
from sc_secure.components.ecs.arns import bare_log_group_arn, log_group_name
from sc_secure.components.ecs.combinations import combination_problems
from sc_secure.components.ecs.container_limits import container_problems
from sc_secure.components.ecs.containers import Container, containers_of
from sc_secure.components.ecs.limits import service_problems
from sc_secure.components.ecs.network import security_group, service_registry
from sc_secure.components.ecs.roles import RoleFactory
from sc_secure.components.ecs.scaling import autoscale
from sc_secure.components.ecs.task import DEFAULT_CPU, DEFAULT_MEMORY, MAX_NAME, task_definition
from sc_secure.components.ecs.wholes import checked_wholes

_COMPONENT = "SecuredEcsService"

MAX_LOG_GROUP_NAME = 512
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"""


class SecuredEcsService(pulumi.ComponentResource):
    """Runs containers on Fargate, each of whose images is verified just before anything of the service is changed.

    What isn't given of the infrastructure is made: cluster, log group, roles with the fewest rights, security group.
    """

    service_arn: pulumi.Output[str]
    """The service's ARN."""
    service_name: pulumi.Output[str]
    """The service's name."""
    task_definition_arn: pulumi.Output[str]
    """The ARN of the task definition's revision that is deployed."""
    cluster_arn: pulumi.Output[str]
    """The cluster's ARN, made or given."""
    log_group_name: pulumi.Output[str]
    """The log group's name, made or given."""
    execution_role_arn: pulumi.Output[str]
    """The ARN of the role with which ECS starts the task, made or given."""
    task_role_arn: pulumi.Output[str]
    """The ARN of the role that the application has, made or given."""
    task_role_name: pulumi.Output[str]
    """That role's name, to attach policies to."""
    security_group_id: pulumi.Output[str]
    """The security group that was made; empty where some were given."""
    image: pulumi.Output[str]
    """The main container's image by digest, once it has passed."""

    def __init__(self, name: str, args: SecuredEcsServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = checked_wholes(_COMPONENT, validated(_COMPONENT, SecuredEcsServiceArgs, args))
        containers = containers_of(name, given)
        images = _checked(name, given, containers)
        super().__init__("sc-secure:index:SecuredEcsService", name, {}, opts)
        deployment = Deployment(name, images, given, parent=self, opts=opts)
        self._name, self._given, self._opts = name, given, deployment.child_opts
        self.image = deployment.image(f"{name}-verify")
        self.cluster_arn, cluster_resources = self._cluster()
        log_group_arn = self._log_group()
        self.log_group_name = log_group_arn.apply(log_group_name)
        passed = {verify_name: deployment.image(verify_name) for verify_name in images}
        factory = RoleFactory(name, given, self.cluster_arn, self._opts)
        roles = factory.roles(containers, list(passed.values()), log_group_arn)
        self.execution_role_arn = roles.execution_arn
        self.task_role_arn, self.task_role_name = roles.task_arn, roles.task_name
        self.task_definition_arn = task_definition(
            name,
            given,
            containers=containers,
            images=passed,
            log_group_arn=log_group_arn,
            roles=roles,
            opts=self._opts,
        )
        network = self._network()
        service = self._service(network, [*roles.rights, *cluster_resources])
        self.service_arn, self.service_name = service.arn, service.name
        autoscale(name, given, self.cluster_arn, service.name, self._opts)
        self.register_outputs(
            {
                "serviceArn": self.service_arn,
                "serviceName": self.service_name,
                "taskDefinitionArn": self.task_definition_arn,
                "clusterArn": self.cluster_arn,
                "logGroupName": self.log_group_name,
                "executionRoleArn": self.execution_role_arn,
                "taskRoleArn": self.task_role_arn,
                "taskRoleName": self.task_role_name,
                "securityGroupId": self.security_group_id,
                "image": self.image,
            }
        )

    def _cluster(self) -> tuple[pulumi.Output[str], list[pulumi.Resource]]:
        """The cluster's ARN, and what must be there of it before the service."""
        if "cluster_arn" in self._given:
            return pulumi.Output.from_input(self._given["cluster_arn"]), []
        logical = f"{self._name}-cluster"
        cluster = aws.ecs.Cluster(
            logical,
            name=physical_name(logical, MAX_NAME),
            settings=[aws.ecs.ClusterSettingArgs(name="containerInsights", value="enabled")],
            tags=self._given.get("tags"),
            opts=self._opts,
        )
        strategies = self._given.get("capacity_provider_strategies")
        if strategies is None:
            return cluster.arn, []
        providers = aws.ecs.ClusterCapacityProviders(
            f"{self._name}-capacity-providers",
            cluster_name=cluster.name,
            capacity_providers=sorted(each["capacity_provider"] for each in strategies),
            opts=self._opts,
        )
        return cluster.arn, [providers]

    def _log_group(self) -> pulumi.Output[str]:
        """The log group's ARN."""
        if "log_group_arn" in self._given:
            return pulumi.Output.from_input(self._given["log_group_arn"]).apply(bare_log_group_arn)
        logical = f"{self._name}-logs"
        group = aws.cloudwatch.LogGroup(
            logical,
            name=physical_name(logical, MAX_LOG_GROUP_NAME),
            retention_in_days=self._given.get("log_retention_days", 30),
            kms_key_id=self._given.get("log_kms_key_arn"),
            tags=self._given.get("tags"),
            opts=self._opts,
        )
        return group.arn.apply(bare_log_group_arn)

    def _service(
        self, network: aws.ecs.ServiceNetworkConfigurationArgs, before: Sequence[pulumi.Resource]
    ) -> aws.ecs.Service:
        given, logical = self._given, f"{self._name}-service"
        scaling, strategies = given.get("autoscaling"), given.get("capacity_provider_strategies")
        seconds = f"{given.get('deployment_timeout_seconds', 1200)}s"
        opts = pulumi.ResourceOptions(
            depends_on=before,
            # From the first deployment on, scaling decides how many tasks there are.
            ignore_changes=["desiredCount"] if scaling else None,
            custom_timeouts=pulumi.CustomTimeouts(create=seconds, update=seconds),
        )
        return aws.ecs.Service(
            logical,
            name=physical_name(logical, MAX_NAME),
            cluster=self.cluster_arn,
            task_definition=self.task_definition_arn,
            desired_count=given.get("desired_count", scaling["min_capacity"] if scaling else 1),
            launch_type=None if strategies else "FARGATE",
            capacity_provider_strategies=_strategies(strategies),
            # Without it, other strategies would make a new service in place of this one.
            force_new_deployment=True if strategies else None,
            platform_version=given.get("platform_version"),
            network_configuration=network,
            load_balancers=self._load_balancers(),
            health_check_grace_period_seconds=self._grace_period(),
            service_registries=service_registry(self._name, given, self._opts),
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            deployment_minimum_healthy_percent=given.get("deployment_minimum_healthy_percent", 100),
            deployment_maximum_percent=given.get("deployment_maximum_percent", 200),
            # An update that ended earlier would tell of success, and the circuit breaker would roll back after it.
            wait_for_steady_state=given.get("wait_for_steady_state", True),
            enable_execute_command=given.get("enable_execute_command", False),
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            tags=given.get("tags"),
            opts=pulumi.ResourceOptions.merge(self._opts, opts),
        )

    def _network(self) -> aws.ecs.ServiceNetworkConfigurationArgs:
        """Where the tasks are; makes the security group where none is given."""
        given = self._given
        if "security_group_ids" in given:
            self.security_group_id = pulumi.Output.from_input("")
            groups: pulumi.Input[Any] = given["security_group_ids"]
        else:
            if "target_group_arn" in given and not {"ingress_security_group_ids", "ingress_cidr_blocks"} & given.keys():
                unreachable = "nothing may connect to the tasks, so the load balancer can't reach them"
                pulumi.log.warn(f"{unreachable}: name its security group in ingress_security_group_ids", self)
            self.security_group_id = security_group(self._name, given, self, self._opts)
            groups = [self.security_group_id]
        return aws.ecs.ServiceNetworkConfigurationArgs(
            subnets=given["subnet_ids"], security_groups=groups, assign_public_ip=given.get("assign_public_ip", False)
        )

    def _load_balancers(self) -> list[aws.ecs.ServiceLoadBalancerArgs] | None:
        target, port = self._given.get("target_group_arn"), self._given.get("port")
        if target is None or port is None:
            return None
        balancer = aws.ecs.ServiceLoadBalancerArgs(
            target_group_arn=target, container_name=self._name, container_port=port
        )
        return [balancer]

    def _grace_period(self) -> int | None:
        return self._given.get("health_check_grace_period_seconds", 60) if "target_group_arn" in self._given else None


def _checked(name: str, given: SecuredEcsServiceArgs, containers: Sequence[Container]) -> dict[str, DeployedImage]:
    """The containers' images, once all arguments will do.

    Raises:
        InvalidArgs: every problem at once.
    """
    cpu, memory = given.get("cpu", DEFAULT_CPU), given.get("memory", DEFAULT_MEMORY)
    problems = [
        *service_problems(name, given),
        *combination_problems(name, given),
        *container_problems(containers, cpu, memory, given.get("enable_execute_command", False)),
    ]
    images: dict[str, DeployedImage] = {}
    for container in containers:
        verify = container.args.get("verify", given.get("verify"))
        try:
            images[container.verify_name] = deployed_image(_COMPONENT, container.args["image"], verify, container.path)
        except InvalidArgs as error:
            problems += [(each["property_path"], each["reason"]) for each in error.errors or []]
    if problems:
        raise InvalidArgs(_COMPONENT, problems)
    return images


def _strategies(strategies: Any) -> list[aws.ecs.ServiceCapacityProviderStrategyArgs] | None:
    if strategies is None:
        return None
    return [
        aws.ecs.ServiceCapacityProviderStrategyArgs(
            capacity_provider=each["capacity_provider"], weight=each.get("weight", 1), base=each.get("base")
        )
        for each in sorted(strategies, key=lambda each: each["capacity_provider"])
    ]
