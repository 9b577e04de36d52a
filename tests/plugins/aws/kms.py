"""KMS keys and their aliases."""

from typing import Any, ClassVar

import tagging
import validation
from cloud import AwsResource, Gone, asked, picked
from policies import same_policy
from properties import Properties
from resources import AutoName, Operation


class Key(AwsResource):
    token = "aws:kms/key:Key"
    service = "kms"
    what = "KMS Key"
    gone = frozenset({"NotFoundException"})
    tagging = tagging.KMS
    computed = frozenset({"description", "multiRegion", "policy", "region", "rotationPeriodInDays"})
    replace_on = frozenset({"customerMasterKeySpec", "keyUsage", "multiRegion"})
    documents: ClassVar = {"policy": same_policy}
    unsupported = frozenset({"customKeyStoreId", "xksKeyId", "rotationPeriodInDays"})
    validations: ClassVar = {"deletionWindowInDays": validation.between(7, 30)}

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(
            inputs,
            BypassPolicyLockoutSafetyCheck="bypassPolicyLockoutSafetyCheck",
            Description="description",
            KeySpec="customerMasterKeySpec",
            KeyUsage="keyUsage",
            MultiRegion="multiRegion",
            Policy="policy",
        )
        name = api.create_key(**request, **tagging.KMS.asked(inputs))["KeyMetadata"]["KeyId"]
        if inputs.get("enableKeyRotation"):
            api.enable_key_rotation(KeyId=name)
        return name

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        found = api.describe_key(KeyId=name)["KeyMetadata"]
        if found["KeyState"] == "PendingDeletion":
            raise Gone
        seen = picked(found, arn="Arn", description="Description", isEnabled="Enabled", keyId="KeyId")
        seen |= picked(found, keyUsage="KeyUsage", multiRegion="MultiRegion")
        seen["policy"] = api.get_key_policy(KeyId=name, PolicyName="default")["Policy"]
        if "enableKeyRotation" in state:
            seen["enableKeyRotation"] = api.get_key_rotation_status(KeyId=name)["KeyRotationEnabled"]
        return state | seen | tagging.KMS.seen(api.list_resource_tags(KeyId=name)["Tags"])

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        if "description" in news and news["description"] != olds.get("description"):
            api.update_key_description(KeyId=name, Description=news["description"])
        if "policy" in news:
            api.put_key_policy(KeyId=name, PolicyName="default", Policy=news["policy"])
        if news.get("enableKeyRotation", False) != olds.get("enableKeyRotation", False):
            (api.enable_key_rotation if news.get("enableKeyRotation") else api.disable_key_rotation)(KeyId=name)
        if news.get("isEnabled", True) != olds.get("isEnabled", True):
            (api.enable_key if news.get("isEnabled", True) else api.disable_key)(KeyId=name)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.schedule_key_deletion(KeyId=name, PendingWindowInDays=state.get("deletionWindowInDays", 30))

    def arn(self, name: str, state: Properties) -> str:
        return name


class Alias(AwsResource):
    token = "aws:kms/alias:Alias"
    service = "kms"
    what = "KMS Alias"
    gone = frozenset({"NotFoundException"})
    autoname = AutoName(238, prefix="alias/")
    computed = frozenset({"namePrefix", "region"})
    replace_on = frozenset({"name"})
    unsupported = frozenset({"namePrefix"})
    validations: ClassVar = {"name": validation.name(r"alias/[A-Za-z0-9/_-]+", 256, "name must begin with 'alias/'")}

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        api.create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
        return inputs["name"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        for page in api.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == name:
                    key = api.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]
                    # In the form that the program uses: an ARN, or an id.
                    target = key["Arn"] if state.get("targetKeyId", "").startswith("arn:") else key["KeyId"]
                    return {"arn": alias["AliasArn"], "name": name, "targetKeyArn": key["Arn"], "targetKeyId": target}
        raise Gone

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        api.update_alias(AliasName=name, TargetKeyId=news["targetKeyId"])

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_alias(AliasName=name)
