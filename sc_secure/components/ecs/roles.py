"""The execution role, with which ECS starts the task, and the task role, which the application has."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from sc_secure.components._deployment import physical_name
from sc_secure.components._memory import assumed_in_preview, recorded_outputs
from sc_secure.components._wholes import made_of
from sc_secure.components.ecs.args import SecuredEcsServiceArgs
from sc_secure.components.ecs.arns import must_parse
from sc_secure.components.ecs.containers import Container
from sc_secure.components.ecs.policies import (
    execute_command_policy,
    execution_policy,
    image_repositories,
    pulled_repositories,
    trust_policy,
)

_ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
MAX_ROLE_NAME, MAX_POLICY_NAME = 64, 128
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


@dataclass(frozen=True)
class Roles:
    """The service's roles, made or given."""

    execution_arn: pulumi.Output[str]
    task_arn: pulumi.Output[str]
    task_name: pulumi.Output[str]
    rights: tuple[pulumi.Resource, ...]
    """The policies that must be there before a task starts."""


class RoleFactory:
    """Makes the roles that aren't given."""

    def __init__(
        self, name: str, given: SecuredEcsServiceArgs, cluster_arn: pulumi.Output[str], opts: pulumi.ResourceOptions
    ) -> None:
        self._name = name
        self._given = given
        self._trust = cluster_arn.apply(trust_policy)
        self._opts = opts

    def roles(
        self, containers: Sequence[Container], images: Sequence[pulumi.Output[str]], log_group_arn: pulumi.Output[str]
    ) -> Roles:
        """Both roles.

        Args:
            containers: the task's containers.
            images: their images, once they have passed.
            log_group_arn: where they log to.
        """
        rights: list[pulumi.Resource] = []
        if "execution_role_arn" in self._given:
            execution_arn = pulumi.Output.from_input(self._given["execution_role_arn"])
        else:
            role = self._role("execution-role")
            repositories = self._given.get("ecr_repository_arns")
            pulled = self._repositories(images) if repositories is None else repositories
            policy = pulumi.Output.all(
                repositories=pulled,
                log_group=log_group_arn,
                secrets=_secrets(containers),
                keys=self._given.get("secrets_kms_key_arns", []),
            ).apply(_execution_policy)
            rights.append(self._policy("execution-policy", role, policy))
            execution_arn = role.arn
        if "task_role_arn" in self._given:
            task_arn = pulumi.Output.from_input(self._given["task_role_arn"])
            return Roles(execution_arn, task_arn, task_arn.apply(_role_name), tuple(rights))
        role = self._role("task-role")
        if self._given.get("enable_execute_command", False):
            rights.append(self._policy("execute-command-policy", role, execute_command_policy()))
        return Roles(execution_arn, role.arn, role.name, tuple(rights))

    def _repositories(self, images: Sequence[pulumi.Output[str]]) -> pulumi.Output[list[str]]:
        """The images' ECR repositories.

        A preview that doesn't know a new image's digest takes those of the last update: the policy would show as
        changing with each new version.
        """

        async def last() -> list[str] | None:
            component = cast(pulumi.Resource, self._opts.parent)
            policy = await recorded_outputs(component, _ROLE_POLICY, f"{self._name}-execution-policy")
            return pulled_repositories(policy["policy"]) if isinstance(policy.get("policy"), str) else None

        return assumed_in_preview(pulumi.Output.all(*images).apply(image_repositories), last)

    def _role(self, suffix: str) -> aws.iam.Role:
        logical = f"{self._name}-{suffix}"
        return aws.iam.Role(
            logical,
            name=physical_name(logical, MAX_ROLE_NAME),
            assume_role_policy=self._trust,
            permissions_boundary=self._given.get("permissions_boundary_arn"),
            tags=self._given.get("tags"),
            opts=self._opts,
        )

    def _policy(self, suffix: str, role: aws.iam.Role, policy: pulumi.Input[str]) -> aws.iam.RolePolicy:
        logical = f"{self._name}-{suffix}"
        return aws.iam.RolePolicy(
            logical, name=physical_name(logical, MAX_POLICY_NAME), role=role.name, policy=policy, opts=self._opts
        )


def _execution_policy(known: dict[str, Any]) -> str:
    secrets = itertools.chain.from_iterable(cast(list[list[str]], known["secrets"]))
    return execution_policy(known["repositories"], known["log_group"], secrets, known["keys"])


def _secrets(containers: Sequence[Container]) -> list[Any]:
    """What each container's secrets come from, and the private registries' credentials."""
    credentials = [
        each.args["registry_credentials_arn"] for each in containers if "registry_credentials_arn" in each.args
    ]
    return [made_of(each.args.get("secrets", {}), _values) for each in containers] + [credentials]


def _values(secrets: Mapping[str, Any]) -> list[Any]:
    return list(secrets.values())


def _role_name(arn: str) -> str:
    """A role's name, which is behind its path."""
    return must_parse(arn, "task_role_arn").resource.rsplit("/", 1)[-1]
