"""`EcrRepository`: a private ECR repository in which a tag stays with its image."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_aws as aws

from sc_secure.components._deployment import physical_name
from sc_secure.components._validate import InvalidArgs, validated
from sc_secure.components._wholes import now, once_known
from sc_secure.components.ecs.limits import arn_form, in_range, tag_problems
from sc_secure.components.ecs.policies import PULL_ACTIONS, policy_document

_COMPONENT = "EcrRepository"

MAX_REPOSITORY_NAME = 256
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"""

ATTACHMENT_TAGS = "sha256-*"
"""The tags under which attachments are listed, one for each image, where a registry or a tool doesn't use the referrers
API: the list under such a tag grows with each attachment, so it can't be immutable. No image is deployed by it."""

PUSH_ACTIONS = (
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html"""

_PRINCIPALS = ("push_principal_arns", "pull_principal_arns")

_NAME = re.compile(r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$")
_PRINCIPAL = re.compile(r"^(\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:(root|(role|user|assumed-role)/.+))$")


class EcrRepositoryArgs(TypedDict):
    """The arguments of `EcrRepository`."""

    repository_name: NotRequired[str]
    """The repository's name. Made from the component's when not said."""
    immutable_tags: NotRequired[bool]
    """A tag can't be moved to another image. On when not said."""
    scan_on_push: NotRequired[bool]
    """ECR scans what is pushed. Off when not said: `SecuredImage` scans."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """The KMS key that images are encrypted with. ECR's own when not given. A change makes a new repository."""
    untagged_expiry_days: NotRequired[int]
    """What has no tag goes after so many days. Stays when not said. Only with immutable tags."""
    push_principal_arns: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Who may push and pull besides this account's own policies: ARNs of roles or users, or accounts."""
    pull_principal_arns: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Who may pull besides this account's own policies: ARNs of roles or users, or accounts."""
    force_delete: NotRequired[bool]
    """Destroying takes away a repository that has images. Off when not said."""
    tags: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """The repository's tags."""


class EcrRepository(pulumi.ComponentResource):
    """A private ECR repository for `SecuredImage`: tags are immutable, and nothing in it expires unless it is said."""

    repository_url: pulumi.Output[str]
    """The repository, as an image's name without a tag begins."""
    repository_arn: pulumi.Output[str]
    """The repository's ARN."""
    repository_name: pulumi.Output[str]
    """The repository's name in its registry."""
    registry_server: pulumi.Output[str]
    """The registry's host name."""

    def __init__(self, name: str, args: EcrRepositoryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = _wholes(validated(_COMPONENT, EcrRepositoryArgs, args))
        problems = list(_problems(name, given))
        if problems:
            raise InvalidArgs(_COMPONENT, problems)
        super().__init__("sc-secure:index:EcrRepository", name, {}, opts)
        # Only the options of this very component: Pulumi hands on the others from the parent.
        child_opts = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None)
        repository = _repository(name, given, child_opts)
        if "untagged_expiry_days" in given:
            aws.ecr.LifecyclePolicy(
                f"{name}-lifecycle",
                repository=repository.name,
                policy=_lifecycle(given["untagged_expiry_days"]),
                opts=child_opts,
            )
        if given.get("push_principal_arns") or given.get("pull_principal_arns"):
            aws.ecr.RepositoryPolicy(
                f"{name}-access", repository=repository.name, policy=_access(given), opts=child_opts
            )
        self.repository_url = repository.repository_url
        self.repository_arn = repository.arn
        self.repository_name = repository.name
        self.registry_server = repository.repository_url.apply(lambda url: url.split("/", 1)[0])
        self.register_outputs(
            {
                "repositoryUrl": self.repository_url,
                "repositoryArn": self.repository_arn,
                "repositoryName": self.repository_name,
                "registryServer": self.registry_server,
            }
        )


def _repository(name: str, given: EcrRepositoryArgs, opts: pulumi.ResourceOptions) -> aws.ecr.Repository:
    logical = f"{name}-repository"
    key = given.get("kms_key_arn")
    immutable = given.get("immutable_tags", True)
    filters = [aws.ecr.RepositoryImageTagMutabilityExclusionFilterArgs(filter=ATTACHMENT_TAGS, filter_type="WILDCARD")]
    return aws.ecr.Repository(
        logical,
        name=given.get("repository_name") or physical_name(logical.lower(), MAX_REPOSITORY_NAME),
        image_tag_mutability="IMMUTABLE_WITH_EXCLUSION" if immutable else "MUTABLE",
        image_tag_mutability_exclusion_filters=filters if immutable else None,
        image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(
            scan_on_push=given.get("scan_on_push", False)
        ),
        encryption_configurations=[aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=key)]
        if key is not None
        else None,
        force_delete=given.get("force_delete", False),
        tags=given.get("tags"),
        opts=opts,
    )


def _lifecycle(days: int) -> str:
    """A tagged image, and what is part of one, is never among what has no tag: see `docs/ecs.md` for signatures."""
    rule = {
        "rulePriority": 1,
        "description": f"What has had no tag for {days} days",
        "selection": {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": days,
        },
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]}, sort_keys=True)


def _access(given: EcrRepositoryArgs) -> pulumi.Output[str]:
    """Who may push, and who may pull. Who pushes reads as well: to scan and sign, and to read back what was written."""
    everyone = pulumi.Output.all(push=given.get("push_principal_arns", []), pull=given.get("pull_principal_arns", []))

    def document(principals: dict[str, list[str]]) -> str:
        statements = [
            _statement("Push", principals["push"], (*PULL_ACTIONS, *PUSH_ACTIONS)),
            _statement("Pull", principals["pull"], PULL_ACTIONS),
        ]
        named = [each for each in statements if each["Principal"]["AWS"]]
        if not named:
            reason = "is an output that names nobody: a policy for nobody can't be made, so leave the argument out"
            raise InvalidArgs(_COMPONENT, [(key, reason) for key in _PRINCIPALS if key in given])
        return policy_document(named)

    return everyone.apply(document)


def _statement(sid: str, principals: list[str], actions: tuple[str, ...]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": sorted(principals)}, "Action": sorted(actions)}


def _problems(name: str, given: EcrRepositoryArgs) -> Iterator[tuple[str, str]]:
    repository, path = (
        given.get("repository_name", name.lower()),
        "repository_name" if "repository_name" in given else "",
    )
    if not _NAME.match(repository) or not 2 <= len(repository) <= MAX_REPOSITORY_NAME:  # noqa: PLR2004 - ECR's
        yield path, "a repository's name has 2 to 256 small letters, digits, and single . _ - or / between them"
    if "untagged_expiry_days" in given and not given.get("immutable_tags", True):
        reason = "only with immutable_tags: where tags can be moved, an image that still runs may have none"
        yield "untagged_expiry_days", reason
    yield from in_range("untagged_expiry_days", given.get("untagged_expiry_days"), 1, 36500)
    yield from arn_form("kms_key_arn", given.get("kms_key_arn"), "kms", "key/", "a KMS key's")
    for key in _PRINCIPALS:
        yield from _principal_problems(key, now(given.get(key), ()))
    yield from tag_problems(now(given.get("tags"), {}))


def _principal_problems(key: str, principals: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for index, principal in enumerate(principals):
        if isinstance(principal, str) and not _PRINCIPAL.match(principal):
            yield f"{key}[{index}]", "a role's or user's ARN, or an account's 12 digits; nothing for everybody"


def _wholes(given: EcrRepositoryArgs) -> EcrRepositoryArgs:
    """The arguments, of which a whole that is an output fails where it turns out that it won't do."""
    checks: dict[str, Any] = {key: partial(_principal_problems, key) for key in _PRINCIPALS} | {"tags": tag_problems}
    checked: dict[str, Any] = {**given}
    checked |= {key: once_known(_COMPONENT, checked[key], check) for key, check in checks.items() if key in given}
    return cast(EcrRepositoryArgs, checked)
