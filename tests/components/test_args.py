"""Bad arguments: each is refused with its path and what is allowed, before anything is registered."""

import typing
from typing import Any

import pulumi
import pytest
from pydantic import BaseModel

import sc_secure
from sc_secure.components import args as declared
from sc_secure.policy.security import Security, Threshold
from sc_secure.policy.severity import EVERY_WORD
from tests.components.mocked import REFERENCE, Mocks, run

BUILD = {"context": "app"}
IMAGE: dict[str, Any] = {"image_name": "registry.example/app:1", "build": BUILD}
SENTINEL = "s3cr3t-sentinel"

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("SecuredImage", {**IMAGE, "imageName": "x"}, "imageName: unknown argument; did you mean image_name?"),
    ("SecuredImage", {"image_name": "x"}, "build: missing"),
    ("SecuredImage", {"build": BUILD}, "image_name: missing"),
    ("SecuredImage", {**IMAGE, "image_ref": REFERENCE}, "build: excludes image_ref"),
    ("SecuredImage", {"image_ref": "registry.example/app:1"}, "image_ref: a digest reference is needed"),
    ("SecuredImage", {"image_ref": REFERENCE, "image_aliases": ["web"]}, "image_aliases: excludes image_ref"),
    ("SecuredImage", {**IMAGE, "image_aliases": ["web", ""]}, "image_aliases[1]: expected: the name or the URN of a"),
    (
        "SecuredImage",
        {**IMAGE, "image_aliases": ["urn:pulumi:dev::shop::docker:index/container:Container::web"]},
        "image_aliases[0]: expected: the name or the URN of a docker.Image",
    ),
    ("SecuredImage", {**IMAGE, "build": {"context": 3}}, "build.context: a string is expected"),
    ("SecuredImage", {**IMAGE, "build": {"context": "/elsewhere"}}, "build.context: an absolute path outside"),
    ("SecuredImage", {**IMAGE, "build": {}}, "build.context: missing"),
    ("SecuredImage", {**IMAGE, "build": "app"}, "build: a mapping is expected"),
    ("SecuredImage", {**IMAGE, "build": {**BUILD, "args": {"A": 1}}}, "build.args.A: a string is expected"),
    ("SecuredImage", {**IMAGE, "security": {"scna": {}}}, "security.scna: unknown argument; did you mean scan?"),
    ("SecuredImage", {**IMAGE, "security": {"scan": {"fail_on": "hi"}}}, "security.scan.fail_on: Input should be"),
    ("SecuredImage", {**IMAGE, "security": {"scan": {"tools": [{}]}}}, "security.scan.tools[0].name: missing"),
    ("SecuredImage", {**IMAGE, "security": {"scan": {"tools": []}}}, "no scanner is enabled"),
    (
        "SecuredImage",
        {**IMAGE, "security": {"scan": {"required": "no"}}},
        "security.scan.required: a boolean is expected",
    ),
    (
        "SecuredImage",
        {**IMAGE, "security": {"retry": {"attempts": 0}}},
        "security.retry.attempts: Input should be greater",
    ),
    ("SecuredImage", {**IMAGE, "security": {"sbom": {"output": {"local": "../a"}}}}, "security.sbom.output.local: "),
    ("SecuredImage", {**IMAGE, "security": {"signing": {}}}, "security.signing: say how to sign"),
    (
        "SecuredImage",
        {**IMAGE, "security": {"signing": {"keyless": True}}},
        "security.signing.verify: the policy signs without a key: its signing.verify must name identity_regexp",
    ),
    (
        "SecuredImage",
        {**IMAGE, "security": {"signing": {"key": "/k.key"}}},
        "key: an absolute path outside the project",
    ),
    ("SecuredImage", {**IMAGE, "security": {"provenance": {}}}, "provenance is attached signed"),
    ("SecuredImage", {**IMAGE, "security": {}, "stack": "dev"}, "stack: excludes security"),
    ("SecuredImage", {**IMAGE, "security_file": "none.yaml"}, "none.yaml: No such file"),
    ("SecuredImage", {**IMAGE, "stack": "../up"}, "stack: a stack's name is one folder's name"),
    ("SbomCommand", {"image": REFERENCE, "format": "cyclonedx"}, "format: Input should be 'cyclonedx-json'"),
    ("ScanCommand", {"image": "app:latest"}, "image: a digest reference is needed"),
    ("ScanCommand", {}, "image: missing"),
    ("ScanCommand", {"image": REFERENCE, "timeout_seconds": 0}, "timeout_seconds: between 1 and 86400"),
    ("ScanCommand", {"image": REFERENCE, "timeout_seconds": 1.5}, "timeout_seconds: a whole number is expected"),
    ("ScanCommand", {"image": REFERENCE, "only_fixed": "yes"}, "only_fixed: a boolean is expected"),
    ("SignCommand", {"image": REFERENCE}, "key: missing"),
    ("SignCommand", {"image": REFERENCE, "key": "k", "password_env": "a b"}, "password_env: String should match"),
    (
        "AttestCommand",
        {"image": REFERENCE, "key": "k", "predicate": "sbmo"},
        "predicate: one of sbom, provenance, scan",
    ),
    ("AttestCommand", {"image": REFERENCE, "key": "k", "predicate": "scan", "format": "x"}, "format: has no meaning"),
    (
        "AttestCommand",
        {"image": REFERENCE, "key": "k", "predicate": "provenance", "builder_id": "x"},
        "builder_id: String",
    ),
    ("SignCommand", {"image": REFERENCE, "key": "k", "drift": "ignore"}, "drift: one of heal, warn, off"),
    ("ScanCommand", {"image": REFERENCE, "rescan_after": "1 day"}, "rescan_after: a whole number of hours or days"),
    ("SecuredImage", {**IMAGE, "security": {"drift": "ignore"}}, "security.drift: "),
    ("VerifyCommand", {"image": REFERENCE, "key": "k", "attestations": ["cyclone"]}, "attestations[0]: one of"),
    ("VerifyCommand", {"image": REFERENCE, "key": "k", "attestations": "vuln"}, "attestations: a list is expected"),
]


@pytest.mark.parametrize(("component", "args", "said"), BAD, ids=[f"{c}-{s}" for c, _, s in BAD])
def test_refused_before_anything_is_registered(component: str, args: dict[str, Any], said: str) -> None:
    mocks = Mocks()
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: getattr(sc_secure, component)("bad", args).urn, mocks)
    assert said in str(raised.value)
    assert str(raised.value).startswith(f"{component}: the arguments aren't valid")
    assert mocks.resources == {}


def test_an_output_is_refused_where_the_program_must_know() -> None:
    def program() -> Any:
        return sc_secure.ScanCommand("scan", {"image": REFERENCE, "fail_on": pulumi.Output.from_input("high")})  # type: ignore[typeddict-item]

    with pytest.raises(pulumi.RunError, match="fail_on: must be known when the program runs"):
        run(program, Mocks())


def test_errors_hold_paths_and_no_values() -> None:
    args = {**IMAGE, "registry": {"server": "s", "password": 3, "user": SENTINEL}, "security": {"scan": SENTINEL}}
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: sc_secure.SecuredImage("bad", args).urn, Mocks())  # type: ignore[arg-type]
    assert "registry.user: unknown argument" in str(raised.value)
    assert SENTINEL not in str(raised.value)


def test_whole_floats_from_other_languages_are_whole_numbers() -> None:
    mocks = Mocks()
    args: Any = {"image": REFERENCE, "timeout_seconds": 60.0}
    run(lambda: sc_secure.ScanCommand("scan", args).passed_ref, mocks)
    assert "--timeout 60 " in mocks.commands()["scan"]


@pytest.mark.parametrize(
    ("block", "model"),
    [(declared.SecurityArgs, Security)],
)
def test_the_typed_dicts_say_what_the_models_say(block: Any, model: type[BaseModel]) -> None:
    hints = typing.get_type_hints(block)
    assert set(hints) == set(model.model_fields)
    for key, hint in hints.items():
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is list else hint
        if typing.is_typeddict(inner):
            annotation = model.model_fields[key].annotation
            submodel = typing.get_args(annotation)[0] if typing.get_origin(annotation) is list else annotation
            test_the_typed_dicts_say_what_the_models_say(inner, submodel)  # type: ignore[arg-type]


def test_the_policy_names_the_thresholds_that_the_scan_knows() -> None:
    assert typing.get_args(Threshold) == EVERY_WORD
