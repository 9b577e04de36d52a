import base64
import json
import stat
from pathlib import Path
from typing import Any, cast

import pytest

from sc_secure.context.credentials import NOWHERE, Given, NamedVariables, credentials_for, login
from sc_secure.context.git import git_state
from sc_secure.errors import ConfigError, NotAuthorised
from sc_secure.steps.session import open_session
from sc_secure.tools.lifeline import Lifeline, StepTimedOut
from sc_secure.tools.process import Runner
from sc_secure.tools.reference import ImageReference, parse_reference
from sc_secure.tools.registry import Credentials


@pytest.fixture
def ask(tmp_path: Path):
    def ask(config: Any, host: str = "r.example:5000", repository: str = "") -> Credentials | None:
        (tmp_path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
        environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
        return credentials_for(host, Runner(), environ, tmp_path, repository=repository)

    return ask


def helper(tmp_path: Path, name: str, answer: str, code: int = 0) -> None:
    path = tmp_path / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n[ $1 = get ] || exit 9\ncat > {tmp_path}/asked\nprintf '%s' '{answer}'\nexit {code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


AUTH = base64.b64encode(b"bob:p:w").decode()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"auth": AUTH}, Credentials("bob", "p:w")),
        ({"username": "bob", "password": "pw"}, Credentials("bob", "pw")),
        ({"auth": AUTH, "identitytoken": "tok"}, Credentials("bob", "p:w", "tok")),
        ({"auth": "%%%"}, None),
        ({}, None),
    ],
)
def test_auths(ask, entry: dict[str, str], expected: Credentials | None) -> None:
    assert ask({"auths": {"r.example:5000": entry}}) == expected
    assert ask({"auths": {"https://r.example:5000/v1/": entry}}) == expected
    assert ask({"auths": {"other.example": entry}}) is None


def test_docker_hub(ask) -> None:
    config = {"auths": {"https://index.docker.io/v1/": {"auth": AUTH}}}
    assert ask(config, "index.docker.io") == Credentials("bob", "p:w")


def test_helpers(ask, tmp_path: Path) -> None:
    helper(tmp_path, "one", '{"ServerURL":"x","Username":"bob","Secret":"pw"}')
    helper(tmp_path, "two", '{"Username":"<token>","Secret":"tok"}')
    config = {"credHelpers": {"r.example:5000": "two"}, "credsStore": "one"}
    assert ask(config) == Credentials(identity_token="tok")
    assert ask(config, "other.example") == Credentials("bob", "pw")
    assert (tmp_path / "asked").read_text() == "other.example"


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "index.docker.io"])
def test_a_helper_of_docker_hub(ask, tmp_path: Path, key: str) -> None:
    helper(tmp_path, "hub", '{"Username":"bob","Secret":"pw"}')
    assert ask({"credHelpers": {key: "hub"}}, "index.docker.io", "library/debian") == Credentials("bob", "pw")
    assert (tmp_path / "asked").read_text() == "https://index.docker.io/v1/"


@pytest.mark.parametrize("key", ["r.example:5000/team/app", "http://r.example:5000/", "https://r.example:5000/v2/x"])
def test_names_with_paths(ask, key: str) -> None:
    assert ask({"auths": {key: {"auth": AUTH}}}, repository="team/app") == Credentials("bob", "p:w")
    assert ask({"auths": {key: {"auth": AUTH}}}, "r.example", "team/app") is None


def test_a_repository_s_own_entry_comes_first(ask) -> None:
    own, general = {"username": "own", "password": "pw"}, {"username": "all", "password": "pw"}
    auths = {"r.example:5000/team/app": own, "r.example:5000": general}
    assert ask({"auths": auths}, repository="team/app") == Credentials("own", "pw")
    assert ask({"auths": auths}, repository="team/other") == Credentials("all", "pw")


def test_a_helper_that_has_nothing(ask, tmp_path: Path) -> None:
    helper(tmp_path, "empty", "credentials not found in native keychain", 1)
    for name in ("empty", "../evil"):
        assert ask({"credsStore": name}) is None
        assert ask({"credsStore": name, "auths": {"r.example:5000": {"auth": AUTH}}}) == Credentials("bob", "p:w")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing", "docker-credential-missing is not on PATH"),
        ("failing", "docker-credential-failing: exit code 1"),
        ("odd", "docker-credential-odd: not a JSON object"),
        ("blank", "docker-credential-blank: its answer holds no login"),
    ],
)
def test_a_helper_that_fails_is_named(ask, tmp_path: Path, name: str, why: str) -> None:
    helper(tmp_path, "failing", "hunter2", 1)
    helper(tmp_path, "odd", '["hunter2"]')
    helper(tmp_path, "blank", '{"Secret":"hunter2"}')
    with pytest.raises(NotAuthorised) as refused:
        ask({"credHelpers": {"r.example:5000": name}})
    assert why in refused.value.message
    assert "r.example:5000" in refused.value.advice
    assert "hunter2" not in refused.value.diagnostics()
    entry = {"auths": {"r.example:5000": {"auth": AUTH}}}
    assert ask({"credHelpers": {"r.example:5000": name}, **entry}) == Credentials("bob", "p:w")


@pytest.mark.parametrize("config", ["", "{", "[]", '{"auths": 3, "credHelpers": []}', "[" * 100_000])
def test_a_broken_config_is_none(ask, config: str) -> None:
    assert ask(config) is None


def test_a_helper_that_hangs_is_no_way_past_the_time_out(ask, tmp_path: Path) -> None:
    path = tmp_path / "docker-credential-slow"
    path.write_text("#!/bin/sh\nsleep 60\n")
    path.chmod(0o755)
    for config in ({"credsStore": "slow"}, {"credsStore": "slow", "auths": {"r.example:5000": {"auth": AUTH}}}):
        with pytest.raises(StepTimedOut), Lifeline(0.5):
            ask(config)


def test_nor_is_a_clouds_program(tmp_path: Path) -> None:
    for name in ("aws", "git"):
        (tmp_path / name).write_text("#!/bin/sh\nsleep 60\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(StepTimedOut), Lifeline(0.5):
        private(tmp_path, ECR)
    with pytest.raises(StepTimedOut), Lifeline(0.5):
        git_state(tmp_path, [], Runner(), {"PATH": f"{tmp_path}:/usr/bin:/bin"}, tmp_path)


def private(tmp_path: Path, host: str, given: Given = NOWHERE, **environ: str) -> Path | None:
    docker = tmp_path / "theirs"
    docker.mkdir()
    (docker / "config.json").write_text(json.dumps({"auths": {"known.example": {"auth": AUTH}}}))
    environ = {"DOCKER_CONFIG": str(docker), "PATH": f"{tmp_path}:/usr/bin:/bin", **environ}
    return login(host, given, Runner(), environ, tmp_path)


NAMED = Given(NamedVariables("THE_USER", "THE_PASSWORD"))


def test_named_variables_win_and_stay_private(tmp_path: Path) -> None:
    folder = private(tmp_path, "known.example", NAMED, THE_USER="eve", THE_PASSWORD="p:w")
    assert folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "config.json").stat().st_mode) == 0o600
    environ = {"DOCKER_CONFIG": str(folder)}
    assert credentials_for("known.example", Runner(), environ, tmp_path) == Credentials("eve", "p:w")
    assert credentials_for("other.example", Runner(), environ, tmp_path) is None


@pytest.mark.parametrize("environ", [{}, {"THE_USER": "eve"}, {"THE_USER": "eve", "THE_PASSWORD": ""}])
def test_a_named_variable_that_is_not_set(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="THE_PASSWORD"):
        private(tmp_path, "known.example", NAMED, **environ)


def test_docker_s_own_configuration_is_left_to_docker(tmp_path: Path) -> None:
    assert private(tmp_path, "known.example") is None


ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def test_a_cloud_s_helper_and_else_its_program(tmp_path: Path) -> None:
    aws = tmp_path / "aws"
    aws.write_text(f"#!/bin/sh\necho {'t' * 20}\n")
    aws.chmod(0o755)
    folder = private(tmp_path, ECR)
    assert folder
    environ = {"DOCKER_CONFIG": str(folder)}
    assert credentials_for(ECR, Runner(), environ, tmp_path) == Credentials("AWS", "t" * 20)
    (folder / "config.json").unlink()
    folder.rmdir()
    helper(tmp_path, "ecr-login", '{"Username":"AWS","Secret":"by-the-helper"}')
    folder = login(ECR, NOWHERE, Runner(), {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}, tmp_path)
    assert folder
    assert credentials_for(ECR, Runner(), environ, tmp_path) == Credentials("AWS", "by-the-helper")


def test_nobody_has_any(tmp_path: Path) -> None:
    assert private(tmp_path, "other.example") is None
    assert login(ECR, NOWHERE, Runner(), {"PATH": "/nowhere", "HOME": str(tmp_path)}, tmp_path) is None


def given_file(tmp_path: Path, server: str, mode: int = 0o600) -> Given:
    path = tmp_path / "given.json"
    login = base64.b64encode(b"robot$ci:from:the:program").decode()
    path.write_text(json.dumps({"auths": {server: {"auth": login}}}))
    path.chmod(mode)
    return Given(file=path)


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("known.example", "known.example"),
        ("https://ghcr.io/v2/", "ghcr.io"),
        ("docker.io", "index.docker.io"),
        ("https://index.docker.io/v1/", "index.docker.io"),
    ],
)
def test_a_given_file_wins_over_docker_s(tmp_path: Path, server: str, host: str) -> None:
    folder = private(tmp_path, host, given_file(tmp_path, server))
    assert folder
    found = credentials_for(host, Runner(), {"DOCKER_CONFIG": str(folder)}, tmp_path)
    assert found == Credentials("robot$ci", "from:the:program")


def test_a_given_file_of_another_registry_and_one_that_is_not_there(tmp_path: Path) -> None:
    assert private(tmp_path, "known.example", given_file(tmp_path, "other.example")) is None
    assert login("known.example", Given(file=tmp_path / "none"), Runner(), {"HOME": str(tmp_path)}, tmp_path) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_given_file_that_others_can_touch(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="others can read or write it"):
        private(tmp_path, "known.example", given_file(tmp_path, "known.example", mode))


def test_a_given_file_that_is_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(cast(Path, given_file(tmp_path, "known.example").file))
    with pytest.raises(ConfigError, match="symbolic link"):
        private(tmp_path, "known.example", Given(file=link))


def image_in(host: str, repository: str = "app") -> ImageReference:
    return parse_reference(f"{host}/{repository}@sha256:{'a' * 64}")


def test_a_run_that_asks_several_registries(tmp_path: Path) -> None:
    """What is found for one hides nothing of another: the file's, docker's own, a cloud's, and nobody's."""
    aws = tmp_path / "aws"
    aws.write_text(f"#!/bin/sh\necho {'t' * 20}\n")
    aws.chmod(0o755)
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"known.example": {"auth": AUTH}}}))
    environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    given = given_file(tmp_path, "mine.example")
    with open_session(environ=environ, registry=given) as session:
        hosts = ("mine.example", "known.example", ECR, "open.example")
        found = {host: session._credentials(image_in(host)) for host in hosts}
        aws.unlink()
        again = session._credentials(image_in(ECR, "another"))
    assert found == {
        "mine.example": Credentials("robot$ci", "from:the:program"),
        "known.example": Credentials("bob", "p:w"),
        ECR: Credentials("AWS", "t" * 20),
        "open.example": None,
    }
    assert again == found[ECR], "asked for once"


def test_a_repository_s_own_login_is_for_it_alone(tmp_path: Path) -> None:
    auths = {"known.example": {"auth": AUTH}, "known.example/own": {"auth": base64.b64encode(b"own:pw").decode()}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    with open_session(environ={"DOCKER_CONFIG": str(tmp_path), "TMPDIR": str(tmp_path)}) as session:
        found = [session._credentials(image_in("known.example", name)) for name in ("app", "own", "other")]
    bob = Credentials("bob", "p:w")
    assert found == [bob, Credentials("own", "pw"), bob]
