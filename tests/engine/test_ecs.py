"""`SecuredEcsService` on the real engine, from a program to AWS's API."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.clouds.aws import ACCOUNT, REGION
from tests.engine.ecs_project import EcsProject
from tests.engine.secured_project import SECURITY, SecuredProject
from tests.project import Run

if TYPE_CHECKING:
    from tests.clouds.aws import Aws

pytestmark = pytest.mark.engine
NewProject = Callable[..., SecuredProject]

WHOLE = f"""
import pulumi
from sc_secure import EcrRepository, SecuredEcsService, SecuredImage

config = pulumi.Config()
{SECURITY}
repository = EcrRepository("images", {{"repository_name": config.require("repository"), "force_delete": True}})
image = SecuredImage("app", {{
    "image_name": repository.repository_url.apply(lambda url: f"{{url}}:" + config.require("version")),
    "build": {{"context": "app", "dockerfile": "app/Dockerfile"}},
    "security": security,
}})
web = SecuredEcsService("web", {{
    "image": image.deployable_ref,
    "verify": {{"security": security}},
    "ecr_repository_arns": [repository.repository_arn],
    "subnet_ids": config.require_object("subnets"),
    "port": 8080,
    "ingress_cidr_blocks": ["10.0.0.0/8"],
    "environment": {{"MODE": config.require("mode")}},
    "secrets": {{"PASSWORD": config.require("database") + ":password::"}},
    "autoscaling": {{"min_capacity": 1, "max_capacity": 3, "cpu_target_percent": 60}},
    "tags": {{"team": "a"}},
}})
for output in ("service_arn", "service_name", "task_definition_arn", "cluster_arn", "log_group_name",
               "execution_role_arn", "task_role_arn", "task_role_name", "security_group_id", "image"):
    pulumi.export(output, getattr(web, output))
pulumi.export("deployable_ref", image.deployable_ref)
"""

CHANGED_BY_A_VERSION = {"web-verify", "web-task-definition", "web-service"}


@pytest.fixture
def whole(new_project: NewProject, aws: "Aws") -> EcsProject:
    """A project that secures an image and deploys it."""
    ecs = EcsProject(new_project(WHOLE), aws)
    secret = aws.client("secretsmanager").create_secret(Name="database", SecretString='{"password": "p"}')
    # The repository is of AWS's account, and its registry is the local one.
    address, _, name = ecs.project.registry.partition("/")
    ecs.project.environment["SC_SECURE_TEST_ECR"] = address
    ecs.configure(database=secret["ARN"], repository=name, version="1", mode="plain")
    return ecs


def test_from_a_program_to_the_api_and_through_versions(whole: EcsProject) -> None:
    run = whole.project.up()
    assert run.code == 0, run.text
    outputs = whole.project.stack_outputs()
    check_service(whole, outputs)
    check_rights(whole, outputs)

    run = whole.project.up()
    assert set(run.steps.values()) == {"same"}, run.steps

    check_new_version(whole, outputs)
    check_failed_deployment(whole)
    check_closed_gate(whole)

    run = whole.project.destroy()
    assert run.code == 0, run.text
    [cluster] = whole.aws.client("ecs").describe_clusters(clusters=[outputs["cluster_arn"]])["clusters"]
    assert cluster["status"] == "INACTIVE"
    revisions = whole.aws.client("ecs").list_task_definitions(familyPrefix="trial-dev-web")["taskDefinitionArns"]
    assert len(revisions) == 3, "old revisions stay, to go back to"


def check_service(whole: EcsProject, outputs: dict[str, Any]) -> None:
    service, task = whole.service(), whole.task_definition()
    assert service["serviceArn"] == outputs["service_arn"]
    assert service["serviceName"] == outputs["service_name"]
    assert service["clusterArn"] == outputs["cluster_arn"]
    assert service["desiredCount"] == service["runningCount"] == 1
    assert service["launchType"] == "FARGATE"
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert service["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": whole.subnets,
        "securityGroups": [outputs["security_group_id"]],
        "assignPublicIp": "DISABLED",
    }
    assert service["tags"] == [{"key": "team", "value": "a"}]
    assert task["taskDefinitionArn"] == outputs["task_definition_arn"]
    assert (task["family"], task["revision"], task["cpu"], task["memory"]) == ("trial-dev-web", 1, "256", "512")
    [container] = task["containerDefinitions"]
    assert container["image"] == outputs["image"] == outputs["deployable_ref"]
    assert "@sha256:" in container["image"]
    assert container["environment"] == [{"name": "MODE", "value": "plain"}]
    secret = whole.aws.client("secretsmanager").describe_secret(SecretId="database")["ARN"]
    assert container["secrets"] == [{"name": "PASSWORD", "valueFrom": f"{secret}:password::"}]
    assert container["logConfiguration"]["options"]["awslogs-group"] == outputs["log_group_name"]
    assert container["logConfiguration"]["options"]["awslogs-region"] == REGION
    [group] = whole.aws.client("logs").describe_log_groups()["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == (outputs["log_group_name"], 30)
    scaling = whole.aws.client("application-autoscaling")
    [target] = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert target["ResourceId"] == "service/{}/{}".format(*service["serviceArn"].split("/")[1:])


def check_rights(whole: EcsProject, outputs: dict[str, Any]) -> None:
    secret = whole.aws.client("secretsmanager").describe_secret(SecretId="database")["ARN"]
    repository = whole.aws.client("ecr").describe_repositories()["repositories"][0]
    logs = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{outputs['log_group_name']}:log-stream:*"
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    expected = {
        "RegistryToken": (["ecr:GetAuthorizationToken"], ["*"]),
        "PullImages": (pull, [repository["repositoryArn"]]),
        "WriteLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], [logs]),
        "ReadSecrets": (["secretsmanager:GetSecretValue"], [secret]),
    }
    assert whole.policies(outputs["execution_role_arn"]) == {
        sid: {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
        for sid, (actions, resources) in expected.items()
    }
    assert whole.policies(outputs["task_role_arn"]) == {}
    for output in ("execution_role_arn", "task_role_arn"):
        role = whole.aws.client("iam").get_role(RoleName=outputs[output].rsplit("/", 1)[-1])["Role"]
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert trust["Condition"] == {
            "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"},
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
        }
    group = whole.aws.client("ec2").describe_security_groups(GroupIds=[outputs["security_group_id"]])
    [made] = group["SecurityGroups"]
    assert made["VpcId"] == whole.vpc
    [ingress] = made["IpPermissions"]
    assert (ingress["FromPort"], ingress["ToPort"], ingress["IpProtocol"]) == (8080, 8080, "tcp")
    assert [each["CidrIp"] for each in ingress["IpRanges"]] == ["10.0.0.0/8"]
    assert repository["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"


def check_new_version(whole: EcsProject, before: dict[str, Any]) -> None:
    """A preview names the task definition and the service, and the update makes one of one and changes the other."""
    whole.project.write_app(content="second")
    whole.configure(version="2")
    changed = whole.project.changed()
    of_the_service = {name: step["op"] for name, step in changed.items() if name.startswith("web")}
    assert of_the_service == {"web-verify": "update", "web-task-definition": "replace", "web-service": "update"}
    count = len(whole.asked())
    run = whole.project.up()
    assert run.code == 0, run.text
    assert {name for name, op in run.steps.items() if op != "same" and name.startswith("web")} == CHANGED_BY_A_VERSION
    assert whole.asked()[count:] == [("ecs", "RegisterTaskDefinition"), ("ecs", "UpdateService")]
    outputs = whole.project.stack_outputs()
    assert outputs["image"] != before["image"]
    assert whole.task_definition()["containerDefinitions"][0]["image"] == outputs["image"]
    assert whole.task_definition()["revision"] == 2
    old = whole.aws.client("ecs").describe_task_definition(taskDefinition=before["task_definition_arn"])
    assert old["taskDefinition"]["status"] == "ACTIVE"


def check_failed_deployment(whole: EcsProject) -> None:
    """A changed setting has the image verified again. Tasks that don't start fail the update, and ECS goes back."""
    before = whole.service()["taskDefinition"]
    whole.aws.failing("trial-dev-web")
    whole.configure(mode="broken")
    run = whole.project.up()
    assert run.code != 0
    assert "deployment failed" in run.text
    assert {name for name, op in run.steps.items() if op != "same"} == CHANGED_BY_A_VERSION
    begun = run.begun_and_ended
    assert begun.index(("ended", "web-verify")) < begun.index(("begun", "web-task-definition"))
    assert whole.service()["taskDefinition"] == before


def check_closed_gate(whole: EcsProject) -> None:
    """A version with findings isn't deployed, and what runs isn't touched."""
    whole.configure(failOn="high", version="3")
    whole.project.write_app(content="third")
    count, before = len(whole.asked()), whole.service()["taskDefinition"]
    run = whole.project.up()
    assert run.code != 0
    assert "GHSA-2m57-hf25-phgg" in run.text
    assert whole.asked()[count:] == []
    assert whole.service()["taskDefinition"] == before


GIVEN = """
import pulumi
import pulumi_aws as aws
from sc_secure import SecuredEcsService

config = pulumi.Config()

def tagged(args):
    if args.type_.startswith("aws:ecs/"):
        return pulumi.ResourceTransformResult({**args.props, "tags": {"by": "transform"}}, args.opts)

elsewhere = aws.Provider("elsewhere", region="eu-central-1")
sidecars = [{"name": "proxy", "image": config.get("sidecar")}] if config.get("sidecar") else []
web = SecuredEcsService(
    "web",
    {
        "image": config.require("image"),
        "verify": {"enabled": False} if config.get_bool("off") else {"key": "cosign.pub"},
        "subnet_ids": config.require_object("subnets"),
        "sidecars": sidecars,
    },
    pulumi.ResourceOptions(provider=elsewhere, transforms=[tagged]),
)
pulumi.export("service_arn", web.service_arn)
"""


def refused(ecs: EcsProject, run: Run, *said: str) -> None:
    """The update failed with these words, and AWS was asked for nothing."""
    assert run.code != 0, run.text
    errors = [message["message"] for message in run.messages if message["severity"] == "error"]
    telling = [error for error in errors if all(words in error for words in said)]
    assert telling, run.text
    # Elsewhere there may be one: the language host's, when the engine ends it.
    assert not any("Traceback" in error for error in telling), telling
    assert ecs.asked() == []


def test_only_what_is_signed_by_who_is_named_is_deployed(new_project: NewProject, aws: "Aws") -> None:
    ecs = EcsProject(new_project(GIVEN), aws)
    project, key = ecs.project, ecs.project.folder / "cosign.key"
    central = aws.client("ec2", region="eu-central-1").describe_subnets()["Subnets"]
    ecs.configure(subnets=json.dumps(sorted(each["SubnetId"] for each in central)[:2]))
    unsigned, theirs, ours = ecs.image("unsigned"), ecs.image("theirs", other_key(project)), ecs.image("ours", key)

    ecs.configure(image=unsigned)
    refused(ecs, project.up(), "/unsigned@sha256:", "not by this key: signature")
    ecs.configure(image=f"{project.registry}/ours:1")
    refused(
        ecs, project.preview(), "SecuredEcsService: the arguments aren't valid", "image: a digest reference is needed"
    )
    ecs.configure(image=ours, sidecar=unsigned)
    refused(ecs, project.up(), "/unsigned@sha256:", "not by this key: signature")

    ecs.configure(sidecar=ours)
    run = project.up()
    assert run.code == 0, run.text
    arn = project.stack_outputs()["service_arn"]
    assert arn.startswith(f"arn:aws:ecs:eu-central-1:{ACCOUNT}:service/")
    client = aws.client("ecs", region="eu-central-1")
    cluster = f"{arn.split('/')[1]}"
    [service] = client.describe_services(cluster=cluster, services=[arn], include=["TAGS"])["services"]
    assert service["tags"] == [{"key": "by", "value": "transform"}]
    task = client.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    assert [each["image"] for each in task["containerDefinitions"]] == [ours, ours]
    assert [each["name"] for each in task["containerDefinitions"]] == ["web", "proxy"]

    count = len(ecs.asked())
    ecs.configure(image=theirs)
    run = project.up()
    assert run.code != 0
    assert ecs.asked()[count:] == [], "the old version keeps running"

    ecs.configure(off="true")
    run = project.preview()
    assert run.code == 0, run.text
    assert "image: verifying is switched off" in run.text
    assert run.steps["web-service"] == "update"


def other_key(project: SecuredProject) -> Any:
    made = project.run("cosign", "generate-key-pair", "--output-key-prefix", "other", COSIGN_PASSWORD="test")
    assert made.returncode == 0, made.stderr
    return project.folder / "other.key"


YAML = """
name: trial
runtime: yaml
config:
  image: {type: string}
  database: {type: string}
resources:
  web:
    type: sc-secure:SecuredEcsService
    properties:
      image: ${image}
      verify: {key: cosign.pub}
      subnetIds: SUBNETS
      port: 8080
      cpu: 512
      memory: 1024
      environment: {MODE: plain}
      secrets: {PASSWORD: "${database}"}
      ingressCidrBlocks: [10.0.0.0/8]
      autoscaling: {minCapacity: 1, maxCapacity: 2, cpuTargetPercent: 60}
      sidecars: [{name: proxy, image: "${image}", memory: 128, essential: false}]
outputs:
  service_arn: ${web.serviceArn}
  task_role_name: ${web.taskRoleName}
  image: ${web.image}
"""


def test_from_yaml(new_project: NewProject, aws: "Aws", plugin: Path) -> None:
    ecs = EcsProject(new_project(), aws)
    project = ecs.project
    (project.folder / "__main__.py").unlink()
    project.write("Pulumi.yaml", YAML.replace("SUBNETS", json.dumps(ecs.subnets)))
    project.environment["PATH"] = f"{plugin}:{project.environment['PATH']}"
    secret = aws.client("secretsmanager").create_secret(Name="database", SecretString="p")["ARN"]
    ecs.configure(image=ecs.image("unsigned"), database=secret)
    refused(ecs, project.up(), "/unsigned@sha256:", "not by this key: signature")

    signed = ecs.image("signed", project.folder / "cosign.key")
    ecs.configure(image=signed)
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert outputs["image"] == signed
    assert ecs.service()["serviceArn"] == outputs["service_arn"]
    task = ecs.task_definition()
    assert (task["cpu"], task["memory"]) == ("512", "1024")
    main, proxy = task["containerDefinitions"]
    assert (main["image"], proxy["image"], proxy["memory"], proxy["essential"]) == (signed, signed, 128, False)
    assert main["secrets"] == [{"name": "PASSWORD", "valueFrom": secret}]
    assert ecs.policies(outputs["task_role_name"]) == {}
    assert set(project.up().steps.values()) == {"same"}
    ecs.configure(image=f"{project.registry}/signed:1")
    run = project.preview()
    assert run.code != 0
    assert "image: a digest reference is needed" in run.text, run.text
    assert "Traceback" not in run.text, run.text
