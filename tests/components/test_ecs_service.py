"""What `SecuredEcsService` declares: everything when nothing is given, nothing of what is given."""

from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from sc_secure import SecuredEcsService
from tests.components.aws_mocked import (
    ACCOUNT,
    IMAGE,
    MINIMAL,
    REGION,
    AwsMocks,
    declared,
    later,
    service,
)
from tests.components.mocked import run

TARGET_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web/0123456789abcdef"
GIVEN: dict[str, Any] = {
    "cluster_arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shared",
    "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/execution",
    "task_role_arn": f"arn:aws:iam::{ACCOUNT}:role/path/task",
    "log_group_arn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/shared/web:*",
    "security_group_ids": ["sg-1", "sg-2"],
}


def test_everything_is_made_when_nothing_is_given() -> None:
    made = declared()
    assert set(made) == {
        "Cluster web-cluster",
        "LogGroup web-logs",
        "Role web-execution-role",
        "RolePolicy web-execution-policy",
        "Role web-task-role",
        "SecurityGroup web-tasks",
        "SecurityGroupEgressRule web-egress-ipv4",
        "SecurityGroupEgressRule web-egress-ipv6",
        "TaskDefinition web-task-definition",
        "Service web-service",
    }
    assert made["Cluster web-cluster"] == {"settings": [{"name": "containerInsights", "value": "enabled"}]}
    assert made["LogGroup web-logs"] == {"retentionInDays": 30}
    definition = made["TaskDefinition web-task-definition"]
    assert definition.pop("containerDefinitions").startswith('[{"essential": true, "image": "')
    assert definition == {
        "family": "trial-dev-web",
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/web-execution-role-1a2b3c4",
        "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/web-task-role-1a2b3c4",
        "skipDestroy": True,
    }
    assert made["Service web-service"] == {
        "cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/web-cluster-1a2b3c4",
        "taskDefinition": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/trial-dev-web:1",
        "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": {
            "subnets": ["subnet-1", "subnet-2"],
            "securityGroups": ["web-tasks-id"],
            "assignPublicIp": False,
        },
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "deploymentMinimumHealthyPercent": 100,
        "deploymentMaximumPercent": 200,
        "waitForSteadyState": True,
        "enableExecuteCommand": False,
        "enableEcsManagedTags": True,
        "propagateTags": "SERVICE",
    }


def test_nothing_of_what_is_given_is_made() -> None:
    recorder = AwsMocks()
    assert service(recorder, output="security_group_id", **GIVEN) == ""
    made = recorder.declared()
    assert set(made) == {"TaskDefinition web-task-definition", "Service web-service"}
    definition = made["TaskDefinition web-task-definition"]
    assert definition["executionRoleArn"] == GIVEN["execution_role_arn"]
    assert definition["taskRoleArn"] == GIVEN["task_role_arn"]
    assert '"awslogs-group": "/shared/web", "awslogs-region": "eu-west-1"' in definition["containerDefinitions"]
    assert made["Service web-service"]["cluster"] == GIVEN["cluster_arn"]
    assert made["Service web-service"]["networkConfiguration"]["securityGroups"] == ["sg-1", "sg-2"]


def test_what_is_given_may_come_from_other_resources() -> None:
    known, unknown = declared(**GIVEN), declared(**{key: later(value) for key, value in GIVEN.items()})
    assert unknown == known


OUTPUTS = {
    "service_arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/web-service-1a2b3c4",
    "service_name": "web-service-1a2b3c4",
    "task_definition_arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/trial-dev-web:1",
    "cluster_arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/web-cluster-1a2b3c4",
    "log_group_name": "web-logs-1a2b3c4",
    "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/web-execution-role-1a2b3c4",
    "task_role_arn": f"arn:aws:iam::{ACCOUNT}:role/web-task-role-1a2b3c4",
    "task_role_name": "web-task-role-1a2b3c4",
    "security_group_id": "web-tasks-id",
    "image": IMAGE,
}


def test_outputs() -> None:
    def every(web: SecuredEcsService) -> pulumi.Output[dict[str, Any]]:
        return pulumi.Output.all(**{key: getattr(web, key) for key in OUTPUTS})

    assert run(lambda: every(SecuredEcsService("web", MINIMAL)), AwsMocks()) == OUTPUTS  # type: ignore[arg-type]
    given = run(lambda: every(SecuredEcsService("web", MINIMAL | GIVEN)), AwsMocks())  # type: ignore[arg-type]
    assert given["task_role_name"] == "task"
    assert given["log_group_name"] == "/shared/web"


def test_settings_of_the_task_and_the_service() -> None:
    made = declared(
        cpu=1024.0,
        memory=4096.0,
        cpu_architecture="ARM64",
        ephemeral_storage_gib=50,
        platform_version="1.4.0",
        desired_count=3,
        assign_public_ip=True,
        log_retention_days=365,
        log_kms_key_arn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/logs",
        deployment_minimum_healthy_percent=50,
        deployment_maximum_percent=150,
        wait_for_steady_state=False,
    )
    definition, web = made["TaskDefinition web-task-definition"], made["Service web-service"]
    assert (definition["cpu"], definition["memory"]) == ("1024", "4096")
    assert definition["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert definition["ephemeralStorage"] == {"sizeInGib": 50}
    assert made["LogGroup web-logs"] == {"retentionInDays": 365, "kmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/logs"}
    assert (web["platformVersion"], web["desiredCount"]) == ("1.4.0", 3)
    assert (web["deploymentMinimumHealthyPercent"], web["deploymentMaximumPercent"]) == (50, 150)
    assert web["networkConfiguration"]["assignPublicIp"] is True
    assert web["waitForSteadyState"] is False


def test_tags_are_on_everything_that_takes_them() -> None:
    tags = {"team": "a", "cost": "b"}
    strategies = [{"capacity_provider": "FARGATE"}]
    more = {"service_discovery": {"namespace_id": "ns-1"}, "ingress_cidr_blocks": ["10.0.0.0/8"], "port": 80}
    scaling = {"min_capacity": 1, "max_capacity": 2, "cpu_target_percent": 50}
    made = declared(tags=tags, capacity_provider_strategies=strategies, autoscaling=scaling, **more)
    untagged = {name for name, inputs in made.items() if inputs.get("tags") != tags}
    assert untagged == {
        "ClusterCapacityProviders web-capacity-providers",
        "RolePolicy web-execution-policy",
        "Policy web-scaling-cpu",
    }


def test_capacity_providers_take_the_launch_types_place() -> None:
    strategies = [{"capacity_provider": "FARGATE_SPOT", "weight": 3}, {"capacity_provider": "FARGATE", "base": 1}]
    made = declared(capacity_provider_strategies=strategies)
    web = made["Service web-service"]
    assert web["capacityProviderStrategies"] == [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    assert "launchType" not in web
    assert web["forceNewDeployment"] is True
    assert made["ClusterCapacityProviders web-capacity-providers"] == {
        "clusterName": "web-cluster-1a2b3c4",
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
    }
    shared = declared(capacity_provider_strategies=strategies, **GIVEN)
    assert "ClusterCapacityProviders web-capacity-providers" not in shared


def test_execute_command_is_a_right_of_the_task_and_a_first_process() -> None:
    made = declared(enable_execute_command=True)
    assert made["Service web-service"]["enableExecuteCommand"] is True
    assert (
        '"linuxParameters": {"initProcessEnabled": true}'
        in made["TaskDefinition web-task-definition"]["containerDefinitions"]
    )
    assert made["RolePolicy web-execute-command-policy"]["role"] == "web-task-role-1a2b3c4"
    given = declared(enable_execute_command=True, **GIVEN)
    assert "RolePolicy web-execute-command-policy" not in given


def test_autoscaling() -> None:
    balancer = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/front/fedcba9876543210"
    scaling = {
        "min_capacity": 2,
        "max_capacity": 6,
        "cpu_target_percent": 60,
        "memory_target_percent": 70,
        "requests_per_target": 500,
        "load_balancer_arn": later(balancer),
        "scale_out_cooldown_seconds": 30,
    }
    made = declared(autoscaling=scaling, target_group_arn=TARGET_GROUP, port=80, ingress_cidr_blocks=["10.0.0.0/8"])
    scaled = {
        "resourceId": "service/web-cluster-1a2b3c4/web-service-1a2b3c4",
        "scalableDimension": "ecs:service:DesiredCount",
        "serviceNamespace": "ecs",
    }
    assert made["Target web-scaling"] == {"minCapacity": 2, "maxCapacity": 6, **scaled}
    cooldown = {"scaleInCooldown": 300, "scaleOutCooldown": 30}
    label = "app/front/fedcba9876543210/targetgroup/web/0123456789abcdef"
    for name, target, metric in (
        ("cpu", 60, {"predefinedMetricType": "ECSServiceAverageCPUUtilization"}),
        ("memory", 70, {"predefinedMetricType": "ECSServiceAverageMemoryUtilization"}),
        ("requests", 500, {"predefinedMetricType": "ALBRequestCountPerTarget", "resourceLabel": label}),
    ):
        tracking = {"targetValue": target, "predefinedMetricSpecification": metric, **cooldown}
        assert made[f"Policy web-scaling-{name}"] == {
            "policyType": "TargetTrackingScaling",
            "targetTrackingScalingPolicyConfiguration": tracking,
            **scaled,
        }
    assert made["Service web-service"]["desiredCount"] == 2
    only_cpu = {"min_capacity": 1, "max_capacity": 2, "cpu_target_percent": 50}
    assert declared(autoscaling=only_cpu, desired_count=2)["Service web-service"]["desiredCount"] == 2


def test_options_that_mocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, pulumi.ResourceOptions] = {}

    def look(args: pulumi.ResourceTransformationArgs) -> None:
        if args.type_.startswith("aws:"):
            seen[args.name] = args.opts

    def program() -> Any:
        pulumi.runtime.register_stack_transformation(look)
        strategies = [{"capacity_provider": "FARGATE"}]
        scaling = {"min_capacity": 1, "max_capacity": 2, "cpu_target_percent": 50}
        args = MINIMAL | {"autoscaling": scaling, "deployment_timeout_seconds": 300}
        SecuredEcsService("other", MINIMAL)  # type: ignore[arg-type]
        return SecuredEcsService("web", args | {"capacity_provider_strategies": strategies}).service_arn  # type: ignore[arg-type]

    run(program, AwsMocks())
    web, other = seen["web-service"], seen["other-service"]
    assert (web.ignore_changes, other.ignore_changes) == (["desiredCount"], None)
    assert (web.custom_timeouts.create, web.custom_timeouts.update) == ("300s", "300s")
    assert other.custom_timeouts.update == "1200s"
    assert all(type(opts.parent) is SecuredEcsService for opts in seen.values())
    waits = {each._name for each in web.depends_on if isinstance(each, pulumi.Resource)}
    assert waits == {"web-execution-policy", "web-capacity-providers"}


def test_names_stay_within_the_clouds_limits() -> None:
    name = "a-name-that-is-as-long-as-a-team-s-conventions-make-it"
    recorder = AwsMocks()
    service(recorder, name=name)
    made = recorder.declared()
    role = made[f"Role {name}-execution-role"]["name"]
    assert len(role) == 64
    assert role.startswith("a-name-that-is-as-long-as-a-team-s-conventions-make-it-e")
    assert made[f"Role {name}-task-role"].get("name") != role
    assert "name" not in made[f"Service {name}-service"]
    again = AwsMocks()
    service(again, name=name)
    assert again.declared() == made


def test_a_family_has_only_what_ecs_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "get_stack", lambda: "feature.x")
    family = declared()["TaskDefinition web-task-definition"]["family"]
    assert family.startswith("trial-feature-x-web-")
    assert len(family) == len("trial-feature-x-web-") + 7


@pytest.mark.parametrize("answer", ["", None])
def test_a_closed_gate_declares_nothing(answer: str | None) -> None:
    recorder = AwsMocks({"web-verify": answer})
    with pytest.raises(pulumi.RunError, match="web-verify"):
        service(recorder)
    assert recorder.declared() == {}


def test_an_update_that_leaves_verifying_out_has_no_image_to_deploy() -> None:
    """With `--target`, a command that isn't among the targets has no result. The engine makes nothing of unknowns."""
    recorder = AwsMocks({"web-verify": rpc.UNKNOWN})
    service(recorder)
    assert recorder.declared()["TaskDefinition web-task-definition"].get("containerDefinitions") in (None, rpc.UNKNOWN)


def test_a_sidecars_closed_gate_declares_nothing() -> None:
    recorder = AwsMocks({"web-verify-proxy": ""})
    with pytest.raises(pulumi.RunError, match="web-verify-proxy"):
        service(recorder, sidecars=[{"name": "proxy", "image": IMAGE}])
    assert recorder.declared() == {}


def test_each_image_is_verified_by_its_own_command() -> None:
    recorder = AwsMocks()
    other = IMAGE.replace("team/app", "team/proxy")
    sidecars = [
        {"name": "proxy", "image": other, "verify": {"key": "theirs.pub", "attestations": ["vuln"]}},
        {"name": "agent", "image": other},
    ]
    service(recorder, sidecars=sidecars)
    verify = ".sc/bin/sc-secure image verify --image"
    assert recorder.commands() == {
        "web-verify": f"{verify} {IMAGE} --key cosign.pub --no-transparency-log --output json",
        "web-verify-agent": f"{verify} {other} --key cosign.pub --no-transparency-log --output json",
        "web-verify-proxy": f"{verify} {other} --key theirs.pub --no-transparency-log --attestation vuln --output json",
    }


def test_an_image_is_verified_again_when_anything_of_the_service_changes() -> None:
    def fingerprint(**changes: Any) -> str:
        recorder = AwsMocks()
        service(recorder, **changes)
        return recorder.resources["command:local:Command::web-verify"][1]["environment"]["SC_SECURE_DEPLOYMENT"]

    assert fingerprint() == fingerprint()
    assert fingerprint() != fingerprint(environment={"A": "1"})
    assert fingerprint(environment={"A": "1"}) != fingerprint(environment={"A": "2"})


def test_what_the_service_depends_on_everything_of_it_depends_on() -> None:
    waits: dict[str, set[str]] = {}

    async def names(output: pulumi.Output[Any]) -> set[str]:
        return {resource._name for resource in await output.resources()}

    def program() -> pulumi.Output[Any]:
        first = pulumi.ComponentResource("test:index:Listener", "listener")
        web = SecuredEcsService("web", MINIMAL, pulumi.ResourceOptions(depends_on=[first]))  # type: ignore[arg-type]

        async def collect() -> None:
            for output in ("image", "service_arn", "cluster_arn"):
                waits[output] = await names(getattr(web, output))

        return web.service_arn.apply(lambda _: collect())

    run(program, AwsMocks())
    assert waits["image"] == {"web-verify"}
    assert "web-service" in waits["service_arn"]
