"""CloudWatch log groups."""

from typing import Any, ClassVar

import tagging
import validation
from cloud import AwsResource, Gone, asked, picked
from properties import Properties
from resources import AutoName, Operation

# docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html; 0 is for ever
_DAYS = (0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


class LogGroup(AwsResource):
    token = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    what = "CloudWatch Logs Log Group"
    gone = frozenset({"ResourceNotFoundException"})
    tagging = tagging.LOGS
    autoname = AutoName(255)
    computed = frozenset({"logGroupClass", "region"})
    replace_on = frozenset({"name", "logGroupClass"})
    unsupported = frozenset({"namePrefix", "deletionProtectionEnabled"})
    validations: ClassVar = {
        "kmsKeyId": validation.arn,
        "logGroupClass": validation.one_of("STANDARD", "INFREQUENT_ACCESS", "DELIVERY"),
        "name": validation.name(r"[.\-_/#A-Za-z0-9]+", 512, "letters, numbers, '_', '-', '/', '.' and '#'"),
        "retentionInDays": validation.one_of(*_DAYS),
    }

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(inputs, logGroupName="name", kmsKeyId="kmsKeyId", logGroupClass="logGroupClass")
        api.create_log_group(**request, **tagging.LOGS.asked(inputs))
        if inputs.get("retentionInDays"):
            api.put_retention_policy(logGroupName=inputs["name"], retentionInDays=inputs["retentionInDays"])
        return inputs["name"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        groups = api.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        found = next((group for group in groups if group["logGroupName"] == name), None)
        if found is None:
            raise Gone
        arn = found["arn"].removesuffix(":*")
        seen = picked(found, kmsKeyId="kmsKeyId", name="logGroupName")
        seen |= {"arn": arn, "retentionInDays": found.get("retentionInDays", 0)}
        seen["logGroupClass"] = found.get("logGroupClass", "STANDARD")
        tags = api.list_tags_for_resource(resourceArn=arn)["tags"]
        return {"skipDestroy": False} | state | seen | tagging.LOGS.seen(tags)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        if news.get("retentionInDays"):
            api.put_retention_policy(logGroupName=name, retentionInDays=news["retentionInDays"])
        elif olds.get("retentionInDays"):
            api.delete_retention_policy(logGroupName=name)
        if news.get("kmsKeyId") != olds.get("kmsKeyId"):
            if "kmsKeyId" in news:
                api.associate_kms_key(logGroupName=name, kmsKeyId=news["kmsKeyId"])
            else:
                api.disassociate_kms_key(logGroupName=name)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        if not state.get("skipDestroy"):
            api.delete_log_group(logGroupName=name)
