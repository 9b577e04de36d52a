"""Whole maps and lists of a build that are outputs, in a Python program: `build.args`, secrets, caches, registries."""

from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown
from pulumi.runtime import rpc

from sc_secure import AttestCommand, SecuredImage
from sc_secure.components._validate import InvalidArgs
from tests.components.mocked import DIGEST, REFERENCE, Mocks, run, unknown
from tests.components.test_wholes import later

DOCKER, BUILDX = "docker:index/image:Image::app-image", "docker-build:index:Image::app-image"
PROVENANCE = "app-attest-provenance"
SECURITY: dict[str, Any] = {"signing": {"key": "cosign.key"}, "provenance": {}}
ARGS = {"VERSION": "1", "TOKEN": "s3cret-sentinel"}
CACHE = "type=registry,ref=registry.example/team/app:cache"
LOGIN = {"server": "bases.example", "username": "reader", "password": "s3cret-other"}
OF_BUILDX: dict[str, Any] = {
    "args": ARGS,
    "secrets": {"token": "s3cret-sentinel"},
    "cache_from": [CACHE, "type=local,src=cache"],
    "cache_to": [f"{CACHE},mode=max"],
}


class Declared(Mocks):
    """What an image declares, and its reference once the gate is open."""

    deployable: str = ""


def declared(build: Any, *, builder: str = "docker", preview: bool = False, security: Any = SECURITY) -> Declared:
    """What an image declares, whose build is made within the program."""
    mocks = Declared(outputs={"docker-build:index:Image": {"digest": DIGEST}})

    def program() -> pulumi.Output[str]:
        given = {"context": "app", "builder": builder, **build()}
        args: Any = {"image_name": "registry.example/team/app:1", "build": given, "security": security}
        return SecuredImage("app", args).deployable_ref

    mocks.deployable = run(program, mocks, preview=preview)
    return mocks


def steps(mocks: Mocks) -> str:
    return str({key: inputs for key, (_, inputs) in mocks.resources.items() if key not in (DOCKER, BUILDX)})


@pytest.mark.parametrize("builder", ["docker", "docker-build"])
def test_arguments_are_what_they_would_be_in_parts(builder: str) -> None:
    parts = declared(lambda: {"args": ARGS}, builder=builder)
    whole = declared(lambda: {"args": later(ARGS)}, builder=builder)
    assert whole.resources == parts.resources
    assert "--build-arg-name TOKEN --build-arg-name VERSION" in whole.commands()[PROVENANCE]


def test_all_of_docker_build_is_what_it_would_be_in_parts() -> None:
    parts = declared(lambda: OF_BUILDX, builder="docker-build")
    whole = declared(lambda: {key: later(value) for key, value in OF_BUILDX.items()}, builder="docker-build")
    assert whole.resources == parts.resources
    assert whole.resources[BUILDX][1]["ignoreSecretsInDiffCalculation"] == ["token"]
    assert rpc.is_rpc_secret(whole.resources[BUILDX][1]["secrets"])


def test_a_registry_among_others_is_what_it_would_be_in_parts() -> None:
    parts = declared(lambda: {"registries": [LOGIN]}, builder="docker-build")
    assert declared(lambda: {"registries": [later(LOGIN)]}, builder="docker-build").resources == parts.resources
    with pytest.raises(InvalidArgs, match=r"build\.registries\[0\]\.pasword: unknown argument"):
        declared(lambda: {"registries": [later({**LOGIN, "pasword": "x"})]}, builder="docker-build")


@pytest.mark.parametrize(("builder", "image"), [("docker", DOCKER), ("docker-build", BUILDX)])
def test_secret_arguments_stay_so_and_only_their_names_are_in_a_step(builder: str, image: str) -> None:
    mocks = declared(lambda: {"args": pulumi.Output.secret(ARGS)}, builder=builder)
    inputs = mocks.resources[image][1]
    given = inputs["buildArgs"] if builder == "docker-build" else inputs["build"]
    assert rpc.is_rpc_secret(given)
    assert "s3cret" not in steps(mocks)
    command = mocks.commands()[PROVENANCE]
    assert "--build-arg-name TOKEN --build-arg-name VERSION" in command, "as plain text, and no secret"
    assert "s3cret" in str(inputs)


@pytest.mark.parametrize("builder", ["docker", "docker-build"])
def test_what_a_preview_doesn_t_know_is_unknown_and_nothing_else_is(builder: str) -> None:
    known = declared(lambda: {"args": ARGS}, builder=builder, preview=True)
    mocks = declared(lambda: {"args": unknown()}, builder=builder, preview=True)
    image = BUILDX if builder == "docker-build" else DOCKER
    inputs = mocks.resources[image][1]
    given = inputs["buildArgs"] if builder == "docker-build" else inputs["build"]["args"]
    assert isinstance(given, Unknown)
    assert isinstance(mocks.commands()[PROVENANCE], Unknown), "it says their names"
    assert {name: text for name, text in mocks.commands().items() if name != PROVENANCE} == {
        name: text for name, text in known.commands().items() if name != PROVENANCE
    }
    assert mocks.deployable == REFERENCE


def test_a_preview_that_doesn_t_know_secrets_and_caches() -> None:
    given = ("secrets", "cache_from", "cache_to")
    mocks = declared(lambda: {key: unknown() for key in given}, builder="docker-build", preview=True)
    inputs = mocks.resources[BUILDX][1]
    for key in ("cacheFrom", "cacheTo", "ignoreSecretsInDiffCalculation"):
        assert isinstance(inputs[key], Unknown), key
    assert isinstance(rpc.unwrap_rpc_secret(inputs["secrets"]), Unknown)
    assert not [name for name, text in mocks.commands().items() if isinstance(text, Unknown)]


@pytest.mark.parametrize(
    ("key", "value", "refused"),
    [
        ("args", {"A": 1}, "build.args.A: a string is expected"),
        ("args", {"A": None}, "build.args.A: a string is expected"),
        ("args", ["s3cret"], "build.args: a mapping is expected"),
        ("args", None, "build.args: a mapping is expected"),
        ("secrets", {"A": {"s3cret": "x"}}, "build.secrets.A: a string is expected"),
        ("secrets", {"a b": "s3cret"}, "build.secrets.a b: letters, digits"),
        ("cache_from", "s3cret", "build.cache_from: a list is expected"),
        ("cache_from", [CACHE, 1], "build.cache_from[1]: a string is expected"),
        ("cache_from", [CACHE, "type=registri"], "build.cache_from[1]: its type is unknown"),
        ("cache_to", ["type=gha,token=s3cret"], "build.cache_to[0]: a credential would stand in the state"),
    ],
)
@pytest.mark.parametrize("preview", [False, True])
def test_one_that_won_t_do_is_refused_once_it_is_known(key: str, value: Any, refused: str, preview: bool) -> None:
    for whole in (later, pulumi.Output.secret):
        with pytest.raises(InvalidArgs) as raised:
            declared(lambda whole=whole: {key: whole(value)}, builder="docker-build", preview=preview)
        assert refused in str(raised.value)
        assert "s3cret" not in str(raised.value)


def test_a_step_alone_knows_their_names_once_they_are_known() -> None:
    def attested(args: Any) -> str:
        mocks = Mocks()

        def program() -> pulumi.Output[str]:
            build: Any = {"context": "app", "args": args()}
            given: Any = {"image": REFERENCE, "predicate": "provenance", "key": "cosign.key", "build": build}
            return AttestCommand("one", {**given, "timeout_seconds": 60}).passed_ref

        run(program, mocks)
        return mocks.commands()["one"]

    assert attested(lambda: pulumi.Output.secret(ARGS)) == attested(lambda: ARGS)
    assert attested(lambda: later({})) == attested(lambda: {})


def test_nothing_is_registered_of_an_image_whose_arguments_won_t_do() -> None:
    mocks = Mocks()

    def program() -> pulumi.Output[str]:
        args: Any = {"image_name": "r.example/a:1", "build": {"context": "app", "args": later({"A": 1})}}
        return SecuredImage("app", {**args, "security": SECURITY}).deployable_ref

    with pytest.raises(InvalidArgs):
        run(program, mocks)
    assert all(kind.startswith("sc-secure:index:") for kind, _ in mocks.resources.values()), "no image and no command"


def test_no_value_of_a_whole_is_recorded_by_name() -> None:
    security = {**SECURITY, "provenance": {"build_args": ["VERSION"]}}
    with pytest.raises(InvalidArgs, match=r"security\.provenance\.build_args: build\.args is an output as a whole"):
        declared(lambda: {"args": later(ARGS)}, security=security)
