"""Secrets and their versions, and parameters of Systems Manager."""

import base64
from typing import Any, ClassVar

import tagging
import validation
from cloud import AwsResource, Gone, asked, picked
from policies import same_policy
from properties import Properties
from resources import AutoName, Operation

_CURRENT = "AWSCURRENT"


class Secret(AwsResource):
    token = "aws:secretsmanager/secret:Secret"
    service = "secretsmanager"
    what = "Secrets Manager Secret"
    gone = frozenset({"ResourceNotFoundException"})
    tagging = tagging.SECRETS
    autoname = AutoName(255)
    computed = frozenset({"namePrefix", "policy", "region", "replicas"})
    replace_on = frozenset({"name"})
    documents: ClassVar = {"policy": same_policy}
    supported = frozenset({"description", "kmsKeyId", "name", "policy", "recoveryWindowInDays"})
    validations: ClassVar = {"name": validation.name(r"[\w/+=.@-]+", 512, "letters, numbers and /_+=.@-")}

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, Name="name", Description="description", KmsKeyId="kmsKeyId")
        made = api.create_secret(**request, **tagging.SECRETS.asked(inputs))["ARN"]
        if "policy" in inputs:
            api.put_resource_policy(SecretId=made, ResourcePolicy=inputs["policy"])
        return made

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_secret(SecretId=name)
        if found.get("DeletedDate"):
            raise Gone
        seen = picked(found, arn="ARN", description="Description", kmsKeyId="KmsKeyId", name="Name")
        seen["policy"] = api.get_resource_policy(SecretId=name).get("ResourcePolicy")
        defaults = {"recoveryWindowInDays": 30, "forceOverwriteReplicaSecret": False}
        return defaults | state | seen | tagging.SECRETS.seen(found.get("Tags"))

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        changed = {key for key in ("description", "kmsKeyId") if olds.get(key) != news.get(key)}
        if changed:
            request = {"Description": news.get("description", "")} | asked(news, KmsKeyId="kmsKeyId")
            api.update_secret(SecretId=name, **request)
        if "policy" in news:
            api.put_resource_policy(SecretId=name, ResourcePolicy=news["policy"])

    def remove(self, api: Any, name: str, state: Properties) -> None:
        days = state.get("recoveryWindowInDays", 30)
        request = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        api.delete_secret(SecretId=name, **request)


class SecretVersion(AwsResource):
    token = "aws:secretsmanager/secretVersion:SecretVersion"
    service = "secretsmanager"
    what = "Secrets Manager Secret Version"
    gone = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
    computed = frozenset({"region", "versionStages"})
    replace_on = frozenset({"secretId", "secretString", "secretBinary"})
    sets = frozenset({"versionStages"})
    supported = frozenset({"secretId", "secretString", "secretBinary", "versionStages"})

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, SecretId="secretId", SecretString="secretString", VersionStages="versionStages")
        if "secretBinary" in inputs:
            request["SecretBinary"] = base64.b64decode(inputs["secretBinary"])
        return f"{inputs['secretId']}|{api.put_secret_value(**request)['VersionId']}"

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        secret, _, version = name.partition("|")
        found = api.get_secret_value(SecretId=secret, VersionId=version)
        seen = picked(found, arn="ARN", secretArn="ARN", secretString="SecretString", versionId="VersionId")
        return seen | {"versionStages": found["VersionStages"], "secretId": secret}

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        secret, _, version = name.partition("|")
        for stage in set(news.get("versionStages", [])) - set(olds.get("versionStages", [])):
            api.update_secret_version_stage(SecretId=secret, VersionStage=stage, MoveToVersionId=version)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        # A version can't be deleted: the official provider takes its stages away, but for the current one.
        secret, _, version = name.partition("|")
        for stage in state.get("versionStages", []):
            if stage != _CURRENT:
                api.update_secret_version_stage(SecretId=secret, VersionStage=stage, RemoveFromVersionId=version)


class Parameter(AwsResource):
    token = "aws:ssm/parameter:Parameter"
    service = "ssm"
    what = "SSM Parameter"
    gone = frozenset({"ParameterNotFound"})
    tagging = tagging.SSM
    autoname = AutoName(255)
    computed = frozenset({"arn", "dataType", "insecureValue", "keyId", "region", "tier", "value"})
    replace_on = frozenset({"dataType", "name"})
    unsettled: ClassVar = {"version": frozenset({"value", "insecureValue"})}
    supported = frozenset(
        {
            "allowedPattern",
            "dataType",
            "description",
            "insecureValue",
            "keyId",
            "name",
            "overwrite",
            "tier",
            "type",
            "value",
        }
    )
    validations: ClassVar = {
        "name": validation.name(r"[A-Za-z0-9_./-]+", 2048, "letters, numbers and _.-/"),
        "type": validation.one_of("String", "StringList", "SecureString"),
    }

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        self._put(api, inputs, tagging.SSM.asked(inputs) | {"Overwrite": bool(inputs.get("overwrite"))})
        return inputs["name"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        seen = picked(found, arn="ARN", dataType="DataType", name="Name", type="Type", version="Version")
        seen["insecureValue" if "insecureValue" in state else "value"] = found["Value"]
        of_this = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
        described = api.describe_parameters(ParameterFilters=of_this)["Parameters"]
        if described:
            seen |= picked(described[0], description="Description", tier="Tier")
        tags = api.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
        return state | seen | tagging.SSM.seen(tags)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        self._put(api, news, {"Overwrite": True})

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_parameter(Name=name)

    def arn(self, name: str, state: Properties) -> str:
        return name

    def _put(self, api: Any, inputs: Properties, more: dict[str, Any]) -> None:
        request = asked(
            inputs,
            AllowedPattern="allowedPattern",
            DataType="dataType",
            Description="description",
            KeyId="keyId",
            Name="name",
            Tier="tier",
            Type="type",
        )
        api.put_parameter(Value=inputs.get("value", inputs.get("insecureValue", "")), **request, **more)
