"""How an image is built: what each builder is given, and what is refused."""

from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown
from pulumi.runtime import rpc
from pulumi_docker_build import Platform

from sc_secure import SecuredImage
from sc_secure.components import _build
from tests.components.mocked import DIGEST, REFERENCE, Mocks, run

IMAGE = "docker-build:index:Image::app-image"
BUILD: dict[str, Any] = {
    "context": "app",
    "dockerfile": "app/Dockerfile",
    "builder": "docker-build",
    "platforms": ["linux/amd64", "linux/arm64"],
    "target": "web",
    "args": {"VERSION": "1"},
    "secrets": {"token": "s3cret-sentinel"},
    "cache_from": ["type=registry,ref=registry.example/team/app:cache"],
    "cache_to": ["type=registry,ref=registry.example/team/app:cache,mode=max"],
    "network": "none",
    "registries": [{"server": "bases.example", "username": "reader", "password": "s3cret-other"}],
}
SECURITY: dict[str, Any] = {"signing": {"key": "cosign.key"}, "provenance": {"include_git": False}}


def build_mocks(digest: str | None = DIGEST) -> Mocks:
    return Mocks(outputs={"docker-build:index:Image": {"digest": digest}})


def secured(build: dict[str, Any], **changes: Any) -> SecuredImage:
    args: Any = {"image_name": "registry.example/team/app:1", "build": build, "security": SECURITY, **changes}
    return SecuredImage("app", args)


def secret(value: Any) -> dict[str, Any]:
    """A value as the engine is given it: to be encrypted in the state."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def refused(build: dict[str, Any], mocks: Mocks | None = None) -> str:
    mocks = mocks or build_mocks()
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: secured(build).deployable_ref, mocks)
    assert mocks.resources == {}, "nothing is registered"
    assert "s3cret" not in str(raised.value)
    return str(raised.value)


def test_docker_build_is_given_all_that_is_said() -> None:
    mocks = build_mocks()
    registry = {"server": "registry.example", "username": "pusher", "password": "s3cret-own"}
    assert run(lambda: secured(BUILD, registry=registry).deployable_ref, mocks) == REFERENCE
    _, inputs = mocks.resources[IMAGE]
    assert inputs == {
        "push": True,
        "buildOnPreview": False,
        "tags": ["registry.example/team/app:1"],
        "context": {"location": "app"},
        "dockerfile": {"location": "app/Dockerfile"},
        "platforms": ["linux/amd64", "linux/arm64"],
        "target": "web",
        "buildArgs": {"VERSION": "1"},
        "secrets": secret({"token": "s3cret-sentinel"}),
        "ignoreSecretsInDiffCalculation": ["token"],
        "cacheFrom": [{"raw": "type=registry,ref=registry.example/team/app:cache"}],
        "cacheTo": [{"raw": "type=registry,ref=registry.example/team/app:cache,mode=max"}],
        "network": "none",
        "registries": secret(
            [
                {"address": "registry.example", "username": "pusher", "password": "s3cret-own"},
                {"address": "bases.example", "username": "reader", "password": "s3cret-other"},
            ]
        ),
    }
    assert "docker:index/image:Image::app-image" not in mocks.resources


def test_docker_build_is_given_no_more_than_is_said() -> None:
    mocks = build_mocks()
    run(lambda: secured({"context": "app", "builder": "docker-build"}).deployable_ref, mocks)
    given = {"push": True, "buildOnPreview": False, "tags": ["registry.example/team/app:1"], "network": "default"}
    assert mocks.resources[IMAGE][1] == given | {"context": {"location": "app"}}


def test_steps_are_told_of_the_build_and_of_no_secret() -> None:
    mocks = build_mocks()
    run(lambda: secured(BUILD).deployable_ref, mocks)
    said = "--context app --dockerfile app/Dockerfile --target web --platform linux/amd64 --platform linux/arm64"
    assert f"{said} --builder docker-build --build-arg-name VERSION" in mocks.commands()["app-attest-provenance"]
    steps = {key: inputs for key, (_, inputs) in mocks.resources.items() if key != IMAGE}
    assert "s3cret" not in str(steps)
    assert "token" not in str(steps)


def test_one_platform_is_said_as_with_docker() -> None:
    mocks = build_mocks()
    build = {"context": "app", "builder": "docker-build", "platform": "linux/arm64"}
    run(lambda: secured(build).deployable_ref, mocks)
    assert mocks.resources[IMAGE][1]["platforms"] == ["linux/arm64"]


def test_the_docker_builder_is_the_usual_one_and_may_be_named() -> None:
    commands = []
    for build in ({"context": "app"}, {"context": "app", "builder": "docker"}):
        mocks = build_mocks()
        run(lambda build=build: secured(build).deployable_ref, mocks)
        assert mocks.resources["docker:index/image:Image::app-image"][1]["build"] == {"context": "app"}
        commands.append(mocks.commands())
    assert commands[0] == commands[1]


@pytest.mark.parametrize("digest", ["", None])
def test_a_preview_does_not_take_an_empty_digest_for_one(digest: str | None) -> None:
    """What the plugin gives where nothing but the context's files has changed."""
    mocks = build_mocks(digest)
    assert run(lambda: secured(BUILD).image_ref, mocks, preview=True) is None
    assert isinstance(mocks.commands()["app-sign"], Unknown), "and not a command about an image that isn't there"


def test_a_preview_passes_a_known_digest_on() -> None:
    assert run(lambda: secured(BUILD).deployable_ref, build_mocks(), preview=True) == REFERENCE


def test_an_update_without_a_digest_signs_nothing() -> None:
    mocks = build_mocks("")
    with pytest.raises(pulumi.RunError, match="app-image: the builder named no digest"):
        run(lambda: secured(BUILD).deployable_ref, mocks)
    assert not mocks.commands().get("app-sign")


def test_a_name_without_a_registry_has_its_digest_too() -> None:
    mocks = build_mocks()
    got = run(lambda: secured(BUILD, image_name="team/app:1").image_ref, mocks)
    assert got == f"team/app@{DIGEST}"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"builder": "docker-buidl"}, "build.builder: unknown builder; did you mean docker-build?"),
    ({"platfroms": []}, "build.platfroms: unknown argument; did you mean platforms?"),
    ({"platforms": []}, "build.platforms: between 1 and 16 platforms"),
    ({"platforms": ["linux/amd64"] * 17}, "build.platforms: between 1 and 16 platforms"),
    ({"platforms": "linux/amd64"}, "build.platforms: a list is expected"),
    ({"platforms": ["linux/amd64", "linux/amd46"]}, "build.platforms[1]: unknown platform; did you mean linux/amd64?"),
    ({"platforms": ["linux/arm/v7"]}, "build.platforms[0]: unknown platform; did you mean linux/arm?"),
    ({"platforms": ["linux/amd64", "linux/amd64"]}, "build.platforms[1]: is named twice"),
    ({"platform": "linux/amd64"}, "build.platform: excludes platforms"),
    ({"secrets": {"a b": "x"}}, "build.secrets.a b: letters, digits"),
    ({"secrets": {"a": 1}}, "build.secrets.a: a string is expected"),
    ({"network": "hots"}, "build.network: unknown network; did you mean host?"),
    ({"cache_from": ["registry.example/app:cache"]}, "build.cache_from[0]: pairs of key and value are expected"),
    ({"cache_from": ['"type=registry']}, "build.cache_from[0]: pairs of key and value are expected"),
    ({"cache_from": [""]}, "build.cache_from[0]: pairs of key and value are expected"),
    ({"cache_from": ["ref=registry.example/app:cache"]}, "build.cache_from[0]: its type is missing"),
    ({"cache_from": ["type=registri"]}, "build.cache_from[0]: its type is unknown; did you mean registry?"),
    ({"cache_from": ["type=inline"]}, "build.cache_from[0]: its type is unknown"),
    ({"cache_to": ["type=gha,token=s3cret"]}, "build.cache_to[0]: a credential would stand in the state"),
    ({"cache_to": ["type=s3,secret_access_key=s3cret"]}, "build.cache_to[0]: a credential would stand"),
    ({"cache_to": ["type=local,dest=/var/cache"]}, "build.cache_to[0]: an absolute path differs"),
    ({"registries": [{"username": "x"}]}, "build.registries[0].server: missing"),
    ({"context": "/elsewhere"}, "build.context: an absolute path outside"),
]


@pytest.mark.parametrize(("changes", "said"), BAD, ids=[said for _, said in BAD])
def test_refused_before_anything_is_registered(changes: dict[str, Any], said: str) -> None:
    assert said in refused(BUILD | changes)


@pytest.mark.parametrize("key", ["platforms", "secrets", "cache_from", "cache_to", "network", "registries"])
def test_what_docker_does_not_have_is_refused_with_the_reason(key: str) -> None:
    said = refused({"context": "app", key: BUILD[key]})
    assert f"build.{key}: the docker builder " in said
    assert "builder docker-build" in said


def test_the_platforms_are_those_that_the_sdk_has_a_name_for() -> None:
    assert set(_build._PLATFORMS) == {each.value for each in Platform}


def test_every_problem_is_told_at_once() -> None:
    said = refused(BUILD | {"platforms": ["linux"], "network": "x", "cache_to": ["x"]})
    assert all(path in said for path in ("build.platforms[0]", "build.network", "build.cache_to[0]"))


def test_a_cache_that_another_resource_names_is_checked_once_it_is_known() -> None:
    def program(entry: str) -> pulumi.Output[str]:
        return secured(BUILD | {"cache_from": [pulumi.Output.from_input(entry)]}).deployable_ref

    mocks = build_mocks()
    run(lambda: program("type=registry,ref=registry.example/app:cache"), mocks)
    assert mocks.resources[IMAGE][1]["cacheFrom"] == [{"raw": "type=registry,ref=registry.example/app:cache"}]
    with pytest.raises(pulumi.RunError, match=r"build.cache_from\[0\]: a credential would stand"):
        run(lambda: program("type=gha,token=s3cret"), build_mocks())


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "build.builder: docker-build needs the package pulumi-docker-build: pip install" in refused(BUILD)
