"""Every type of the offline `aws` plugin's: made, no change, none after a refresh, and gone again."""

import json
import re
from pathlib import Path

import pytest

from tests.clouds.aws import REGION, Aws
from tests.project import Project

pytestmark = pytest.mark.engine

# What a whole ECS stack has, and in most properties that the plugin takes.
STACK = """
import json
import pulumi
import pulumi_aws as aws

zones = aws.get_availability_zones(state="available")
account = aws.get_caller_identity().account_id
partition = aws.get_partition().partition
region = aws.get_region().region
tags = {"team": "web"}

vpc = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", enable_dns_hostnames=True, tags=tags)
subnets = [
    aws.ec2.Subnet(f"subnet-{index}", vpc_id=vpc.id, cidr_block=f"10.0.{index}.0/24",
                   availability_zone=zones.names[index], map_public_ip_on_launch=True)
    for index in range(2)
]
gateway = aws.ec2.InternetGateway("gateway", vpc_id=vpc.id)
table = aws.ec2.RouteTable("table", vpc_id=vpc.id)
aws.ec2.RouteTable("inline", vpc_id=vpc.id, routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": gateway.id}])
aws.ec2.Route("route", route_table_id=table.id, destination_cidr_block="0.0.0.0/0", gateway_id=gateway.id)
aws.ec2.RouteTableAssociation("association", route_table_id=table.id, subnet_id=subnets[0].id)
address = aws.ec2.Eip("address", domain="vpc")
aws.ec2.NatGateway("nat", allocation_id=address.id, subnet_id=subnets[0].id)
web = aws.ec2.SecurityGroup(
    "web", vpc_id=vpc.id,
    ingress=[{"protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_blocks": ["0.0.0.0/0"]}],
    egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}])
app = aws.ec2.SecurityGroup("app", vpc_id=vpc.id, description="the application", tags=tags)
aws.vpc.SecurityGroupIngressRule(
    "in", security_group_id=app.id, ip_protocol="tcp", from_port=8080, to_port=8080,
    referenced_security_group_id=web.id, description="from the load balancer", tags=tags)
aws.vpc.SecurityGroupEgressRule("out", security_group_id=app.id, ip_protocol="-1", cidr_ipv4="0.0.0.0/0")
aws.ec2.VpcEndpoint("s3", vpc_id=vpc.id, service_name=f"com.amazonaws.{region}.s3", vpc_endpoint_type="Gateway",
                    route_table_ids=[table.id])
aws.ec2.VpcEndpoint("ecr", vpc_id=vpc.id, service_name=f"com.amazonaws.{region}.ecr.api",
                    vpc_endpoint_type="Interface", subnet_ids=[subnet.id for subnet in subnets],
                    security_group_ids=[app.id], private_dns_enabled=True)

balancer = aws.lb.LoadBalancer(
    "balancer", load_balancer_type="application", subnets=[subnet.id for subnet in subnets],
    security_groups=[web.id], drop_invalid_header_fields=True, idle_timeout=30, tags=tags)
group = aws.lb.TargetGroup(
    "group", port=8080, protocol="HTTP", target_type="ip", vpc_id=vpc.id, deregistration_delay=10,
    health_check={"path": "/health", "matcher": "200", "interval": 10})
listener = aws.lb.Listener("listener", load_balancer_arn=balancer.arn, port=80, protocol="HTTP",
                           default_actions=[{"type": "forward", "target_group_arn": group.arn}])

key = aws.kms.Key("key", description="for the secrets", enable_key_rotation=True, tags=tags)
aws.kms.Alias("alias", target_key_id=key.key_id)
secret = aws.secretsmanager.Secret("secret", kms_key_id=key.arn, recovery_window_in_days=0, tags=tags)
aws.secretsmanager.SecretVersion("version", secret_id=secret.id, secret_string=pulumi.Output.secret("hush"))
aws.ssm.Parameter("parameter", type="SecureString", name="/app/token", value=pulumi.Output.secret("hush"), tags=tags)

def policy(action, **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]}

trust = policy("sts:AssumeRole", Principal={"Service": "ecs-tasks.amazonaws.com"})
role = aws.iam.Role("role", assume_role_policy=json.dumps(trust), tags=tags)
managed = f"arn:{partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
aws.iam.RolePolicyAttachment("managed", role=role.name, policy_arn=managed)
read = secret.arn.apply(lambda arn: json.dumps(policy("secretsmanager:GetSecretValue", Resource=arn)))
aws.iam.RolePolicy("read", role=role.id, policy=read)
logs = aws.cloudwatch.LogGroup("logs", retention_in_days=30, tags=tags)
repository = aws.ecr.Repository(
    "Images", image_tag_mutability="IMMUTABLE", image_scanning_configuration={"scan_on_push": True},
    encryption_configurations=[{"encryption_type": "AES256"}], force_delete=True, tags=tags)
untagged = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
rule = {"rulePriority": 1, "description": "untagged", "selection": untagged, "action": {"type": "expire"}}
aws.ecr.LifecyclePolicy("lifecycle", repository=repository.name, policy=json.dumps({"rules": [rule]}))
pull = policy(["ecr:BatchGetImage"], Sid="pull", Principal={"AWS": f"arn:{partition}:iam::{account}:root"})
aws.ecr.RepositoryPolicy("pull", repository=repository.name, policy=json.dumps(pull))

namespace = aws.servicediscovery.PrivateDnsNamespace("namespace", name="app.local", vpc=vpc.id, tags=tags)
discovery = aws.servicediscovery.Service(
    "discovery", health_check_custom_config={"failure_threshold": 1},
    dns_config={"namespace_id": namespace.id, "dns_records": [{"type": "A", "ttl": 10}],
                "routing_policy": "MULTIVALUE"})
cluster = aws.ecs.Cluster("cluster", settings=[{"name": "containerInsights", "value": "enabled"}], tags=tags)
aws.ecs.ClusterCapacityProviders(
    "providers", cluster_name=cluster.name, capacity_providers=["FARGATE", "FARGATE_SPOT"],
    default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1, "base": 1}])

def containers(given):
    group_name, token = given
    options = {"awslogs-group": group_name, "awslogs-region": region, "awslogs-stream-prefix": "web"}
    return json.dumps([{
        "name": "web", "image": "web@sha256:" + "0" * 64, "portMappings": [{"containerPort": 8080}],
        "secrets": [{"name": "TOKEN", "valueFrom": token}],
        "logConfiguration": {"logDriver": "awslogs", "options": options}}])

task = aws.ecs.TaskDefinition(
    "task", family="web", cpu="256", memory="512", network_mode="awsvpc", requires_compatibilities=["FARGATE"],
    execution_role_arn=role.arn, ephemeral_storage={"size_in_gib": 21}, tags=tags,
    runtime_platform={"cpu_architecture": "X86_64", "operating_system_family": "LINUX"},
    container_definitions=pulumi.Output.all(logs.name, secret.arn).apply(containers))
service = aws.ecs.Service(
    "service", cluster=cluster.arn, task_definition=task.arn, desired_count=2,
    capacity_provider_strategies=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}],
    network_configuration={"subnets": [subnet.id for subnet in subnets], "security_groups": [app.id]},
    load_balancers=[{"target_group_arn": group.arn, "container_name": "web", "container_port": 8080}],
    service_registries={"registry_arn": discovery.arn}, health_check_grace_period_seconds=30,
    propagate_tags="SERVICE", enable_ecs_managed_tags=True, tags=tags,
    opts=pulumi.ResourceOptions(depends_on=[listener]))
target = aws.appautoscaling.Target(
    "target", min_capacity=2, max_capacity=4, scalable_dimension="ecs:service:DesiredCount",
    service_namespace="ecs", resource_id=pulumi.Output.concat("service/", cluster.name, "/", service.name))
cpu = {"predefined_metric_type": "ECSServiceAverageCPUUtilization"}
aws.appautoscaling.Policy(
    "scaling", policy_type="TargetTrackingScaling", resource_id=target.resource_id,
    scalable_dimension=target.scalable_dimension, service_namespace=target.service_namespace,
    target_tracking_scaling_policy_configuration={"target_value": 60, "predefined_metric_specification": cpu})
pulumi.export("cidr", aws.ec2.get_subnet_output(id=subnets[0].id).cidr_block)
pulumi.export("repository", repository.repository_url)
"""
TOKENS = {
    token
    for file in Path(__file__).with_name("aws").glob("*.py")
    for token in re.findall(r'token = "(aws:\w+/\w+:[A-Z]\w+)"', file.read_text())
}


def test_every_type_is_made_kept_and_removed(tmp_path: Path, pulumi_env: dict[str, str], aws: Aws) -> None:
    registry = {"SC_SECURE_TEST_ECR": "registry.example:5000"}
    project = Project(tmp_path, pulumi_env | aws.environment | registry, STACK)
    made = project.up()
    assert made.code == 0, made.text
    resources = project.resources()
    assert "hush" not in json.dumps(resources)
    assert {each["type"] for each in resources.values()} == TOKENS
    assert 'cidr      : "10.0.0.0/24"' in made.text
    assert resources["Images"]["outputs"]["repositoryUrl"].startswith("registry.example:5000/images-")
    assert resources["net"]["outputs"]["region"] == REGION
    for name, tags in ((name, each["outputs"].get("tagsAll")) for name, each in resources.items()):
        assert tags in (None, {}, {"team": "web"}), name

    again = project.up("--refresh")
    assert again.code == 0, again.text
    assert set(again.steps.values()) <= {"same", "refresh"}, again.text

    gone = project.destroy()
    assert gone.code == 0, gone.text
    assert project.resources() == {}
    ec2 = aws.client("ec2")
    assert all(vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"])
    assert aws.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
