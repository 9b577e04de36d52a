"""The policy documents of the two roles: exactly the rights that the task needs, as stable JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sc_secure.components.ecs.arns import Arn, bare_log_group_arn, ecr_repository_arn, must_parse, secret_arn

PULL_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/ECR_on_ECS.html"""

_PULL = "PullImages"
_SECRETS_MANAGER, _PARAMETER_STORE = "secretsmanager", "ssm"


def trust_policy(cluster_arn: str) -> str:
    """Who may take on a role: ECS, and only for this account's tasks in the cluster's region.

    ECS is a service of all of AWS's customers: without the condition, another account's task could be given the role.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_service-with-iam.html
    """
    cluster = must_parse(cluster_arn, "cluster_arn")
    everything = f"arn:{cluster.partition}:ecs:{cluster.region}:{cluster.account}:*"
    statement = {
        "Sid": "EcsTasks",
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "ArnLike": {"aws:SourceArn": everything},
            "StringEquals": {"aws:SourceAccount": cluster.account},
        },
    }
    return policy_document([statement])


def image_repositories(images: Iterable[str]) -> list[str]:
    """The ARNs of the images' ECR repositories; those that are elsewhere need no rights."""
    return [arn for image in images if (arn := ecr_repository_arn(image)) is not None]


def pulled_repositories(execution: str) -> list[str]:
    """The repositories that an execution policy lets pull from."""
    statements: list[dict[str, Any]] = json.loads(execution)["Statement"]
    return [arn for statement in statements if statement.get("Sid") == _PULL for arn in statement["Resource"]]


def execution_policy(repositories: Iterable[str], log_group: str, secrets: Iterable[str], keys: Iterable[str]) -> str:
    """What ECS needs to start the task.

    Args:
        repositories: the ARNs of the ECR repositories that images are pulled from.
        log_group: the log group's ARN.
        secrets: what the containers' secrets come from, and the private registries' credentials.
        keys: the ARNs of the KMS keys that the secrets are encrypted with.

    Raises:
        pulumi.RunError: a secret or a key isn't named by its ARN.
    """
    pulled = sorted(set(repositories))
    read = {secret_arn(value): must_parse(value, "secrets") for value in secrets}
    opened = {key: must_parse(key, "secrets_kms_key_arns") for key in keys}
    by_service = {
        service: sorted(arn for arn, parts in read.items() if parts.service == service)
        for service in (_SECRETS_MANAGER, _PARAMETER_STORE)
    }
    # GetAuthorizationToken takes no resource.
    statements = [
        _allow("RegistryToken", ["ecr:GetAuthorizationToken"], ["*"] if pulled else []),
        _allow(_PULL, list(PULL_ACTIONS), pulled),
        _allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [_log_streams(log_group)]),
        _allow("ReadSecrets", ["secretsmanager:GetSecretValue"], by_service[_SECRETS_MANAGER]),
        _allow("ReadParameters", ["ssm:GetParameters"], by_service[_PARAMETER_STORE]),
        _allow("DecryptSecrets", ["kms:Decrypt"], sorted(opened), _only_by(by_service, opened.values())),
    ]
    return policy_document([statement for statement in statements if statement["Resource"]])


def execute_command_policy() -> str:
    """What ECS Exec's agent in the containers needs; none of the actions takes a resource.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    channels = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
    return policy_document([_allow("ExecuteCommand", [f"ssmmessages:{channel}" for channel in channels], ["*"])])


def policy_document(statements: list[dict[str, Any]]) -> str:
    """A policy of these statements, as JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, sort_keys=True)


def _allow(
    sid: str, actions: list[str], resources: Sequence[str], condition: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": list(resources)}
    return statement | ({"Condition": condition} if condition else {})


def _log_streams(log_group: str) -> str:
    return f"{bare_log_group_arn(log_group)}:log-stream:*"


def _only_by(read: Mapping[str, Sequence[str]], keys: Iterable[Arn]) -> dict[str, Any]:
    """The condition that a key opens only what is read through the services that keep the secrets."""
    services = [service for service, arns in read.items() if arns]
    hosts = {f"{service}.{key.region}.{suffix}" for service in services for key in keys for suffix in _suffixes(key)}
    return {"StringEquals": {"kms:ViaService": sorted(hosts)}}


def _suffixes(key: Arn) -> tuple[str, ...]:
    """China's services are known by both names."""
    return ("amazonaws.com", "amazonaws.com.cn") if key.partition == "aws-cn" else ("amazonaws.com",)
