"""How the number of tasks follows the load: target tracking on CPU, memory and requests."""

import pulumi
from pulumi_aws import appautoscaling

from sc_secure.components.ecs.args import EcsAutoscalingArgs, SecuredEcsServiceArgs
from sc_secure.components.ecs.arns import must_parse

_METRICS = {
    "cpu": "ECSServiceAverageCPUUtilization",
    "memory": "ECSServiceAverageMemoryUtilization",
    "requests": "ALBRequestCountPerTarget",
}
"""https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html"""


def autoscale(
    name: str,
    given: SecuredEcsServiceArgs,
    cluster_arn: pulumi.Output[str],
    service_name: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Declares the scalable target, and a policy for each target that is said; nothing without `autoscaling`."""
    if "autoscaling" not in given:
        return
    scaling = given["autoscaling"]
    target = appautoscaling.Target(
        f"{name}-scaling",
        min_capacity=scaling["min_capacity"],
        max_capacity=scaling["max_capacity"],
        resource_id=pulumi.Output.all(cluster_arn, service_name).apply(_resource_id),
        scalable_dimension="ecs:service:DesiredCount",
        service_namespace="ecs",
        tags=given.get("tags"),
        opts=opts,
    )
    values = {
        "cpu": scaling.get("cpu_target_percent"),
        "memory": scaling.get("memory_target_percent"),
        "requests": scaling.get("requests_per_target"),
    }
    for suffix, value in values.items():
        if value is None:
            continue
        metric = appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
            predefined_metric_type=_METRICS[suffix],
            resource_label=_resource_label(scaling, given) if suffix == "requests" else None,
        )
        appautoscaling.Policy(
            f"{name}-scaling-{suffix}",
            policy_type="TargetTrackingScaling",
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            service_namespace=target.service_namespace,
            target_tracking_scaling_policy_configuration=appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
                target_value=value,
                predefined_metric_specification=metric,
                scale_in_cooldown=scaling.get("scale_in_cooldown_seconds", 300),
                scale_out_cooldown=scaling.get("scale_out_cooldown_seconds", 60),
            ),
            opts=opts,
        )


def _resource_id(cluster_and_service: list[str]) -> str:
    cluster, service = cluster_and_service
    return f"service/{must_parse(cluster, 'cluster_arn').resource.removeprefix('cluster/')}/{service}"


def _resource_label(scaling: EcsAutoscalingArgs, given: SecuredEcsServiceArgs) -> pulumi.Output[str]:
    """The load balancer's and the target group's place: `app/NAME/ID/targetgroup/NAME/ID`."""

    def label(arns: list[str]) -> str:
        balancer = must_parse(arns[0], "autoscaling.load_balancer_arn").resource.removeprefix("loadbalancer/")
        return f"{balancer}/{must_parse(arns[1], 'target_group_arn').resource}"

    arns = pulumi.Output.all(scaling.get("load_balancer_arn", ""), given.get("target_group_arn", ""))
    return arns.apply(label)
