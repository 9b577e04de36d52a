"""What is read from the official SDKs' type information."""

import inspect
import re
from pathlib import Path

import pytest

from tests.plugins.shared.sdk_schema import arguments_of, inputs_of, outputs_of, resource_class

# The SDKs themselves warn of old names when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated:DeprecationWarning")

HERE = Path(__file__).parent
TOKENS = sorted(
    token
    for cloud in ("aws", "gcp")
    for file in (HERE / cloud).glob("*.py")
    for token in re.findall(rf'token = "({cloud}:\w+/(\w+):[A-Z]\w+)"', file.read_text())
)


def test_names_types_and_what_is_required_are_known() -> None:
    schema = inputs_of("aws:ecs/taskDefinition:TaskDefinition")
    assert schema["required"] == ["containerDefinitions", "family"]
    properties = schema["properties"]
    assert properties["trackLatest"] == {"type": "boolean"}
    assert properties["requiresCompatibilities"] == {"type": "array", "items": {"type": "string"}}
    assert properties["tags"] == {"type": "object", "additionalProperties": {"type": "string"}}
    assert properties["ephemeralStorage"] == {
        "type": "object",
        "properties": {"sizeInGib": {"type": "integer"}},
        "required": ["sizeInGib"],
    }


def test_objects_within_lists_are_known() -> None:
    balancer = inputs_of("aws:ecs/service:Service")["properties"]["loadBalancers"]["items"]
    assert balancer["required"] == ["containerName", "containerPort"]
    assert balancer["properties"]["containerPort"] == {"type": "integer"}


def test_a_number_and_an_enum_are_known() -> None:
    policy = inputs_of("aws:appautoscaling/policy:Policy")["properties"]["targetTrackingScalingPolicyConfiguration"]
    assert policy["properties"]["targetValue"] == {"type": "number"}
    group = inputs_of("aws:ec2/securityGroup:SecurityGroup")["properties"]["ingress"]["items"]["properties"]
    assert group["protocol"] == {"type": "string"}


def test_what_can_be_of_two_kinds_is_anything() -> None:
    assert inputs_of("aws:iam/role:Role")["properties"]["assumeRolePolicy"] == {}


def test_outputs_are_what_no_input_is() -> None:
    expected = {"arn", "arnWithoutRevision", "revision", "tagsAll"}
    assert outputs_of("aws:ecs/taskDefinition:TaskDefinition")["properties"].keys() == expected


def test_arguments_of_functions_are_known() -> None:
    subnet = arguments_of("aws:ec2/getSubnet:getSubnet")["properties"]
    assert subnet["vpcId"] == {"type": "string"}
    assert subnet["filters"]["items"]["required"] == ["name", "values"]
    assert "opts" not in subnet
    assert "state" in arguments_of("aws:index/getAvailabilityZones:getAvailabilityZones")["properties"]


@pytest.mark.parametrize("token", [token for token, _ in TOKENS])
def test_each_type_of_the_plugins_is_one_of_the_sdk(token: str) -> None:
    assert f"'{token}'" in inspect.getsource(resource_class(token))
    assert inputs_of(token)["properties"]


def test_a_type_that_the_sdk_does_not_have_is_an_error() -> None:
    with pytest.raises(AttributeError, match="Nosuch"):
        inputs_of("aws:ecs/nosuch:Nosuch")
