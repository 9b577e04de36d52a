"""Whole maps, lists and objects of a service or a registry that are outputs, in a Python program."""

import json
from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown
from pulumi.runtime import rpc

from sc_secure import ArtifactRegistryRepository, EcrRepository, SecuredCloudRunService, SecuredEcsService
from sc_secure.components._validate import InvalidArgs
from tests.components.aws_mocked import ACCOUNT, MINIMAL, REGION, AwsMocks, later
from tests.components.google import BASE, google
from tests.components.mocked import Mocks, run, unknown

ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-AbCdEf"
SIDECAR = {"name": "proxy", "image": MINIMAL["image"]}
VARIABLES = {"MODE": "live", "A": "1"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
ECS: dict[str, Any] = {
    "environment": VARIABLES,
    "secrets": {"PASSWORD": f"{ARN}:password::", "OTHER": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/other"},
    "tags": {"team": "shop"},
    "command": ["serve", "--fast"],
    "entry_point": ["/run"],
    "subnet_ids": ["subnet-1", "subnet-2"],
    "secrets_kms_key_arns": [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/one"],
    "ecr_repository_arns": [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app"],
}
VPC: dict[str, Any] = {"network": "net", "subnetwork": "sub", "tags": ["web"], "egress": "ALL_TRAFFIC"}
RUN: dict[str, Any] = {
    "environment": VARIABLES,
    "labels": {"team": "shop"},
    "annotations": {"example.com/owner": "shop"},
    "command": ["/run"],
    "args": ["--fast", "now"],
    "custom_audiences": ["https://a.example"],
    "vpc": VPC,
}
AWS_REPOSITORY: dict[str, Any] = {
    "tags": {"team": "shop"},
    "push_principal_arns": [ROLE],
    "pull_principal_arns": ["123456789012"],
}
DEFINITION, SERVICE = "TaskDefinition web-task-definition", "Service web"


def ecs(make: Any, *, preview: bool = False, mocks: AwsMocks | None = None) -> AwsMocks:
    """What a service declares, some of whose arguments are made within the program."""
    recorder = mocks or AwsMocks()
    run(lambda: SecuredEcsService("web", {**MINIMAL, **make()}).service_arn, recorder, preview=preview)
    return recorder


def cloud_run(make: Any, *, preview: bool = False, mocks: Mocks | None = None) -> Mocks:
    recorder = mocks or google()

    def program() -> pulumi.Output[Any]:
        given: Any = {**BASE, **make()}
        return SecuredCloudRunService("web", given).url

    run(program, recorder, preview=preview)
    return recorder


def ecr(make: Any, *, preview: bool = False, mocks: AwsMocks | None = None) -> AwsMocks:
    recorder = mocks or AwsMocks()
    run(lambda: EcrRepository("images", make()).repository_url, recorder, preview=preview)
    return recorder


def artifacts(make: Any, *, preview: bool = False, mocks: Mocks | None = None) -> Mocks:
    recorder = mocks or google()

    def program() -> pulumi.Output[Any]:
        given: Any = {"location": "europe-west1", **make()}
        return ArtifactRegistryRepository("images", given).repository_url

    run(program, recorder, preview=preview)
    return recorder


def each_later(given: dict[str, Any]) -> dict[str, Any]:
    return {key: later(value) for key, value in given.items()}


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        (ecs, ECS),
        (ecs, {"environment": {}, "secrets": {}}),
        (ecs, {"security_group_ids": ["sg-1"], "environment": VARIABLES}),
        (cloud_run, RUN),
        (cloud_run, {"environment": {}, "vpc": {"connector": "projects/p/locations/l/connectors/c"}}),
        (ecr, AWS_REPOSITORY),
        (artifacts, {"labels": {"team": "shop"}}),
    ],
)
def test_each_is_what_it_would_be_in_parts(declared: Any, given: dict[str, Any]) -> None:
    parts = declared(lambda: given)
    assert declared(lambda: each_later(given)).resources == parts.resources


def test_a_sidecar_s_are_what_they_would_be_in_parts() -> None:
    of_ecs = {"environment": VARIABLES, "secrets": {"PASSWORD": ARN}}
    parts = ecs(lambda: {"sidecars": [SIDECAR | of_ecs]})
    assert ecs(lambda: {"sidecars": [SIDECAR | each_later(of_ecs)]}).resources == parts.resources
    of_run = {"environment": VARIABLES, "command": ["/p"], "args": ["-v"]}
    sidecar = {"name": "proxy", "image": BASE["image"]}
    whole = cloud_run(lambda: {"sidecars": [sidecar | each_later(of_run)]})
    assert whole.resources == cloud_run(lambda: {"sidecars": [sidecar | of_run]}).resources


@pytest.mark.parametrize("secret", [{"secret": "db", "version": "3"}, {"secret": "db"}])
def test_a_secret_of_cloud_run_is_what_it_would_be_as_a_single_output(secret: dict[str, Any]) -> None:
    single = cloud_run(lambda: {"secrets": {"PASSWORD": {**secret, "secret": later(secret["secret"])}}})
    assert cloud_run(lambda: {"secrets": {"PASSWORD": later(secret)}}).of("gcp:") == single.of("gcp:")
    with pytest.raises(InvalidArgs, match=r"secrets\.PASSWORD\.secert: unknown argument; did you mean secret\?"):
        cloud_run(lambda: {"secrets": {"PASSWORD": later({**secret, "secert": "x"})}})


def test_network_tags_alone_may_come_later() -> None:
    whole = cloud_run(lambda: {"vpc": {**VPC, "tags": later(VPC["tags"])}})
    assert whole.resources == cloud_run(lambda: {"vpc": VPC}).resources


def test_secret_variables_stay_so_and_nothing_of_them_is_in_a_step() -> None:
    mocks = ecs(lambda: {"environment": pulumi.Output.secret({"TOKEN": "s3cret"}), "secrets": {"PASSWORD": ARN}})
    made = mocks.declared()
    definitions = made[DEFINITION]["containerDefinitions"]
    assert rpc.is_rpc_secret(definitions)
    [container] = json.loads(rpc.unwrap_rpc_secret(definitions))
    assert container["environment"] == [{"name": "TOKEN", "value": "s3cret"}]
    assert [key for key, (_, inputs) in mocks.resources.items() if "s3cret" in str(inputs)] == [
        "aws:ecs/taskDefinition:TaskDefinition::web-task-definition"
    ]
    assert isinstance(made["RolePolicy web-execution-policy"]["policy"], str), "secrets beside them are none for it"

    other = cloud_run(lambda: {"environment": pulumi.Output.secret({"TOKEN": "s3cret"})})
    assert [key for key, (_, inputs) in other.resources.items() if "s3cret" in str(inputs)] == [
        "gcp:cloudrunv2/service:Service::web"
    ]
    assert rpc.is_rpc_secret(other.of("gcp:")[SERVICE]["template"])


def test_secret_tags_stay_so() -> None:
    made = ecs(lambda: {"tags": pulumi.Output.secret({"owner": "s3cret"})}).declared()
    tagged = [inputs["tags"] for inputs in made.values() if "tags" in inputs]
    assert len(tagged) > 5
    assert all(rpc.is_rpc_secret(tags) for tags in tagged)


def differing(known: dict[str, Any], unsure: dict[str, Any]) -> set[str]:
    return {f"{name} {key}" for name in known for key in known[name] if known[name][key] != unsure[name].get(key)}


def test_what_a_preview_doesn_t_know_is_unknown_and_nothing_else_is() -> None:
    def made(**given: Any) -> dict[str, Any]:
        return ecs(lambda: {**ECS, **{key: each() for key, each in given.items()}}, preview=True).declared()

    known = ecs(lambda: ECS, preview=True).declared()
    assert differing(known, made(environment=unknown)) == {f"{DEFINITION} containerDefinitions"}
    secrets = {"secrets": lambda: later(ECS["secrets"])}
    assert differing(known, made(environment=unknown, **secrets)) == {f"{DEFINITION} containerDefinitions"}
    policy = "RolePolicy web-execution-policy policy"
    assert differing(known, made(secrets=unknown)) == {f"{DEFINITION} containerDefinitions", policy}
    assert differing(known, made(secrets_kms_key_arns=unknown)) == {policy}
    tags = made(tags=unknown)
    assert differing(known, tags) == {f"{name} tags" for name, inputs in known.items() if "tags" in inputs}
    assert all(isinstance(inputs["tags"], Unknown) for inputs in tags.values() if "tags" in inputs)

    of_run = cloud_run(lambda: RUN, preview=True).of("gcp:")
    for key in ("labels", "annotations", "custom_audiences"):
        unsure = cloud_run(lambda key=key: {**RUN, key: unknown()}, preview=True).of("gcp:")
        assert differing(of_run, unsure) == {f"{SERVICE} {key.replace('_a', 'A')}"}
    for key, theirs in (("environment", "envs"), ("command", "commands"), ("args", "args")):
        unsure = cloud_run(lambda key=key: {**RUN, key: unknown()}, preview=True).of("gcp:")
        [before], [after] = [made[SERVICE]["template"]["containers"] for made in (of_run, unsure)]
        assert differing({"": before}, {"": after}) == {f" {theirs}"}
    unsure = cloud_run(lambda: {**RUN, "vpc": unknown()}, preview=True).of("gcp:")
    template = differing({"": of_run[SERVICE]["template"]}, {"": unsure[SERVICE]["template"]})
    assert template == {" vpcAccess"}


REFUSED: list[tuple[Any, str, Any, str]] = [
    (ecs, "environment", {"A=": "s3cret"}, "environment.A=: a variable's name has no ="),
    (ecs, "environment", {"A": 1}, "environment.A: a string is expected"),
    (ecs, "environment", {"A": None}, "environment.A: a string is expected"),
    (ecs, "environment", {"PASSWORD": "s3cret"}, "secrets.PASSWORD: is in environment as well"),
    (ecs, "environment", "s3cret", "environment: a mapping is expected"),
    (ecs, "secrets", {"A": "s3cret"}, "secrets.A: an ARN is needed"),
    (ecs, "secrets", {"A B": ARN}, "secrets.A B: a variable's name has no ="),
    (ecs, "secrets", {"MODE": ARN}, "secrets.MODE: is in environment as well"),
    (ecs, "tags", {"aws:x": "s3cret"}, "tags.aws:x: a tag's name"),
    (ecs, "tags", {"x": "s3cret" * 50}, "tags.x: a tag's value"),
    (ecs, "tags", {"x": True}, "tags.x: a string is expected"),
    (ecs, "command", "s3cret", "command: a list is expected"),
    (ecs, "entry_point", ["a", 1], "entry_point[1]: a string is expected"),
    (ecs, "subnet_ids", [], "subnet_ids: 1 to 16 of them"),
    (ecs, "subnet_ids", ["subnet-1", None], "subnet_ids[1]: a string is expected"),
    (ecs, "secrets_kms_key_arns", ["s3cret"], "secrets_kms_key_arns[0]: a KMS key's ARN"),
    (ecs, "ecr_repository_arns", ["s3cret"], "ecr_repository_arns[0]: an ECR repository's ARN"),
    (cloud_run, "environment", {"PORT": "s3cret"}, "environment.PORT: Cloud Run sets this variable itself"),
    (cloud_run, "environment", {"PASSWORD": "s3cret"}, "secrets.PASSWORD: is in environment too"),
    (cloud_run, "environment", {"A": ["s3cret"]}, "environment.A: a string is expected"),
    (cloud_run, "labels", {"A": "s3cret"}, "labels.A: a key is"),
    (cloud_run, "annotations", {"run.googleapis.com/x": "s3cret"}, "annotations.run.googleapis.com/x: Google keeps"),
    (cloud_run, "command", ["s3cret"] * 1001, "command: at most 1000"),
    (cloud_run, "args", [1], "args[0]: a string is expected"),
    (cloud_run, "vpc", {"netwrok": "s3cret"}, "vpc.netwrok: unknown argument; did you mean network?"),
    (cloud_run, "vpc", {}, "vpc: a network or a subnetwork is needed"),
    (cloud_run, "vpc", {"network": "n", "tags": ["S3cret"]}, "vpc.tags[0]: at most 63"),
    (cloud_run, "vpc", {"network": "n", "egress": "s3cret"}, "vpc.egress: one of"),
    (cloud_run, "vpc", {"network": 1}, "vpc.network: a string is expected"),
    (ecr, "tags", {"aws:x": "s3cret"}, "tags.aws:x: a tag's name"),
    (ecr, "push_principal_arns", ["s3cret"], "push_principal_arns[0]: a role's or user's ARN"),
    (ecr, "pull_principal_arns", [], "pull_principal_arns: is an output that names nobody"),
    (artifacts, "labels", {"A": "s3cret"}, "labels.A: a key is"),
]


@pytest.mark.parametrize(("declared", "key", "value", "refused"), REFUSED, ids=[case[3] for case in REFUSED])
@pytest.mark.parametrize("preview", [False, True])
def test_one_that_won_t_do_is_refused_once_it_is_known(
    declared: Any, key: str, value: Any, refused: str, preview: bool
) -> None:
    beside: dict[str, Any] = {}
    if key == "environment":
        beside = {"secrets": {"PASSWORD": ARN if declared is ecs else {"secret": "db"}}}
    if key == "secrets":
        beside = {"environment": later(VARIABLES)}
    for whole in (later, pulumi.Output.secret):
        mocks = AwsMocks() if declared in (ecs, ecr) else google()
        with pytest.raises(InvalidArgs) as raised:
            declared(lambda whole=whole: {**beside, key: whole(value)}, preview=preview, mocks=mocks)
        assert f"  {refused}" in str(raised.value)
        assert "s3cret" not in str(raised.value).lower()
        theirs = {kind for kind, _ in mocks.resources.values() if not kind.startswith("sc-secure:")}
        assert theirs <= ({"aws:ecr/repository:Repository"} if "principal" in key else set()), "nothing is made of it"


@pytest.mark.parametrize(
    ("declared", "key", "value"),
    [
        (ecs, "ingress_cidr_blocks", ["10.0.0.0/8"]),
        (ecs, "ingress_security_group_ids", ["sg-1"]),
        (ecs, "egress_cidr_blocks", ["10.0.0.0/8"]),
        (ecs, "autoscaling", {"min_capacity": 1, "max_capacity": 2}),
        (ecs, "sidecars", [SIDECAR]),
        (ecs, "verify", {"key": "k"}),
        (cloud_run, "secrets", {"A": {"secret": "db"}}),
        (cloud_run, "invokers", {"a": "user:a@example.com"}),
        (cloud_run, "traffic", [{"percent": 100, "latest": True}]),
        (artifacts, "push_members", {"a": "user:a@example.com"}),
    ],
)
def test_what_decides_which_resources_there_are_has_to_be_known(declared: Any, key: str, value: Any) -> None:
    with pytest.raises(InvalidArgs, match=f"  {key}: must be known .* as a whole; give a plain value, of which"):
        declared(lambda: {key: later(value)})
