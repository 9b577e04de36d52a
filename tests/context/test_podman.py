"""Logins that podman keeps, beside docker's configuration."""

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from sc_secure.context.credentials import NOWHERE, credentials_for, login, podman_file
from sc_secure.errors import ConfigError, NotAuthorised
from sc_secure.steps.session import open_session
from sc_secure.tools.process import Runner
from sc_secure.tools.reference import parse_reference
from sc_secure.tools.registry import Credentials

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
HUB = "index.docker.io"


def entry(user: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:p:w".encode()).decode()}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def helper(tmp_path: Path, name: str, answer: str, code: int = 0) -> None:
    path = write(
        tmp_path / f"docker-credential-{name}", f"#!/bin/sh\ncat > {tmp_path}/asked\necho '{answer}'\nexit {code}\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


class Machine:
    """What a run finds there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"HOME": str(folder), "PATH": f"{folder}:/usr/bin:/bin", "TMPDIR": str(folder)}

    def podman(self, config: Any) -> None:
        self.environ["REGISTRY_AUTH_FILE"] = str(write(self.folder / "auth.json", config))

    def docker(self, config: Any) -> None:
        write(self.folder / ".docker/config.json", config)

    def user(self, host: str, repository: str = "team/app") -> str | None:
        """Whose login the tools get in their private configuration: under the host's own name. None: they get none."""
        temp = self.folder / f"run{len(list(self.folder.iterdir()))}"
        temp.mkdir()
        config = login(host, NOWHERE, Runner(), self.environ, temp, repository=repository)
        if config is None:
            return None
        assert stat.S_IMODE((config / "config.json").stat().st_mode) == 0o600
        found = credentials_for(host, Runner(), {"DOCKER_CONFIG": str(config)}, temp)
        assert found
        return found.username or found.identity_token


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("auths", "repository", "user"),
    [
        (["r.example:5000"], "team/app", "r.example:5000"),
        (["r.example:5000", "r.example:5000/team", "r.example:5000/team/app"], "team/app", "r.example:5000/team/app"),
        (["r.example:5000", "r.example:5000/team", "r.example:5000/team/app"], "team/other", "r.example:5000/team"),
        (["r.example:5000", "r.example:5000/team"], "teams/app", "r.example:5000"),
        (["r.example:5000/team", "r.example:5000/team/app/more"], "team/app", "r.example:5000/team"),
        (["r.example:5000/team"], "other", None),
        (["r.example:5000/team"], "", None),
        (["https://r.example:5000/v1/"], "team/app", "https://r.example:5000/v1/"),
        (["https://r.example:5000", "r.example:5000"], "team/app", "r.example:5000"),
        (["r.example", "other.example:5000", "xr.example:5000/team"], "team/app", None),
    ],
)
def test_the_most_specific_counts(machine: Machine, auths: list[str], repository: str, user: str | None) -> None:
    names = {name: f"user{index}" for index, name in enumerate(auths)}
    machine.podman({"auths": {name: entry(known) for name, known in names.items()}})
    assert machine.user("r.example:5000", repository) == (names[user] if user else None)


@pytest.mark.parametrize(
    ("key", "user"),
    [
        ("docker.io", "bob"),
        ("docker.io/library", "bob"),
        ("index.docker.io", "bob"),
        ("https://index.docker.io/v1/", "bob"),
        ("docker.io/other", None),
    ],
)
def test_docker_hub(machine: Machine, key: str, user: str | None) -> None:
    machine.podman({"auths": {key: entry("bob")}})
    assert machine.user(HUB, "library/debian") == user


@pytest.mark.parametrize("useless", [{}, {"auth": "%%%"}, "text", None])
def test_an_entry_that_holds_nothing_is_passed_over(machine: Machine, useless: Any) -> None:
    machine.podman({"auths": {"r.example/team": useless, "r.example": entry("bob")}})
    assert machine.user("r.example") == "bob"


def test_docker_s_configuration_comes_first_and_hides_no_other_registry(machine: Machine) -> None:
    machine.podman({"auths": {"r.example": entry("podman"), "other.example": entry("podman")}})
    machine.docker({"auths": {"r.example": entry("docker")}})
    assert machine.user("r.example") is None, "it is left to docker's own"
    assert podman_file("r.example", "team/app", machine.environ) is None
    assert machine.user("other.example") == "podman"
    machine.docker({"credsStore": "desktop"})
    assert machine.user("other.example") is None


def test_it_comes_before_the_cloud_s_identity(machine: Machine) -> None:
    aws = write(machine.folder / "aws", f"#!/bin/sh\necho {'t' * 20}\n")
    aws.chmod(0o755)
    machine.podman({"auths": {ECR: entry("podman")}})
    assert machine.user(ECR) == "podman"
    machine.podman({"auths": {"other.example": entry("podman")}})
    assert machine.user(ECR) == "AWS"


def test_where_it_is_looked_for(machine: Machine) -> None:
    runtime, home = machine.folder / "runtime", machine.folder / ".config"
    write(home / "containers/auth.json", {"auths": {"r.example": entry("home"), "other.example": entry("home")}})
    assert machine.user("r.example") == "home"
    machine.environ["XDG_RUNTIME_DIR"] = str(runtime)
    assert machine.user("r.example") == "home", "there is none yet"
    there = write(runtime / "containers/auth.json", {"auths": {"r.example": entry("runtime")}})
    assert machine.user("r.example") == "runtime"
    assert podman_file("r.example", "team/app", machine.environ) == there
    assert machine.user("other.example") == "home"
    machine.environ["XDG_CONFIG_HOME"] = str(machine.folder / "elsewhere")
    assert machine.user("other.example") is None
    write(machine.folder / "elsewhere/containers/auth.json", {"auths": {"other.example": entry("elsewhere")}})
    assert machine.user("other.example") == "elsewhere"
    machine.podman({"auths": {"r.example": entry("named")}})
    assert machine.user("r.example") == "named"
    assert machine.user("other.example") is None, "a file that is named is the only one"
    machine.environ["REGISTRY_AUTH_FILE"] = str(machine.folder / "gone.json")
    assert machine.user("r.example") is None


def test_a_helper(machine: Machine) -> None:
    helper(machine.folder, "one", '{"Username":"<token>","Secret":"tok"}')
    machine.podman({"credHelpers": {"r.example": "one", "docker.io": "one"}, "auths": {"r.example": entry("bob")}})
    assert machine.user("r.example") == "tok"
    assert (machine.folder / "asked").read_text() == "r.example"
    assert machine.user(HUB) == "tok"
    assert (machine.folder / "asked").read_text() == "docker.io"
    helper(machine.folder, "one", "credentials not found in native keychain", 1)
    assert machine.user("r.example") == "bob"
    machine.podman({"credHelpers": {"r.example": "../evil"}})
    assert machine.user("r.example") is None


def test_a_helper_that_fails_is_told_with_its_file(machine: Machine) -> None:
    helper(machine.folder, "one", "hunter2", 1)
    machine.podman({"credHelpers": {"r.example": "one"}})
    with pytest.raises(NotAuthorised) as refused:
        machine.user("r.example")
    file = machine.environ["REGISTRY_AUTH_FILE"]
    assert f"{file} leaves it to a helper that fails: docker-credential-one: exit code 1" in refused.value.message
    assert "hunter2" not in refused.value.diagnostics()


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, '{"auths": {"' + "x" * 2**20 + '": {}}}'])
def test_a_broken_file_is_named(machine: Machine, content: str) -> None:
    machine.podman(content)
    with pytest.raises(ConfigError) as refused:
        machine.user("r.example")
    assert f"{machine.environ['REGISTRY_AUTH_FILE']}, for the registry's credentials" in refused.value.message
    assert "REGISTRY_AUTH_FILE" in refused.value.advice
    machine.docker({"auths": {"r.example": entry("docker")}})
    assert machine.user("r.example") is None, "nobody looks at it where docker's says enough"


@pytest.mark.parametrize("content", ['{"auths": 3, "credHelpers": []}', "{}"])
def test_one_with_nothing_in_it_is_none(machine: Machine, content: str) -> None:
    machine.podman(content)
    assert machine.user("r.example") is None


def test_what_is_no_file_is_none(machine: Machine) -> None:
    pipe = machine.folder / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, machine.folder, Path("/dev/null/auth.json")):
        machine.environ["REGISTRY_AUTH_FILE"] = str(path)
        assert machine.user("r.example") is None


def test_a_run_that_asks_several_repositories(machine: Machine) -> None:
    machine.podman({"auths": {"r.example": entry("all"), "r.example/team": entry("team")}})
    with open_session(environ=machine.environ) as session:
        images = [parse_reference(f"r.example/{name}@sha256:{'a' * 64}") for name in ("app", "team/app", "other")]
        found = [session._credentials(image) for image in images]
    assert found == [Credentials("all", "p:w"), Credentials("team", "p:w"), Credentials("all", "p:w")]
