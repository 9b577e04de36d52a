"""The first policy: before a workload is made or changed, its images are ones that this program secures."""

from collections import defaultdict
from typing import Any

from pulumi_policy import PolicyConfigSchema, ReportViolation, ResourceValidationArgs, ResourceValidationPolicy
from stacks import StackUnreadable, secured_by
from steps import DIGEST, step, subject
from workloads import WORKLOADS, images

CONFIG = PolicyConfigSchema(
    properties={
        "allowedStacks": {"type": "array", "items": {"type": "string"}},
        "requiredSteps": {
            "type": "array",
            "items": {"type": "string", "enum": ["attest", "sbom", "scan", "sign", "verify"]},
        },
    }
)
"""`allowedStacks`: full names of other stacks whose secured images may run here. `requiredSteps`: what an image of this
stack must go through; by default any step will do, and the program's own policy decides which there are."""

_seen: defaultdict[str, set[str]] = defaultdict(set)
"""Image by digest → the steps that this run has registered about it. The engine asks about a resource before it makes
it, and a service that waits for the gate is registered after all of its image's steps."""


def _validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if (name := step(args.urn)) is not None:
        if (image := subject(args.props)) is not None:
            _seen[image].add(name)
        return
    if args.resource_type not in WORKLOADS:
        return
    where = WORKLOADS[args.resource_type][0]
    try:
        running = images(args.resource_type, args.props)
    except ValueError as error:
        report(str(error))
        return
    config = args.get_config()
    for image in running:
        if problem := _problem(image, config.get("allowedStacks") or [], set(config.get("requiredSteps") or [])):
            report(f"{where}: {problem}")


def _problem(image: Any, stacks: list[str], required: set[str]) -> str | None:
    """Why an image may not run; None: it may."""
    if not isinstance(image, str) or not DIGEST.fullmatch(image):
        return (
            f"{image!r} isn't an image by digest (repository@sha256:…). "
            "Give the service the `deployable_ref` of a SecuredImage."
        )
    done = _seen.get(image, set())
    if done and done >= required:
        return None
    unread: list[str] = []
    for stack in stacks:
        try:
            if image in secured_by(stack):
                return None
        except StackUnreadable as error:
            unread.append(str(error))
    if done:
        return f"{image} went through {', '.join(sorted(done))} but not through {', '.join(sorted(required - done))}."
    looked = f", nor of {', '.join(stacks)}" if stacks else ""
    reasons = "".join(f" ({reason})" for reason in unread)
    return (
        f"{image} came out of no SecuredImage of this stack{looked}{reasons}. "
        "Give the service the `deployable_ref` of a SecuredImage whose security is on."
    )


IMAGES = ResourceValidationPolicy(
    name="only-secured-images",
    description="An ECS task definition or a Cloud Run service runs only images that a SecuredImage has secured.",
    config_schema=CONFIG,
    validate=_validate,
)
