"""Amazon resource names: what a reference or another name says of where it is, without asking AWS."""

import re
from dataclasses import dataclass

import pulumi

_ARN = re.compile(r"^arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|aws|):(.+)$")

_ECR_IMAGE = re.compile(
    r"^(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)/(?P<repository>[^:@]+)"
)
"""The hosts of a private ECR registry: the plain one, FIPS, dual-stack, and China's.
https://docs.aws.amazon.com/general/latest/gr/ecr.html"""

_SECRET_PARTS = 7
"""The parts of a secret's ARN; ECS takes a JSON key, a version's stage and a version's id behind it.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html"""


@dataclass(frozen=True)
class Arn:
    """An Amazon resource name's parts."""

    partition: str
    """`aws`, `aws-cn` or `aws-us-gov`."""
    service: str
    region: str
    """Empty for what belongs to no region, as roles."""
    account: str
    resource: str
    """The rest, as `cluster/web`."""


def parse_arn(text: str) -> Arn | None:
    """The parts of an ARN; None: it isn't one."""
    match = _ARN.match(text)
    return Arn(*match.groups()) if match else None


def must_parse(text: str, what: str) -> Arn:
    """The parts of an ARN that is known only now.

    Args:
        text: what should be an ARN.
        what: the argument that it came from.

    Raises:
        pulumi.RunError: it isn't one.
    """
    arn = parse_arn(text)
    if arn is None:
        raise pulumi.RunError(f"{what}: an ARN is needed (arn:aws:…), since rights are given to nothing else")
    return arn


def ecr_repository_arn(reference: str) -> str | None:
    """The repository of an image's reference; None: it isn't in a private ECR registry."""
    match = _ECR_IMAGE.match(reference)
    if match is None:
        return None
    region = match["region"]
    return f"arn:{_partition(region)}:ecr:{region}:{match['account']}:repository/{match['repository']}"


def secret_arn(value_from: str) -> str:
    """The secret itself of what a container's secret comes from: without a JSON key, a stage and a version."""
    return ":".join(value_from.split(":")[:_SECRET_PARTS])


def log_group_name(arn: str) -> str:
    """The name in a log group's ARN."""
    return bare_log_group_arn(arn).split(":log-group:", 1)[-1]


def bare_log_group_arn(arn: str) -> str:
    """A log group's ARN without the `:*` behind it that some of AWS's answers have."""
    return arn.removesuffix(":*")


def _partition(region: str) -> str:
    """The partition that a region is in."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
