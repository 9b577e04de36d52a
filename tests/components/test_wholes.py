"""Whole nested arguments that are outputs, in a Python program: nobody can look into one before it is resolved."""

from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown
from pulumi.runtime import rpc

from sc_secure import SbomCommand, SecuredImage
from sc_secure.components._validate import InvalidArgs, validated
from sc_secure.components.args import SecuredImageArgs
from tests.components.mocked import REFERENCE, Mocks, run, unknown

LOGIN = {"server": "registry.example", "username": "me", "password": "s3cret"}
REMOTE: dict[str, Any] = {"host": "build.example", "host_key": "ssh-ed25519 AAAA", "port": 2222}
BUILD: dict[str, Any] = {"image_name": "registry.example/app:1", "build": {"context": "app"}}
IMAGE = "docker:index/image:Image::app-image"


def later(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.from_input("").apply(lambda _: value)


def registry_of(mocks: Mocks) -> dict[str, Any]:
    """The image's, which is a secret as a whole to the mocks, since its password is one."""
    given = mocks.resources[IMAGE][1]["registry"]
    assert rpc.is_rpc_secret(given)
    return {key: "?" if isinstance(value, Unknown) else value for key, value in rpc.unwrap_rpc_secret(given).items()}


def declared(make: Any, *, preview: bool = False, **more: Any) -> Mocks:
    """What an image declares, some of whose arguments are made within the program."""
    mocks = Mocks()
    run(lambda: SecuredImage("app", {**BUILD, **more, **make()}).image_ref, mocks, preview=preview)
    return mocks


@pytest.mark.parametrize("whole", [later, pulumi.Output.secret])
def test_a_registry_is_what_it_would_be_in_parts(whole: Any) -> None:
    parts = declared(lambda: {"registry": LOGIN}, security={"sbom": {}})
    assert declared(lambda: {"registry": whole(LOGIN)}, security={"sbom": {}}).resources == parts.resources
    assert registry_of(parts) == LOGIN


def test_each_value_is_as_secret_as_the_whole() -> None:
    seen: dict[str, bool] = {}

    def program() -> pulumi.Output[str]:
        given = {"image_ref": REFERENCE, "registry": pulumi.Output.secret(LOGIN)}
        registry: Any = validated("SecuredImage", SecuredImageArgs, given)["registry"]

        async def look() -> str:
            seen.update({key: await value.is_secret() for key, value in registry.items()})
            return ""

        return pulumi.Output.from_input(look())

    run(program, Mocks())
    assert seen == dict.fromkeys(LOGIN, True)


def test_what_a_preview_doesn_t_know_is_unknown_and_nothing_else_changes() -> None:
    whole = declared(lambda: {"registry": unknown()}, preview=True)
    assert registry_of(whole) == dict.fromkeys(LOGIN, "?")
    assert whole.resources[IMAGE][1]["imageName"] == BUILD["image_name"]
    partly = declared(lambda: {"registry": later({**LOGIN, "password": Unknown()})}, preview=True)
    assert registry_of(partly) == {**LOGIN, "password": "?"}


@pytest.mark.parametrize(
    ("registry", "refused"),
    [
        ({**LOGIN, "pasword": "hush"}, "registry.pasword: unknown argument"),
        ({"username": "me"}, "registry.server: missing"),
        ({**LOGIN, "username": 3}, "registry.username: a string is expected"),
        ("hush", "registry: a mapping is expected"),
    ],
)
def test_one_that_won_t_do_is_refused_by_its_path_once_it_is_known(registry: Any, refused: str) -> None:
    with pytest.raises(InvalidArgs) as raised:
        declared(lambda: {"registry": later(registry)}, security={"sbom": {}})
    assert refused in str(raised.value)
    assert "hush" not in str(raised.value)


def test_a_registry_that_turns_out_to_have_no_password_is_refused() -> None:
    def program() -> pulumi.Output[str]:
        given = {"image": REFERENCE, "registry": later({"server": "r.example", "username": None})}
        return SbomCommand("one", given).passed_ref

    with pytest.raises(pulumi.RunError, match="username and password missing: a registry that is an output as a whole"):
        run(program, Mocks())


@pytest.mark.parametrize("whole", [later, pulumi.Output.secret])
def test_a_build_host_is_what_it_would_be_in_parts(whole: Any) -> None:
    def host(remote: Any) -> dict[str, Any]:
        mocks = Mocks()

        def program() -> pulumi.Output[str]:
            args: Any = {"image_ref": REFERENCE, "security": {"sbom": {}}, "execution": {"remote": remote()}}
            return SecuredImage("app", args).deployable_ref

        run(program, mocks)
        connection = mocks.resources["command:remote:Command::app-sbom"][1]["connection"]
        return {key: value for key, value in connection.items() if value is not None}

    assert host(lambda: whole({**REMOTE, "port": 2222.0})) == host(lambda: REMOTE)
    assert host(lambda: whole({"host": "h", "host_key": "k"})) == host(lambda: {"host": "h", "host_key": "k"})
    with pytest.raises(InvalidArgs, match=r"execution\.remote\.port: between 1 and 65535"):
        host(lambda: whole({**REMOTE, "port": 0}))
    with pytest.raises(InvalidArgs, match=r"execution\.remote\.host_key: is empty"):
        host(lambda: whole({**REMOTE, "host_key": ""}))


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"security": {"sbom": {}}}, "security"),
        ({"build": {"context": "app"}}, "build"),
        ({"execution": {"remote": REMOTE}}, "execution"),
    ],
)
def test_what_decides_which_resources_there_are_has_to_be_known(given: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgs, match=f"  {path}: must be known .* as a whole; give a plain value, of which"):
        declared(lambda: {key: later(value) for key, value in given.items()})
