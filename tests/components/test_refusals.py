"""What is told to whoever gives an output where a plain value is needed, a misspelt key, or a tag."""

import re
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

import sc_secure
from tests.components.mocked import REFERENCE, Mocks, run

BUILT: dict[str, Any] = {"image_name": "registry.example/app:1", "build": {"context": "app"}}
SIGNED: dict[str, Any] = {"image": REFERENCE, "key": "cosign.key"}
ECS: dict[str, Any] = {"image": REFERENCE, "verify": {"key": "cosign.pub"}, "subnet_ids": ["subnet-1"]}
CLOUD_RUN: dict[str, Any] = {"image": REFERENCE, "verify": {"key": "cosign.pub"}, "location": "europe-west1"}


def later(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)


def secured(**security: Any) -> dict[str, Any]:
    return {**BUILT, "security": security}


def refusal(component: str, args: Callable[[], Any]) -> str:
    """The error; nothing was registered."""
    mocks = Mocks()
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: getattr(sc_secure, component)("bad", args()).urn, mocks)
    assert mocks.resources == {}
    assert "nothing was changed" in str(raised.value)
    return str(raised.value)


OUTPUTS: list[tuple[str, Callable[[], Any], str]] = [
    ("SecuredImage", lambda: {**BUILT, "security": later({"scan": {}})}, "security"),
    ("SecuredImage", lambda: secured(enabled=later(False)), "security.enabled"),
    ("SecuredImage", lambda: secured(scan=later({"fail_on": "high"})), "security.scan"),
    ("SecuredImage", lambda: secured(scan={"fail_on": later("high")}), "security.scan.fail_on"),
    ("SecuredImage", lambda: secured(scan={"vex": ["a.json", later("b.json")]}), "security.scan.vex[1]"),
    ("SecuredImage", lambda: secured(scan={"tools": [{"name": later("trivy")}]}), "security.scan.tools[0].name"),
    ("SecuredImage", lambda: secured(signing={"key": later("cosign.key")}), "security.signing.key"),
    ("SecuredImage", lambda: {**BUILT, "build": later({"context": "app"})}, "build"),
    ("SecuredImage", lambda: {**BUILT, "build": {"context": later("app")}}, "build.context"),
    ("SecuredImage", lambda: {**BUILT, "security_file": later("policy.yaml")}, "security_file"),
    ("SignCommand", lambda: {**SIGNED, "key": pulumi.Output.secret("cosign.key")}, "key"),
    ("AttestCommand", lambda: {**SIGNED, "predicate": later("sbom")}, "predicate"),
    ("VerifyCommand", lambda: {**SIGNED, "attestations": [later("vuln")]}, "attestations[0]"),
    ("SecuredEcsService", lambda: {**ECS, "verify": later({"key": "cosign.pub"})}, "verify"),
    ("SecuredCloudRunService", lambda: {**CLOUD_RUN, "verify": {"key": later("cosign.pub")}}, "verify.key"),
]


@pytest.mark.parametrize(("component", "args", "path"), OUTPUTS, ids=[f"{c}-{p}" for c, _, p in OUTPUTS])
def test_an_output_where_the_graph_is_decided(component: str, args: Callable[[], Any], path: str) -> None:
    said = refusal(component, args)
    assert f"  {path}: must be known when the program runs" in said
    assert "give a plain value" in said


MISSPELT: list[tuple[str, Any, str, str]] = [
    ("SecuredImage", {**BUILT, "securty": {}}, "securty", "security"),
    ("SecuredImage", {**BUILT, "imageRef": REFERENCE}, "imageRef", "image_ref"),
    ("SecuredImage", {**BUILT, "build": {"context": "app", "dockerFile": "D"}}, "build.dockerFile", "dockerfile"),
    ("SecuredImage", {**BUILT, "registry": {"server": "s", "user_name": "u"}}, "registry.user_name", "username"),
    ("SecuredImage", secured(scan={"failOn": "high"}), "security.scan.failOn", "fail_on"),
    ("SecuredImage", secured(scan={"tools": [{"nam": "grype"}]}), "security.scan.tools[0].nam", "name"),
    ("SecuredImage", secured(scan={"ignore": [{"expire": "x"}]}), "security.scan.ignore[0].expire", "expires"),
    ("SecuredImage", secured(signing={"verify": {"issuer": "x"}}), "security.signing.verify.issuer", "oidc_issuer"),
    ("SecuredImage", secured(sbom={"outputs": {}}), "security.sbom.outputs", "output"),
    ("SignCommand", {**SIGNED, "passwordEnv": "P"}, "passwordEnv", "password_env"),
    ("SecuredEcsService", {**ECS, "clusterArn": "x"}, "clusterArn", "cluster_arn"),
    ("SecuredCloudRunService", {**CLOUD_RUN, "max_instance": 2}, "max_instance", "max_instances"),
]


@pytest.mark.parametrize(("component", "args", "path", "meant"), MISSPELT, ids=[f"{c}-{p}" for c, _, p, _ in MISSPELT])
def test_a_misspelt_key(component: str, args: Any, path: str, meant: str) -> None:
    assert f"  {path}: unknown argument; did you mean {meant}?" in refusal(component, lambda: args)


def test_a_key_like_no_other() -> None:
    said = refusal("SecuredImage", lambda: {**BUILT, "build": {"context": "app", "xyzzy": "x"}})
    assert "  build.xyzzy: unknown argument; allowed here: args, builder, cache_from, cache_to, context, " in said


TAGS = ["registry.example/app:1.2", "registry.example/app", "app@sha256:abc", f"{REFERENCE.upper()}", ""]


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_where_a_digest_is_needed(tag: str) -> None:
    said = refusal("SecuredImage", lambda: {"image_ref": tag, "security": {"scan": {}}})
    assert "image_ref: a digest reference is needed (repository@sha256:…), since a tag can be moved" in said
    assert "`crane digest REPOSITORY:TAG` prints the digest" in said


def test_a_tag_that_another_resource_made() -> None:
    """It is known only later: then nothing that needs the image runs."""
    mocks = Mocks()
    args: Any = {"security": {"scan": {}, "signing": {"key": "cosign.key"}}}
    with pytest.raises(pulumi.RunError, match=re.escape("`crane digest REPOSITORY:TAG` prints the digest")):
        run(lambda: sc_secure.SecuredImage("app", {**args, "image_ref": later(TAGS[0])}).deployable_ref, mocks)
    assert not any(mocks.commands().values())
