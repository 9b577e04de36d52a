"""Application Auto Scaling: scalable targets and their policies."""

from typing import Any, ClassVar

import tagging
import validation
from cloud import AwsResource, Gone, asked, pascal, picked
from properties import Properties
from resources import AutoName, Operation

_WHERE = {"ResourceId": "resourceId", "ScalableDimension": "scalableDimension", "ServiceNamespace": "serviceNamespace"}


class Target(AwsResource):
    token = "aws:appautoscaling/target:Target"
    service = "application-autoscaling"
    what = "Application AutoScaling Target"
    gone = frozenset({"ObjectNotFoundException"})
    tagging = tagging.AUTOSCALING
    computed = frozenset({"region", "roleArn", "suspendedState"})
    replace_on = frozenset(_WHERE.values())
    validations: ClassVar = {"roleArn": validation.arn}

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        self._put(api, inputs, tagging.AUTOSCALING.asked(inputs))
        return inputs["resourceId"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        answer = api.describe_scalable_targets(
            ServiceNamespace=state["serviceNamespace"],
            ResourceIds=[name],
            ScalableDimension=state["scalableDimension"],
        )
        if not answer["ScalableTargets"]:
            raise Gone
        found = answer["ScalableTargets"][0]
        seen = picked(found, arn="ScalableTargetARN", maxCapacity="MaxCapacity", minCapacity="MinCapacity")
        return seen | picked(found, roleArn="RoleARN") | _seen_where(found)

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        self._put(api, news, {})

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.deregister_scalable_target(**asked(state, **_WHERE))

    def _put(self, api: Any, inputs: Properties, tags: dict[str, Any]) -> None:
        request = asked(inputs, MaxCapacity="maxCapacity", MinCapacity="minCapacity", RoleARN="roleArn", **_WHERE)
        if "suspendedState" in inputs:
            request["SuspendedState"] = pascal(inputs["suspendedState"])
        api.register_scalable_target(**request, **tags)


class Policy(AwsResource):
    token = "aws:appautoscaling/policy:Policy"
    service = "application-autoscaling"
    what = "Application Auto Scaling Scaling Policy"
    gone = frozenset({"ObjectNotFoundException"})
    autoname = AutoName(255)
    computed = frozenset({"region"})
    replace_on = frozenset({"name", *_WHERE.values()})
    unsupported = frozenset({"predictiveScalingPolicyConfiguration"})
    validations: ClassVar = {"policyType": validation.one_of("StepScaling", "TargetTrackingScaling")}

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        self._put(api, inputs)
        return inputs["name"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        where = asked(state, **_WHERE)
        found = api.describe_scaling_policies(PolicyNames=[name], **where)["ScalingPolicies"]
        if not found:
            raise Gone
        seen = picked(found[0], arn="PolicyARN", name="PolicyName", policyType="PolicyType")
        seen["alarmArns"] = [alarm["AlarmARN"] for alarm in found[0].get("Alarms", [])]
        return seen | _seen_where(found[0])

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        self._put(api, news)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        api.delete_scaling_policy(PolicyName=name, **asked(state, **_WHERE))

    def _put(self, api: Any, inputs: Properties) -> None:
        request = asked(inputs, PolicyName="name", PolicyType="policyType", **_WHERE)
        for ours in ("stepScalingPolicyConfiguration", "targetTrackingScalingPolicyConfiguration"):
            if ours in inputs:
                request[ours[0].upper() + ours[1:]] = pascal(inputs[ours])
        step = request.get("StepScalingPolicyConfiguration", {})
        for adjustment in step.get("StepAdjustments", []):
            for bound in ("MetricIntervalLowerBound", "MetricIntervalUpperBound"):
                if bound in adjustment:  # a number that the SDK writes as text, to tell 0 from none
                    adjustment[bound] = float(adjustment[bound])
        api.put_scaling_policy(**request)


def _seen_where(found: dict[str, Any]) -> Properties:
    return picked(found, **{ours: theirs for theirs, ours in _WHERE.items()})
