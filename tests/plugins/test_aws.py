"""What the offline `aws` plugin does, on the real engine and moto. It is to hold for pulumi-aws 7.51.1, too.

The tests of one stack's life share it, and each run of the engine is a fixture: it costs seconds, a test none.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clouds.aws import ACCOUNT, REGION, Aws
from tests.project import Project, Run

pytestmark = pytest.mark.engine

# What a test changes comes from a file.
STACK = """
import json
from pathlib import Path
import pulumi
import pulumi_aws as aws

given = json.loads(Path("given.json").read_text())
zones = aws.get_availability_zones(state="available")
vpc = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", tags={"team": "web"})
subnet = aws.ec2.Subnet("subnet", vpc_id=vpc.id, cidr_block="10.0.1.0/24", availability_zone=zones.names[0])
group = aws.ec2.SecurityGroup("app", vpc_id=vpc.id)
aws.vpc.SecurityGroupEgressRule("out", security_group_id=group.id, ip_protocol="-1", cidr_ipv4="0.0.0.0/0")
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}
role = aws.iam.Role("exec", assume_role_policy=json.dumps(trust))
aws.iam.RolePolicy("write-logs", role=role.name, policy=given["policy"])
aws.iam.RolePolicyAttachment(
    "managed", role=role.name, policy_arn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")
logs = aws.cloudwatch.LogGroup("logs", retention_in_days=given["days"])
secret = aws.secretsmanager.Secret("token", recovery_window_in_days=0)
aws.secretsmanager.SecretVersion(
    "token-version", secret_id=secret.id, secret_string=pulumi.Output.secret("hush").apply(lambda text: text + "-hush"))
repository = aws.ecr.Repository("Images", image_tag_mutability="IMMUTABLE", force_delete=True)
cluster = aws.ecs.Cluster("cluster", settings=[{"name": "containerInsights", "value": "enabled"}])
task = aws.ecs.TaskDefinition(
    "task", family=given["family"], cpu="256", memory="512", network_mode="awsvpc",
    requires_compatibilities=["FARGATE"], execution_role_arn=role.arn, container_definitions=given["containers"],
    tags=given["tags"])
service = aws.ecs.Service(
    "service", cluster=cluster.arn, task_definition=task.arn, desired_count=2, launch_type="FARGATE",
    network_configuration={"subnets": [subnet.id], "security_groups": [group.id]}, enable_execute_command=True,
    deployment_circuit_breaker={"enable": True, "rollback": True}, wait_for_steady_state=True)
pulumi.export("task", task.arn)
pulumi.export("repository", repository.repository_url)
"""
IMAGE = f"registry.example/web@sha256:{'0' * 64}"
CONTAINER: dict[str, Any] = {
    "name": "web",
    "image": IMAGE,
    "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "portMappings": [{"containerPort": 8080}],
}
STATEMENT = {"Effect": "Allow", "Action": ["logs:PutLogEvents", "logs:CreateLogStream"], "Resource": "*"}


def _policy(**changes: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT | changes]})


FIRST = {
    "containers": json.dumps([CONTAINER]),
    "days": 30,
    "family": "web",
    "policy": _policy(),
    "tags": {"version": "1"},
}
# The same in other words: order of keys, variables and actions; defaults; one statement in place of a list.
REWORDED = FIRST | {
    "containers": json.dumps(
        [
            {
                "essential": True,
                "cpu": 0,
                "portMappings": [{"protocol": "tcp", "hostPort": 8080, "containerPort": 8080}],
                "environment": CONTAINER["environment"][::-1],
                "mountPoints": [],
                "image": IMAGE,
                "name": "web",
            }
        ],
        indent=1,
    ),
    "policy": json.dumps(
        {"Statement": STATEMENT | {"Action": STATEMENT["Action"][::-1], "Resource": ["*"]}} | {"Version": "2012-10-17"}
    ),
}
SECOND = FIRST | {
    "containers": json.dumps([CONTAINER | {"image": f"registry.example/web@sha256:{'1' * 64}"}]),
    "days": 60,
    "policy": _policy(Resource="arn:aws:logs:*:*:*"),
}
BROKEN = SECOND | {"family": "never-starts"}


@dataclass
class Phase:
    """A run, what the state held after it, and what AWS was asked meanwhile."""

    run: Run
    resources: dict[str, dict[str, Any]]
    asked: list[str]

    def outputs(self, name: str) -> dict[str, Any]:
        return self.resources[name]["outputs"]


@pytest.fixture(scope="module")
def cloud(aws_server: Aws) -> Aws:
    aws_server.reset()
    aws_server.failing("never-starts")
    return aws_server


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, pulumi_env: dict[str, str], cloud: Aws) -> Project:
    return Project(tmp_path_factory.mktemp("aws"), pulumi_env | cloud.environment, STACK)


def _phase(project: Project, cloud: Aws, given: dict[str, Any], run: Callable[[], Run]) -> Phase:
    project.write("given.json", given)
    before = len(cloud.requests())
    done = run()
    asked = [request.action for request in cloud.requests()[before:]]
    return Phase(done, project.resources(), asked)


@pytest.fixture(scope="module")
def previewed(project: Project, cloud: Aws) -> Phase:
    return _phase(project, cloud, FIRST, project.preview)


@pytest.fixture(scope="module")
def created(project: Project, cloud: Aws, previewed: Phase) -> Phase:
    return _phase(project, cloud, FIRST, project.up)


@pytest.fixture(scope="module")
def reworded(project: Project, cloud: Aws, created: Phase) -> Phase:
    return _phase(project, cloud, REWORDED, project.up)


@pytest.fixture(scope="module")
def changed(project: Project, cloud: Aws, reworded: Phase) -> Phase:
    return _phase(project, cloud, SECOND, project.up)


@pytest.fixture(scope="module")
def failed(project: Project, cloud: Aws, changed: Phase) -> Phase:
    return _phase(project, cloud, BROKEN, project.up)


@pytest.fixture(scope="module")
def restored(project: Project, cloud: Aws, failed: Phase) -> Phase:
    """By hand, the log group is gone, and the service has one task and other tags."""
    cloud.client("logs").delete_log_group(logGroupName=failed.outputs("logs")["name"])
    ecs = cloud.client("ecs")
    service = failed.outputs("service")
    ecs.update_service(cluster=service["cluster"], service=service["name"], desiredCount=1)
    return _phase(project, cloud, SECOND, lambda: project.up("--refresh"))


@pytest.fixture(scope="module")
def destroyed(project: Project, cloud: Aws, restored: Phase) -> Phase:
    return _phase(project, cloud, SECOND, project.destroy)


def _service(cloud: Aws, phase: Phase) -> dict[str, Any]:
    service = phase.outputs("service")
    answer = cloud.client("ecs").describe_services(cluster=service["cluster"], services=[service["name"]])
    return answer["services"][0]


def test_a_preview_asks_aws_for_nothing_but_what_functions_do(previewed: Phase) -> None:
    assert previewed.run.code == 0, previewed.run.text
    assert set(previewed.run.steps.values()) == {"create"}
    assert set(previewed.asked) == {"DescribeAvailabilityZones"}


def test_a_preview_knows_what_follows_from_the_inputs_and_no_more(previewed: Phase) -> None:
    planned = previewed.run.planned
    assert planned["logs"]["outputs"]["region"] == REGION
    assert planned["net"]["outputs"]["tagsAll"] == {"team": "web"}
    assert planned["exec"]["outputs"]["name"].startswith("exec-")
    assert planned["exec"]["outputs"].get("arn", "").count(":iam:") == 0


def test_everything_is_made(created: Phase, cloud: Aws) -> None:
    assert created.run.code == 0, created.run.text
    service = _service(cloud, created)
    assert service["taskDefinition"] == created.outputs("task")["arn"]
    assert service["runningCount"] == 2
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    [request] = cloud.requests("ecs", "CreateService")
    assert request.body["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
    assert request.body["enableExecuteCommand"] is True


def test_names_are_made_of_the_programs_and_seven_digits(created: Phase) -> None:
    for resource, start in (("exec", "exec"), ("cluster", "cluster"), ("logs", "logs"), ("Images", "images")):
        name = created.outputs(resource)["name"]
        assert name.startswith(f"{start}-")
        assert len(name) == len(start) + 8
    assert created.outputs("app")["description"] == "Managed by Pulumi"


def test_outputs_are_those_of_the_official_provider(created: Phase) -> None:
    task, arn = created.outputs("task"), f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web"
    assert (task["arn"], task["arnWithoutRevision"], task["revision"]) == (f"{arn}:1", arn, 1)
    assert created.resources["task"]["id"] == "web"
    assert created.resources["service"]["id"] == created.outputs("service")["arn"]
    name = created.outputs("Images")["name"]
    assert created.outputs("Images")["repositoryUrl"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}"


def test_a_secret_input_is_encrypted_in_the_state(created: Phase, cloud: Aws) -> None:
    assert "hush" not in json.dumps(created.resources)
    value = cloud.client("secretsmanager").get_secret_value(SecretId=created.outputs("token")["arn"])
    assert value["SecretString"] == "hush-hush"


def test_other_words_for_the_same_are_no_change(reworded: Phase) -> None:
    assert reworded.run.code == 0, reworded.run.text
    assert set(reworded.run.steps.values()) == {"same"}
    assert set(reworded.asked) == {"DescribeAvailabilityZones"}


def test_a_new_image_is_a_new_task_definition_and_one_update_of_the_service(
    created: Phase, changed: Phase, cloud: Aws
) -> None:
    assert changed.run.code == 0, changed.run.text
    different = {name for name, step in changed.run.steps.items() if step != "same"}
    assert different == {"task", "service", "logs", "write-logs"}
    assert changed.asked.count("RegisterTaskDefinition") == changed.asked.count("UpdateService") == 1
    assert changed.outputs("task")["revision"] == 2
    old = cloud.client("ecs").describe_task_definition(taskDefinition=created.outputs("task")["arn"])
    assert old["taskDefinition"]["status"] == "INACTIVE"


def test_an_update_in_place_changes_what_it_is_to_change(created: Phase, changed: Phase, cloud: Aws) -> None:
    assert changed.run.steps["logs"] == changed.run.steps["write-logs"] == "update"
    assert changed.outputs("logs")["name"] == created.outputs("logs")["name"]
    role, policy = changed.outputs("exec")["name"], changed.outputs("write-logs")["name"]
    document = cloud.client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    assert document["Statement"][0]["Resource"] == "arn:aws:logs:*:*:*"


def test_a_deployment_that_fails_is_an_error_and_the_old_version_runs(
    changed: Phase, failed: Phase, cloud: Aws
) -> None:
    assert failed.run.code != 0
    assert "deployment failed: ECS deployment" in failed.run.text
    assert failed.resources["service"]["initErrors"]


def test_what_was_changed_by_hand_is_put_right_after_a_refresh(changed: Phase, restored: Phase, cloud: Aws) -> None:
    assert restored.run.code == 0, restored.run.text
    assert restored.run.steps["logs"] == "create"
    assert restored.run.steps["service"] == "update"
    assert restored.run.steps["cluster"] == "same"
    service = _service(cloud, restored)
    assert (service["desiredCount"], service["taskDefinition"]) == (2, restored.outputs("task")["arn"])


def test_destroy_leaves_nothing(destroyed: Phase, restored: Phase, cloud: Aws) -> None:
    assert destroyed.run.code == 0, destroyed.run.text
    assert destroyed.resources == {}
    assert cloud.client("logs").describe_log_groups()["logGroups"] == []
    assert cloud.client("iam").list_roles()["Roles"] == []
    assert cloud.client("ecr").describe_repositories()["repositories"] == []
    assert _service(cloud, restored)["status"] == "INACTIVE"


REFUSED = """
import json
import pulumi_aws as aws

family = {"family": "x", "network_mode": "awsvpc", "requires_compatibilities": ["FARGATE"], "cpu": "256"}
def task(name, memory, **container):
    containers = json.dumps([{"name": "x", "image": "x", **container}])
    aws.ecs.TaskDefinition(name, memory=memory, container_definitions=containers, **family)

task("pair", "4096")
task("secret", "512", secrets=[{"name": "A", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/a"}])
aws.ecs.Service("no-cluster", cluster="nowhere", task_definition="web")
aws.iam.RolePolicy("malformed", role=aws.iam.Role("role", assume_role_policy="{}").name, policy='{"no": "policy"}')
"""
MISSPELT = """
import pulumi_aws as aws

aws.ecs.Service("web", network_configuration={"subnets": ["s"], "assignPublicIP": True})
"""


def test_what_aws_would_refuse_fails_as_it_would(tmp_path: Path, pulumi_env: dict[str, str], aws: Aws) -> None:
    project = Project(tmp_path, pulumi_env | aws.environment, MISSPELT)
    misspelt = project.preview()
    assert misspelt.code != 0
    assert "property networkConfiguration.assignPublicIP value" in misspelt.text
    assert "isn't known to this offline plugin" in misspelt.text

    project.write("__main__.py", REFUSED)
    run = project.up("--continue-on-error")
    assert run.code != 0
    for name, reason in {
        "pair": "creating ECS Task Definition (pair): api error ClientException: No Fargate configuration exists",
        "secret": "api error ClientException: When you are specifying container secrets, you must also specify",
        "no-cluster": "operation error CreateService, api error ClusterNotFoundException",
        "malformed": "operation error PutRolePolicy, api error MalformedPolicyDocument",
    }.items():
        said = " ".join(each["message"] for each in run.messages if each.get("urn", "").endswith(f"::{name}"))
        assert reason in said, (name, said)
    assert set(project.resources()) <= {"role"}
