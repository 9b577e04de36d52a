"""`examples/ecs` as it stands, on the real engine: AWS's API is moto, the registry one on loopback."""

import shutil
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devtools import processes
from tests.clouds.aws import ACCOUNT, REGION
from tests.engine.ecs_project import EcsProject
from tests.engine.secured_project import SecuredProject
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.clouds.aws import Aws

EXAMPLE = Path(__file__).parents[2] / "examples/ecs"
TOKEN = "s3cret-sentinel"


@pytest.fixture
def example(tmp_path: Path, pulumi_env: dict[str, str], registry: str, key_pair: Path, aws: "Aws") -> EcsProject:
    """A copy of the example, configured as its README says."""
    env = pulumi_env | {"SC_SECURE_TEST_ECR": registry, "COSIGN_PASSWORD": "test"}
    copy = SecuredProject(tmp_path / "example", env, registry, key_pair, "")
    shutil.copytree(EXAMPLE, copy.folder, dirs_exist_ok=True)
    copy._pulumi("stack", "init", "dev")
    ecs = EcsProject(copy, aws)
    copy._pulumi("config", "set", "--secret", "token", TOKEN, "--stack", "dev")
    ecs.configure(**{"aws:region": REGION, "version": "1", "base": "scratch"})
    return ecs


@pytest.mark.engine
def test_the_example_runs_as_its_readme_says(example: EcsProject, registry: str) -> None:
    project = example.project
    run = project.up()
    assert run.code == 0, run.text
    first = project.stack_outputs()
    assert first["image"].startswith(f"{registry}/web-repository-")
    assert first["url"].startswith("http://")
    check_the_service(example, first)
    assert TOKEN not in project.export()
    run = project.up()
    assert set(run.steps.values()) == {"same"}, run.steps

    app = project.folder / "app/app.py"
    app.write_text(app.read_text() + "\n# 2\n")
    example.configure(version="2")
    of_the_service = {"web-verify", "web-task-definition", "web-service"}
    changed = {name for name, step in project.changed().items() if not name.startswith("web-image")}
    assert changed == of_the_service
    run = project.up()
    assert run.code == 0, run.text
    second = project.stack_outputs()
    assert example.task_definition()["containerDefinitions"][0]["image"] == second["image"] != first["image"]
    assert second["task_definition_arn"] != first["task_definition_arn"]

    run = project.destroy()
    assert run.code == 0, run.text
    assert example.aws.client("ecr").describe_repositories()["repositories"] == []
    vpcs = example.aws.client("ec2").describe_vpcs()["Vpcs"]
    assert [vpc["IsDefault"] for vpc in vpcs] == [True]


def check_the_service(example: EcsProject, outputs: dict[str, str]) -> None:
    aws, service, task = example.aws, example.service(), example.task_definition()
    [targets] = aws.client("elbv2").describe_target_groups()["TargetGroups"]
    [balancer] = aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert outputs["url"] == f"http://{balancer['DNSName']}/"
    assert service["loadBalancers"] == [
        {"targetGroupArn": targets["TargetGroupArn"], "containerName": "web", "containerPort": 8080}
    ]
    assert service["desiredCount"] == service["runningCount"] == 2
    [container] = task["containerDefinitions"]
    assert container["image"] == outputs["image"]
    assert container["user"] == "10001:10001"
    assert container["readonlyRootFilesystem"] is True
    secret = aws.client("secretsmanager").list_secrets()["SecretList"][0]["ARN"]
    assert container["secrets"] == [{"name": "TOKEN", "valueFrom": secret}]
    policy = example.policies(task["executionRoleArn"])
    assert policy["ReadSecrets"]["Resource"] == [secret]
    repository = aws.client("ecr").describe_repositories()["repositories"][0]
    assert policy["PullImages"]["Resource"] == [repository["repositoryArn"]]
    assert repository["repositoryArn"].startswith(f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/web-repository-")
    [group] = service["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]
    [made] = aws.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    [ingress] = made["IpPermissions"]
    assert [each["GroupId"] for each in ingress["UserIdGroupPairs"]] == balancer["SecurityGroups"]
    policies = aws.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")
    metrics = [
        each["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
        for each in policies["ScalingPolicies"]
    ]
    labels = {each["PredefinedMetricType"]: each.get("ResourceLabel") for each in metrics}
    suffix = [arn.split(":")[-1] for arn in (balancer["LoadBalancerArn"], targets["TargetGroupArn"])]
    assert labels == {
        "ECSServiceAverageCPUUtilization": None,
        "ALBRequestCountPerTarget": f"{suffix[0].removeprefix('loadbalancer/')}/{suffix[1]}",
    }


def test_the_application_answers_who_knows_its_token() -> None:
    port = processes.free_port()
    environment = {"PORT": str(port), "TOKEN": TOKEN, "VERSION": "7", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(EXAMPLE / "app/app.py")]

    def check() -> int:
        return subprocess.run([*command, "--check"], env=environment, check=False).returncode

    def answer(path: str, authorization: str = "") -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path, headers={"Authorization": authorization})
        response = connection.getresponse()
        return response.status, response.read().decode()

    assert check() == 1
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as running:
        try:
            wait_until(lambda: check() == 0)
            assert answer("/") == answer("/", "Bearer ") == (401, "a token is needed\n")
            assert answer("/", f"Bearer {TOKEN}") == (200, "version 7\n")
            assert answer("/", "Bearer wrong")[0] == 401
            assert answer("/healthz") == (200, "ok\n")
            assert answer("/other")[0] == 404
        finally:
            running.terminate()
        assert running.wait(timeout=10) == 0
