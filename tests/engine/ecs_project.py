"""A project with a `SecuredEcsService` on the real engine, and what of it is in AWS."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.engine.secured_project import SecuredProject
from tests.images import CLEAN, push_image

if TYPE_CHECKING:
    from tests.clouds.aws import Aws


@dataclass
class EcsProject:
    """The project, the images in its registry, and AWS."""

    project: SecuredProject
    aws: "Aws"

    def __post_init__(self) -> None:
        self.project.environment |= self.aws.environment
        subnets = self.aws.client("ec2").describe_subnets()["Subnets"]
        self.subnets = sorted(each["SubnetId"] for each in subnets)[:2]
        self.vpc = subnets[0]["VpcId"]
        self.configure(subnets=json.dumps(self.subnets))

    def configure(self, **values: str) -> None:
        """Sets several values at once: each call of the CLI takes half a second."""
        pairs = [word for key, value in values.items() for word in ("--plaintext", f"{key}={value}")]
        done = self.project.run("pulumi", "config", "set-all", *pairs, "--stack", "dev", "--non-interactive")
        assert done.returncode == 0, done.stderr

    def service(self) -> dict[str, Any]:
        """The only service there is, as ECS describes it."""
        ecs = self.aws.client("ecs")
        [cluster] = ecs.list_clusters()["clusterArns"]
        [name] = ecs.list_services(cluster=cluster)["serviceArns"]
        return ecs.describe_services(cluster=cluster, services=[name], include=["TAGS"])["services"][0]

    def task_definition(self) -> dict[str, Any]:
        """The task definition that the service runs."""
        ecs = self.aws.client("ecs")
        return ecs.describe_task_definition(taskDefinition=self.service()["taskDefinition"])["taskDefinition"]

    def policies(self, role_arn: str) -> dict[str, dict[str, Any]]:
        """A role's inline policies: each statement's id -> the statement."""
        iam, role = self.aws.client("iam"), role_arn.rsplit("/", 1)[-1]
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        return {each["Sid"]: each for document in documents for each in document["Statement"]}

    def asked(self) -> list[tuple[str, str]]:
        """What AWS was asked to make or to change: service and action; not of what tests make."""
        reads = ("Describe", "List", "Get")
        asked = [(each.service, each.action) for each in self.aws.requests()]
        return [each for each in asked if not each[1].startswith(reads) and each[0] != "secretsmanager"]

    def image(self, name: str, key: Path | None = None) -> str:
        """Pushes a small image, and signs it with a key if one is given; its reference by digest."""
        project = self.project
        reference = push_image(project.environment, project.folder, f"{project.registry}/{name}", CLEAN)
        if key is not None:
            command = ["sc-secure", "image", "sign", "--image", reference, "--key", str(key), "--no-transparency-log"]
            signed = project.run(*command, COSIGN_PASSWORD="test")
            assert signed.returncode == 0, signed.stderr
        return reference
