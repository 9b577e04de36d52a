"""Bad arguments of `SecuredEcsService`: each is refused with its path and what is allowed, with nothing registered."""

from typing import Any

import pulumi
import pytest

from sc_secure import SecuredEcsService
from sc_secure.components.ecs.limits import FARGATE_MEMORY
from tests.components.aws_mocked import ACCOUNT, IMAGE, MINIMAL, REGION, AwsMocks, later, service
from tests.components.mocked import run

ROLE, CLUSTER = f"arn:aws:iam::{ACCOUNT}:role/r", f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/c"
LOG_GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:l"
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
TARGET = {"target_group_arn": f"{ELB}:targetgroup/web/1", "port": 80}
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:s-AbCdEf"
READ_ONLY = {"read_only_root_filesystem": True}
SPOT = {"capacity_provider": "FARGATE_SPOT"}


def scaling(**changes: Any) -> dict[str, Any]:
    return {"autoscaling": {"min_capacity": 1, "max_capacity": 2, "cpu_target_percent": 50} | changes}


def sidecar(**changes: Any) -> dict[str, Any]:
    return {"sidecars": [{"name": "proxy", "image": IMAGE} | changes]}


def waits(container: str, condition: str = "START") -> dict[str, Any]:
    return {"depends_on": [{"container": container, "condition": condition}]}


def check(**changes: Any) -> dict[str, Any]:
    return {"health_check": {"command": ["CMD", "/ok"]} | changes}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"image": "registry.example/app:1"}, "image: a digest reference is needed"),
    ({"image": None}, "image: missing"),
    ({"subnet_ids": None}, "subnet_ids: missing"),
    ({"subnet_ids": []}, "subnet_ids: 1 to 16 of them"),
    ({"verify": None}, "verify: missing: say who must have signed the image"),
    ({"verify": {"key": "k", "attestations": ["x"]}}, "verify.attestations[0]: one of"),
    ({"imag": IMAGE}, "imag: unknown argument; did you mean image?"),
    ({"desired_count": later(2)}, "desired_count: must be known when the program runs"),
    ({"desired_count": "2"}, "desired_count: a whole number is expected"),
    ({"desired_count": -1}, "desired_count: between 0 and 5000"),
    ({"cpu": 300}, "cpu: one of 256, 512, 1024, 2048, 4096, 8192, 16384 CPU units"),
    ({"cpu": 256, "memory": 4096}, "memory: 512, 1024, 2048 MiB: what Fargate has for 256 CPU units"),
    ({"cpu": 8192, "memory": 17408}, "memory: 16384 to 61440 in steps of 4096 MiB"),
    ({"cpu_architecture": "arm"}, "cpu_architecture: one of X86_64, ARM64"),
    ({"ephemeral_storage_gib": 20}, "ephemeral_storage_gib: between 21 and 200"),
    ({"platform_version": "1.3.0"}, "platform_version: LATEST, or 1.4.0 and later"),
    ({"port": 0}, "port: between 1 and 65535"),
    ({"log_retention_days": 31}, "log_retention_days: one of 0, 1, 3, 5, 7, 14, 30"),
    ({"deployment_minimum_healthy_percent": 101}, "deployment_minimum_healthy_percent: between 0 and 100"),
    ({"deployment_maximum_percent": 100}, "deployment_maximum_percent: more than 100: with all tasks kept"),
    ({"deployment_timeout_seconds": 5}, "deployment_timeout_seconds: between 60 and 86400"),
    (
        {"deployment_timeout_seconds": 60, "wait_for_steady_state": False},
        "deployment_timeout_seconds: has no meaning without wait_for_steady_state",
    ),
    # ARNs
    ({"cluster_arn": "shared"}, "cluster_arn: a cluster's ARN is needed (arn:aws:ecs:…:cluster/…)"),
    ({"execution_role_arn": CLUSTER}, "execution_role_arn: a role's ARN is needed"),
    ({"task_role_arn": "r"}, "task_role_arn: a role's ARN is needed"),
    ({"permissions_boundary_arn": ROLE}, "permissions_boundary_arn: a policy's ARN is needed"),
    ({"log_group_arn": "/web"}, "log_group_arn: a log group's ARN is needed"),
    ({"log_kms_key_arn": "alias/k"}, "log_kms_key_arn: a KMS key's ARN is needed"),
    ({"secrets_kms_key_arns": ["alias/k"]}, "secrets_kms_key_arns[0]: a KMS key's ARN is needed"),
    ({"ecr_repository_arns": ["app"]}, "ecr_repository_arns[0]: an ECR repository's ARN is needed"),
    ({"target_group_arn": "web", "port": 80}, "target_group_arn: a target group's ARN is needed"),
    ({"secrets": {"A": "database"}}, "secrets.A: an ARN is needed, of a Secrets Manager secret or an SSM parameter"),
    ({"secrets": {"A": ROLE}}, "secrets.A: an ARN is needed"),
    ({"registry_credentials_arn": "mirror"}, "registry_credentials_arn: a secret's ARN is needed"),
    # What needs or excludes each other
    ({"security_group_ids": ["sg-1"], "vpc_id": "vpc-1"}, "vpc_id: has no effect with security_group_ids"),
    ({"security_group_ids": []}, "security_group_ids: 1 to 5 of them"),
    ({"log_group_arn": LOG_GROUP, "log_retention_days": 1}, "log_retention_days: has no effect with log_group_arn"),
    (
        {"execution_role_arn": ROLE, "secrets_kms_key_arns": []},
        "secrets_kms_key_arns: has no effect with execution_role_arn",
    ),
    (
        {"execution_role_arn": ROLE, "task_role_arn": ROLE, "permissions_boundary_arn": "p"},
        "permissions_boundary_arn: has no effect where both roles are given",
    ),
    ({"target_group_arn": TARGET["target_group_arn"]}, "port: missing: target_group_arn needs the port"),
    ({"ingress_cidr_blocks": ["10.0.0.0/8"]}, "port: missing: ingress_cidr_blocks needs the port"),
    ({"egress_cidr_blocks": ["10.0.0.0/8"] * 2}, "egress_cidr_blocks: 10.0.0.0/8 is there twice"),
    (
        {"health_check_grace_period_seconds": 5},
        "health_check_grace_period_seconds: has no meaning without target_group_arn",
    ),
    ({"service_discovery": {}}, "service_discovery: one of namespace_id and registry_arn is needed"),
    (
        {"service_discovery": {"registry_arn": "srv-1"}},
        "service_discovery.registry_arn: a Cloud Map service's ARN is needed",
    ),
    (
        {"service_discovery": {"registry_arn": "srv-1", "ttl_seconds": 1}},
        "service_discovery.ttl_seconds: has no effect with registry_arn",
    ),
    # Capacity and scaling
    ({"capacity_provider_strategies": [{"capacity_provider": "EC2"}]}, "[0].capacity_provider: one of FARGATE"),
    ({"capacity_provider_strategies": [SPOT, SPOT]}, "capacity_provider_strategies: each capacity provider once"),
    ({"capacity_provider_strategies": [SPOT | {"weight": 0}]}, "one of them at least needs a weight above 0"),
    ({"capacity_provider_strategies": [SPOT | {"weight": 1001}]}, "[0].weight: between 0 and 1000"),
    (
        {"capacity_provider_strategies": [SPOT | {"base": 1}, {"capacity_provider": "FARGATE", "base": 1}]},
        "capacity_provider_strategies: only one of them can have a base",
    ),
    ({"autoscaling": {"min_capacity": 1, "max_capacity": 2}}, "autoscaling: a target is needed: cpu_target_percent"),
    (scaling(min_capacity=3), "autoscaling.min_capacity: between 0 and 2"),
    (scaling(max_capacity=0), "autoscaling.max_capacity: between 1 and 5000"),
    (scaling(cpu_target_percent=101), "autoscaling.cpu_target_percent: between 1 and 100"),
    (scaling() | {"desired_count": 3}, "desired_count: between 1 and 2"),
    (scaling(requests_per_target=9), "autoscaling.load_balancer_arn: missing: requests_per_target counts"),
    (
        scaling(requests_per_target=9, load_balancer_arn=f"{ELB}:loadbalancer/app/a/1"),
        "target_group_arn: missing: autoscaling.requests_per_target",
    ),
    (
        scaling(requests_per_target=9, load_balancer_arn=f"{ELB}:loadbalancer/net/a/1") | TARGET,
        "autoscaling.load_balancer_arn: an application load balancer's ARN is needed",
    ),
    (
        scaling(load_balancer_arn=f"{ELB}:loadbalancer/app/a/1"),
        "autoscaling.load_balancer_arn: has no meaning without requests_per_target",
    ),
    # Tags
    ({"tags": {f"t{number}": "" for number in range(51)}}, "tags: at most 50 tags"),
    ({"tags": {"aws:team": "a"}}, "tags.aws:team: a tag's name has 1 to 128"),
    ({"tags": {"team": "a" * 257}}, "tags.team: a tag's value has at most 256"),
    ({"tags": {"team": "<a>"}}, "tags.team: a tag's value has"),
    # Containers
    ({"environment": {"A=B": "1"}}, "environment.A=B: a variable's name has no ="),
    ({"environment": {"A": "1"}, "secrets": {"A": SECRET}}, "secrets.A: is in environment as well"),
    ({"environment": {"A": 1}}, "environment.A: a string is expected"),
    (check(command=["curl", "x"]), "health_check.command: CMD and a program, or CMD-SHELL"),
    (check(command=["CMD"]), "health_check.command: CMD and a program"),
    (check(interval_seconds=4), "health_check.interval_seconds: between 5 and 300"),
    (check(timeout_seconds=61), "health_check.timeout_seconds: between 2 and 60"),
    (check(retries=0), "health_check.retries: between 1 and 10"),
    (check(start_period_seconds=301), "health_check.start_period_seconds: between 0 and 300"),
    ({"stop_timeout_seconds": 121}, "stop_timeout_seconds: between 2 and 120"),
    ({"user": "a b"}, "user: a user's name or number"),
    ({"ulimits": [{"name": "files", "soft": 1, "hard": 1}]}, "ulimits[0].name: one of core, cpu"),
    ({"ulimits": [{"name": "nofile", "soft": 2, "hard": 1}]}, "ulimits[0].soft: between 0 and 1"),
    ({"drop_capabilities": ["CAP_NET_RAW"]}, "drop_capabilities[0]: one of ALL"),
    (READ_ONLY | {"enable_execute_command": True}, "read_only_root_filesystem: excludes enable_execute_command"),
    (sidecar(**READ_ONLY) | {"enable_execute_command": True}, "sidecars[0].read_only_root_filesystem: excludes"),
    ({"writable_paths": ["/a"]}, "writable_paths: has no meaning without read_only_root_filesystem"),
    (READ_ONLY | {"writable_paths": ["a"]}, "writable_paths[0]: an absolute path below /, each once"),
    (READ_ONLY | {"writable_paths": ["/a", "/a"]}, "writable_paths[1]: an absolute path below /, each once"),
    ({"working_directory": "a"}, "working_directory: an absolute path"),
    (sidecar(image="registry.example/proxy:1"), "sidecars[0].image: a digest reference is needed"),
    (sidecar(verify={}), "sidecars[0].verify.key: missing: say who must have signed"),
    (sidecar(name="web"), "sidecars[0].name: each container's name once"),
    (sidecar(name="a.b"), "sidecars[0].name: letters, digits, _ and -"),
    (sidecar(port=80) | {"port": 80}, "sidecars[0].port: each port once"),
    (sidecar(cpu=256), "sidecars: their cpu together is less than the task's 256"),
    (sidecar(memory=512), "sidecars: their memory together is less than the task's 512"),
    (sidecar(memory=5), "sidecars[0].memory: between 6 and"),
    (
        {"sidecars": [{"name": f"s{number}", "image": IMAGE} for number in range(10)]},
        "sidecars: at most 9: a task has up to 10 containers",
    ),
    (waits("proxy"), "depends_on[0].container: another container of the task: there is no other"),
    (sidecar(**waits("prxy")), "sidecars[0].depends_on[0].container: another container of the task: web"),
    (sidecar() | waits("proxy", "ALIVE"), "depends_on[0].condition: one of START, COMPLETE, SUCCESS, HEALTHY"),
    (sidecar() | waits("proxy", "HEALTHY"), "depends_on[0].condition: HEALTHY needs a health_check of proxy"),
    (sidecar() | waits("proxy", "SUCCESS"), "depends_on[0].condition: SUCCESS needs proxy not to be essential"),
    (
        sidecar(**waits("web")) | waits("proxy"),
        "depends_on: these containers wait for each other: proxy -> web -> proxy",
    ),
]


@pytest.mark.parametrize(("changes", "said"), BAD, ids=[said for _, said in BAD])
def test_refused_before_anything_is_registered(changes: dict[str, Any], said: str) -> None:
    recorder = AwsMocks()
    with pytest.raises(pulumi.RunError) as raised:
        service(recorder, **changes)
    assert said in str(raised.value)
    assert str(raised.value).startswith("SecuredEcsService: the arguments aren't valid, and nothing was changed")
    assert recorder.resources == {}


@pytest.mark.parametrize("name", ["sg-web", "my web", "a" * 201, ""])
def test_a_name_that_aws_takes_nowhere(name: str) -> None:
    with pytest.raises(pulumi.RunError, match="won't do: letters, digits"):
        service(AwsMocks(), name=name)


def test_a_name_for_dns_is_short() -> None:
    with pytest.raises(pulumi.RunError, match=r"service_discovery\.namespace_id: a name in DNS has at most 63"):
        service(AwsMocks(), name="a" * 64, service_discovery={"namespace_id": "ns-1"})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(pulumi.RunError) as raised:
        service(AwsMocks(), cpu=1, image="app:1", port=0, **sidecar(image="proxy:1", stop_timeout_seconds=1))
    paths = [line.split(":")[0].strip() for line in str(raised.value).splitlines()[1:]]
    assert paths == ["cpu", "port", "sidecars[0].stop_timeout_seconds", "image", "sidecars[0].image"]


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [(cpu, memory) for cpu, allowed in FARGATE_MEMORY.items() for memory in (min(allowed), max(allowed))],
)
def test_what_fargate_has_is_taken(cpu: int, memory: int) -> None:
    service(AwsMocks(), cpu=cpu, memory=memory)


def test_values_of_other_resources_are_left_to_aws() -> None:
    unknown: Any = {
        "cluster_arn": later(CLUSTER),
        "security_group_ids": later(["sg-1"]),
        "target_group_arn": later(TARGET["target_group_arn"]),
        "secrets": {"A": later(SECRET)},
        "tags": {"team": later("<a>")},
    }
    service(AwsMocks(), port=80, **unknown)


def test_errors_hold_no_value_of_a_secret() -> None:
    args: Any = MINIMAL | {"environment": {"PASSWORD": 12345}, "secrets": {"A": "hunter2"}}
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: SecuredEcsService("web", args).urn, AwsMocks())
    assert "hunter2" not in str(raised.value)
    assert "12345" not in str(raised.value)
