"""`EcrRepository`: tags stay with their images, and nothing goes that isn't said to go."""

import json
from typing import Any

import pulumi
import pytest

from sc_secure import EcrRepository, SecuredImage
from tests.components.aws_mocked import ACCOUNT, REGION, AwsMocks, later, statements
from tests.components.mocked import run

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/one"
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PUSH = ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]


def declared(name: str = "images", **args: Any) -> dict[str, dict[str, Any]]:
    recorder = AwsMocks()
    run(lambda: EcrRepository(name, args).repository_url, recorder)  # type: ignore[arg-type]
    return recorder.declared()


def test_by_default() -> None:
    assert declared() == {
        "Repository images-repository": {
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filter": "sha256-*", "filterType": "WILDCARD"}],
            "imageScanningConfiguration": {"scanOnPush": False},
            "forceDelete": False,
        }
    }


def test_everything_said() -> None:
    made = declared(
        repository_name="team/app",
        immutable_tags=False,
        scan_on_push=True,
        kms_key_arn=KEY,
        force_delete=True,
        tags={"team": "a"},
    )
    assert made == {
        "Repository images-repository": {
            "name": "team/app",
            "imageTagMutability": "MUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY}],
            "forceDelete": True,
            "tags": {"team": "a"},
        }
    }


def test_what_has_no_tag_goes_only_when_it_is_said() -> None:
    made = declared(untagged_expiry_days=14.0)["LifecyclePolicy images-lifecycle"]
    assert made["repository"] == "images-repository-1a2b3c4"
    [rule] = json.loads(made["policy"])["rules"]
    assert rule["selection"] == {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 14,
    }
    assert rule["action"] == {"type": "expire"}


def test_who_may_push_and_pull() -> None:
    made = declared(push_principal_arns=[later(ROLE)], pull_principal_arns=["210987654321", ROLE])
    policy = statements(made["RepositoryPolicy images-access"]["policy"])
    assert policy == {
        "Push": {"Effect": "Allow", "Principal": {"AWS": [ROLE]}, "Action": sorted(PULL + PUSH)},
        "Pull": {"Effect": "Allow", "Principal": {"AWS": ["210987654321", ROLE]}, "Action": PULL},
    }
    only_pull = statements(declared(pull_principal_arns=[ROLE])["RepositoryPolicy images-access"]["policy"])
    assert set(only_pull) == {"Pull"}


def test_outputs_plug_into_a_secured_image() -> None:
    recorder = AwsMocks()

    def program() -> pulumi.Output[Any]:
        repository = EcrRepository("images", {"repository_name": "team/app"})
        tagged = repository.repository_url.apply(lambda url: f"{url}:1")
        SecuredImage("app", {"image_name": tagged, "build": {"context": "app"}})
        outputs = ("repository_url", "repository_arn", "repository_name", "registry_server")
        return pulumi.Output.all(*[getattr(repository, output) for output in outputs])

    server = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app"
    assert run(program, recorder) == [f"{server}/team/app", arn, "team/app", server]
    image = recorder.resources["docker:index/image:Image::app-image"][1]
    assert image["imageName"] == f"{server}/team/app:1"
    assert "registry" not in image


def test_a_long_name_is_shortened() -> None:
    name = declared(name="a" * 250)[f"Repository {'a' * 250}-repository"]["name"]
    assert len(name) == 256


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"repository_name": "Team/App"}, "repository_name: a repository's name has 2 to 256 small letters"),
        ({"repository_name": "a"}, "repository_name: a repository's name has"),
        ({"repository_name": "a//b"}, "repository_name: a repository's name has"),
        ({"immutable_tags": False, "untagged_expiry_days": 14}, "untagged_expiry_days: only with immutable_tags"),
        ({"untagged_expiry_days": 0}, "untagged_expiry_days: between 1 and"),
        ({"kms_key_arn": "alias/k"}, "kms_key_arn: a KMS key's ARN is needed"),
        ({"pull_principal_arns": ["*"]}, "pull_principal_arns[0]: a role's or user's ARN, or an account's 12 digits"),
        ({"push_principal_arns": ["deployer"]}, "push_principal_arns[0]: a role's or user's ARN"),
        ({"tags": {"aws:a": "b"}}, "tags.aws:a: a tag's name"),
        ({"scan_on_push": "yes"}, "scan_on_push: a boolean is expected"),
        ({"mutable": True}, "mutable: unknown argument"),
    ],
)
def test_refused_before_anything_is_registered(args: dict[str, Any], said: str) -> None:
    recorder = AwsMocks()
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: EcrRepository("images", args).urn, recorder)  # type: ignore[arg-type]
    assert said in str(raised.value)
    assert recorder.resources == {}
