"""The second policy: a workload waits until its image has passed."""

from collections.abc import Iterator
from typing import Any

from images import CONFIG
from pulumi_policy import PolicyResource, ReportViolation, StackValidationArgs, StackValidationPolicy
from pulumi_policy.proxy import UnknownValueError
from stacks import StackUnreadable, secured_by
from steps import step
from workloads import WORKLOADS, images


def _validate(args: StackValidationArgs, report: ReportViolation) -> None:
    stacks = args.get_config().get("allowedStacks") or []
    steps = [each for each in args.resources if step(each.urn) is not None]
    for workload in args.resources:
        if workload.resource_type in WORKLOADS and not _from_elsewhere(workload, stacks):
            _check(workload, steps, report)


def _check(workload: PolicyResource, steps: list[PolicyResource], report: ReportViolation) -> None:
    awaited = set(_awaited(workload))
    if not any(each.urn in awaited for each in steps):
        message = (
            f"{WORKLOADS[workload.resource_type][0]} waits for no step of a SecuredImage: it would run an image before "
            "it has passed. Give it the SecuredImage's `deployable_ref`, not its `image_ref` or a copy of the text."
        )
        report(message, workload.urn)


def _from_elsewhere(workload: PolicyResource, stacks: list[str]) -> bool:
    """Whether all of its images came out of other stacks, which have no step here to wait for."""
    try:
        running = images(workload.resource_type, workload.props)
        return bool(running) and all(any(image in secured_by(stack) for stack in stacks) for image in running)
    except (UnknownValueError, StackUnreadable, ValueError):
        return False


def _awaited(workload: PolicyResource) -> Iterator[str]:
    """The URNs of all that is made before the property that holds the images is known."""
    found: set[str] = set()
    waiting: list[Any] = list(workload.property_dependencies.get(WORKLOADS[workload.resource_type][0], []))
    while waiting:
        resource = waiting.pop()
        if resource.urn in found:
            continue
        found.add(resource.urn)
        yield resource.urn
        waiting += resource.dependencies


GATE = StackValidationPolicy(
    name="waits-for-the-gate",
    description="An ECS task definition or a Cloud Run service waits until its image has passed.",
    config_schema=CONFIG,
    validate=_validate,
)
