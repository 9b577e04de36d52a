"""The roles' policies: exactly the rights that the task needs."""

from typing import Any

import pulumi
import pytest

from sc_secure.components.ecs.arns import ecr_repository_arn
from tests.components.aws_mocked import ACCOUNT, IMAGE, REGION, declared, later, statements
from tests.components.mocked import DIGEST, REFERENCE

SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:database-AbCdEf"
PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/web/token"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/one"
LOGS = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:web-logs-1a2b3c4:log-stream:*"],
}


def execution(**changes: Any) -> dict[str, dict[str, Any]]:
    return statements(declared(**changes)["RolePolicy web-execution-policy"]["policy"])


def allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def pull(*repositories: str) -> dict[str, dict[str, Any]]:
    arns = [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{repository}" for repository in repositories]
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return {"RegistryToken": allow(["ecr:GetAuthorizationToken"], ["*"]), "PullImages": allow(actions, arns)}


def test_an_image_in_ecr_may_be_pulled_from_its_repository_only() -> None:
    assert execution() == {**pull("team/app"), "WriteLogs": LOGS}


def test_an_image_elsewhere_needs_no_right() -> None:
    assert execution(image=REFERENCE) == {"WriteLogs": LOGS}


def test_each_containers_repository() -> None:
    sidecars = [{"name": name, "image": IMAGE.replace("team/app", f"team/{name}")} for name in ("proxy", "agent")]
    assert execution(sidecars=sidecars) == {**pull("team/agent", "team/app", "team/proxy"), "WriteLogs": LOGS}


def test_repositories_that_are_named() -> None:
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/named"
    assert execution(ecr_repository_arns=[later(arn), arn]) == {**pull("named"), "WriteLogs": LOGS}


def test_exactly_the_secrets_named() -> None:
    other = SECRET.replace("database", "mirror")
    got = execution(
        secrets={"A": f"{SECRET}:password:AWSCURRENT:", "B": later(SECRET), "C": PARAMETER},
        sidecars=[{"name": "proxy", "image": IMAGE, "registry_credentials_arn": other}],
        secrets_kms_key_arns=[later(KEY), KEY.replace("one", "another")],
    )
    assert got["ReadSecrets"] == allow(["secretsmanager:GetSecretValue"], [SECRET, other])
    assert got["ReadParameters"] == allow(["ssm:GetParameters"], [PARAMETER])
    assert got["DecryptSecrets"] == {
        **allow(["kms:Decrypt"], [KEY.replace("one", "another"), KEY]),
        "Condition": {
            "StringEquals": {
                "kms:ViaService": [f"secretsmanager.{REGION}.amazonaws.com", f"ssm.{REGION}.amazonaws.com"]
            }
        },
    }
    assert set(got) == {"RegistryToken", "PullImages", "WriteLogs", "ReadSecrets", "ReadParameters", "DecryptSecrets"}


def test_a_key_opens_only_what_is_read_through_the_services_in_use() -> None:
    got = execution(secrets={"C": PARAMETER}, secrets_kms_key_arns=[KEY])
    assert got["DecryptSecrets"]["Condition"] == {"StringEquals": {"kms:ViaService": [f"ssm.{REGION}.amazonaws.com"]}}
    china = KEY.replace("aws:kms", "aws-cn:kms").replace(REGION, "cn-north-1")
    got = execution(secrets={"C": PARAMETER}, secrets_kms_key_arns=[china])
    hosts = ["ssm.cn-north-1.amazonaws.com", "ssm.cn-north-1.amazonaws.com.cn"]
    assert got["DecryptSecrets"]["Condition"] == {"StringEquals": {"kms:ViaService": hosts}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"secrets": {"A": later("database")}}, "secrets: an ARN is needed"),
        ({"secrets": {"A": SECRET}, "secrets_kms_key_arns": [later("alias/mine")]}, "secrets_kms_key_arns: an ARN"),
        ({"cluster_arn": later("shared")}, "cluster_arn: an ARN is needed"),
    ],
)
def test_no_right_is_given_to_what_turns_out_to_be_no_arn(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(pulumi.RunError, match=said):
        declared(**changes)


@pytest.mark.parametrize(
    ("cluster", "everything"),
    [
        (f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/a", f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"),
        ("arn:aws-cn:ecs:cn-north-1:210987654321:cluster/a", "arn:aws-cn:ecs:cn-north-1:210987654321:*"),
    ],
)
def test_only_ecs_takes_on_the_roles_and_only_for_this_account(cluster: str, everything: str) -> None:
    made = declared(cluster_arn=cluster)
    for role in ("execution", "task"):
        assert statements(made[f"Role web-{role}-role"]["assumeRolePolicy"]) == {
            "EcsTasks": {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "ArnLike": {"aws:SourceArn": everything},
                    "StringEquals": {"aws:SourceAccount": everything.split(":")[4]},
                },
            }
        }


def test_the_task_has_no_rights_but_those_of_execute_command() -> None:
    assert [name for name in declared() if name.startswith("RolePolicy")] == ["RolePolicy web-execution-policy"]
    policy = declared(enable_execute_command=True)["RolePolicy web-execute-command-policy"]
    actions = [f"ssmmessages:{what}Channel" for what in ("CreateControl", "CreateData", "OpenControl", "OpenData")]
    assert statements(policy["policy"]) == {"ExecuteCommand": allow(actions, ["*"])}


def test_a_permissions_boundary_bounds_both_roles() -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    made = declared(permissions_boundary_arn=boundary)
    assert {made[f"Role web-{role}-role"]["permissionsBoundary"] for role in ("execution", "task")} == {boundary}


@pytest.mark.parametrize(
    ("host", "repository"),
    [
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "arn:aws:ecr:eu-central-1:123456789012:repository/a/b"),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "arn:aws:ecr:us-east-1:123456789012:repository/a/b"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "arn:aws:ecr:eu-west-1:123456789012:repository/a/b"),
        ("123456789012.dkr-ecr-fips.us-west-2.on.aws", "arn:aws:ecr:us-west-2:123456789012:repository/a/b"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "arn:aws-cn:ecr:cn-north-1:123456789012:repository/a/b"),
        (
            "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com",
            "arn:aws-us-gov:ecr:us-gov-west-1:123456789012:repository/a/b",
        ),
        ("public.ecr.aws", None),
        ("registry.example", None),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com.example", None),
        ("x123456789012.dkr.ecr.eu-central-1.amazonaws.com", None),
    ],
)
def test_the_repository_in_an_images_reference(host: str, repository: str | None) -> None:
    assert ecr_repository_arn(f"{host}/a/b@{DIGEST}") == repository
