"""The policy pack `sc-secure`: nobody goes round the gate. docs/policy-pack.md says how to use it."""

from gate import GATE
from images import IMAGES
from pulumi_policy import EnforcementLevel, PolicyPack

PolicyPack(
    name="sc-secure",
    description="ECS and Cloud Run run only what a SecuredImage has secured.",
    policies=[IMAGES, GATE],
    enforcement_level=EnforcementLevel.MANDATORY,
)
