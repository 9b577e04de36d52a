import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from sc_secure.context.credentials import credentials_for
from sc_secure.tools.process import Runner
from sc_secure.tools.registry import Credentials


@pytest.fixture
def ask(tmp_path: Path):
    def ask(config: Any, host: str = "r.example:5000") -> Credentials | None:
        (tmp_path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
        environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
        return credentials_for(host, Runner(), environ, tmp_path)

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


@pytest.mark.parametrize("name", ["missing", "failing", "../evil", "odd"])
def test_a_helper_that_has_nothing(ask, tmp_path: Path, name: str) -> None:
    helper(tmp_path, "failing", "credentials not found", 1)
    helper(tmp_path, "odd", "[1]")
    assert ask({"credsStore": name}) is None
    assert ask({"credsStore": name, "auths": {"r.example:5000": {"auth": AUTH}}}) == Credentials("bob", "p:w")


@pytest.mark.parametrize("config", ["", "{", "[]", '{"auths": 3, "credHelpers": []}', "[" * 100_000])
def test_a_broken_config_is_none(ask, config: str) -> None:
    assert ask(config) is None
