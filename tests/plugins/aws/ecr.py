"""ECR repositories and their policies.

ECR's registry itself can't be had here. With SC_SECURE_TEST_ECR=host:port, that registry stands for it: `repositoryUrl`
is `host:port/<name>`, and images are really pushed there.
"""

import os
from typing import Any, ClassVar

import tagging
import validation
from cloud import AwsResource, asked, picked
from policies import same_json, same_policy, valid_json, valid_policy
from properties import Properties
from resources import AutoName, Operation

# docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
_NAME = r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*"


_SCANNING = "imageScanningConfiguration"
_MUTABILITY = {
    "imageTagMutability": "imageTagMutability",
    "imageTagMutabilityExclusionFilters": "imageTagMutabilityExclusionFilters",
}


class Repository(AwsResource):
    token = "aws:ecr/repository:Repository"
    service = "ecr"
    what = "ECR Repository"
    gone = frozenset({"RepositoryNotFoundException"})
    tagging = tagging.ECR
    autoname = AutoName(255, lower=True)
    computed = frozenset({"region"})
    replace_on = frozenset({"name", "encryptionConfigurations"})
    validations: ClassVar = {
        "imageTagMutability": validation.one_of(
            "MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"
        ),
        "name": validation.name(_NAME, 256, "must follow the ECR repository name requirements"),
    }

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, repositoryName="name", **_MUTABILITY, imageScanningConfiguration=_SCANNING)
        for encryption in inputs.get("encryptionConfigurations", []):
            request["encryptionConfiguration"] = {"encryptionType": "AES256"} | encryption
        return api.create_repository(**request, **tagging.ECR.asked(inputs))["repository"]["repositoryName"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_repositories(repositoryNames=[name])["repositories"][0]
        seen = picked(found, arn="repositoryArn", name="repositoryName", registryId="registryId")
        seen |= picked(found, imageTagMutability="imageTagMutability", imageScanningConfiguration=_SCANNING)
        seen["encryptionConfigurations"] = [found.get("encryptionConfiguration", {"encryptionType": "AES256"})]
        registry = os.environ.get("SC_SECURE_TEST_ECR")
        seen["repositoryUrl"] = f"{registry}/{name}" if registry else found["repositoryUri"]
        tags = api.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
        return state | seen | tagging.ECR.seen(tags)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        if (mutability := asked({"imageTagMutability": "MUTABLE"} | news, **_MUTABILITY)) != asked(olds, **_MUTABILITY):
            api.put_image_tag_mutability(repositoryName=name, **mutability)
        scanning = news.get(_SCANNING, {"scanOnPush": False})
        if scanning != olds.get(_SCANNING):
            api.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration=scanning)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_repository(repositoryName=name, force=bool(state.get("forceDelete")))


class LifecyclePolicy(AwsResource):
    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    service = "ecr"
    what = "ECR Lifecycle Policy"
    gone = frozenset({"LifecyclePolicyNotFoundException", "RepositoryNotFoundException"})
    computed = frozenset({"region"})
    replace_on = frozenset({"policy", "repository"})
    documents: ClassVar = {"policy": same_json}
    validations: ClassVar = {"policy": valid_json}

    def deletes_first(self, news: Properties) -> bool:
        return True  # a repository has one

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        api.put_lifecycle_policy(repositoryName=inputs["repository"], lifecyclePolicyText=inputs["policy"])
        return inputs["repository"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.get_lifecycle_policy(repositoryName=name)
        return picked(found, policy="lifecyclePolicyText", registryId="registryId", repository="repositoryName")

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_lifecycle_policy(repositoryName=name)


class RepositoryPolicy(AwsResource):
    token = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    service = "ecr"
    what = "ECR Repository Policy"
    gone = frozenset({"RepositoryPolicyNotFoundException", "RepositoryNotFoundException"})
    computed = frozenset({"region"})
    replace_on = frozenset({"repository"})
    documents: ClassVar = {"policy": same_policy}
    validations: ClassVar = {"policy": valid_policy}

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        self.change(api, inputs["repository"], {}, inputs)
        return inputs["repository"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.get_repository_policy(repositoryName=name)
        return picked(found, policy="policyText", registryId="registryId", repository="repositoryName")

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        api.set_repository_policy(repositoryName=name, policyText=news["policy"])

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_repository_policy(repositoryName=name)
