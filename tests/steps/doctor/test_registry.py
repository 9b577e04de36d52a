"""What a registry lets us do, by a real one, with and without a door in front of it."""

import base64
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.faulty_proxy import FaultyProxy, faulty_proxy
from tests.plugins.basic_auth import PASSWORD, READER, USERNAME, locked
from tests.steps.doctor.looked import rows, status

NAMED = "--registry-username-env THE_USER --registry-password-env THE_PASSWORD --output json"
ALL = ("reach", "login", "pull", "push", "referrers")


@pytest.fixture
def closed(registry: str) -> Iterator[str]:
    with locked(registry) as address:
        yield address


@pytest.fixture
def proxy(registry: str) -> Iterator[FaultyProxy]:
    with faulty_proxy(f"http://{registry}") as proxy:
        yield proxy


def host(proxy: FaultyProxy) -> str:
    return proxy.url.partition("://")[2]


def test_a_registry_without_a_door(sc: CommandLine, image: str, registry: str) -> None:
    done = sc(f"doctor --image {image} --output json")
    assert done.code == 0, done.stderr
    found = rows(done)
    assert status(done, "registry") == dict.fromkeys(ALL, "ok")
    assert found["registry.login"]["detail"] == f"{registry} asks for no login"
    assert image in found["registry.pull"]["detail"]
    assert "no referrers API" in found["registry.referrers"]["detail"]


def test_a_repository_or_a_tag_that_is_not_there_yet(sc: CommandLine, image: str, registry: str) -> None:
    name = image.partition("@")[0]
    for reference in (f"{registry}/nothing-here-yet", f"{name}:no-such-tag", name):
        done = sc(f"doctor --image {reference} --output json")
        assert done.code == 0, done.stderr
        assert status(done, "registry") == dict.fromkeys(ALL, "ok")


def test_a_digest_that_is_not_there(sc: CommandLine, image: str) -> None:
    gone = image.partition("@")[0] + "@sha256:" + "0" * 64
    done = sc(f"doctor --image {gone} --output json")
    assert done.code == 6
    assert rows(done)["registry.pull"]["detail"] == f"{gone} isn't there"
    assert done.stderr == "sc-secure: a deployment wouldn't work here: registry.pull\n"


def test_who_may_push(sc: CommandLine, image: str, registry: str, closed: str) -> None:
    reference = image.replace(registry, closed)
    done = sc(f"doctor --image {reference} {NAMED} -v", THE_USER=USERNAME, THE_PASSWORD=PASSWORD)
    assert done.code == 0, done.stderr
    assert status(done, "registry") == dict.fromkeys(ALL, "ok")
    assert rows(done)["registry.login"]["detail"] == "logged in by THE_USER and THE_PASSWORD"
    assert PASSWORD not in done.stdout + done.stderr


def test_who_may_only_read(sc: CommandLine, image: str, registry: str, closed: str, project: Path) -> None:
    (project / "read.yaml").write_text("security: {scan: {failOn: critical}}\n")
    reference = image.replace(registry, closed)
    words = f"doctor --image {reference} {NAMED}"
    done = sc(words, THE_USER=READER, THE_PASSWORD=PASSWORD)
    assert done.code == 7
    assert status(done, "registry") == {**dict.fromkeys(ALL, "ok"), "push": "failed"}
    assert "403" in rows(done)["registry.push"]["detail"]
    done = sc(f"{words} --policy read.yaml", THE_USER=READER, THE_PASSWORD=PASSWORD)
    assert done.code == 0, "nothing is attached by this policy"
    assert status(done, "registry")["push"] == "warning"


@pytest.mark.parametrize("asked", ["--image {}/app", "--registry {}"])
def test_a_wrong_password(sc: CommandLine, closed: str, asked: str) -> None:
    done = sc(f"doctor {asked.format(closed)} {NAMED}", THE_USER=USERNAME, THE_PASSWORD="wrong-sentinel")
    assert done.code == 7
    assert status(done, "registry") == {"reach": "ok", "login": "failed"}
    assert "401" in rows(done)["registry.login"]["detail"]
    assert f"docker login {closed}" in rows(done)["registry.login"]["remedy"]
    assert "wrong-sentinel" not in done.stdout + done.stderr


def test_no_login(sc: CommandLine, closed: str) -> None:
    done = sc(f"doctor --registry {closed} --output json")
    assert done.code == 7
    assert "needs a login" in rows(done)["registry.login"]["detail"]


def test_a_login_of_docker_s_configuration(sc: CommandLine, closed: str, tmp_path: Path) -> None:
    folder = tmp_path / "docker"
    folder.mkdir()
    auth = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {closed: {"auth": auth}}}))
    done = sc(f"doctor --registry {closed} --output json", DOCKER_CONFIG=str(folder))
    assert done.code == 0, done.stdout
    assert rows(done)["registry.login"]["detail"] == "logged in by docker's configuration"
    assert status(done, "registry") == {"reach": "ok", "login": "ok"}
    assert auth not in done.stdout + done.stderr


def test_a_login_of_podman_s(sc: CommandLine, image: str, registry: str, closed: str, tmp_path: Path) -> None:
    auth = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    reference = image.replace(registry, closed)
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {reference.split("@")[0]: {"auth": auth}}}))
    done = sc(f"doctor --image {reference} --output json", REGISTRY_AUTH_FILE=str(tmp_path / "auth.json"))
    assert rows(done)["registry.login"]["detail"] == f"logged in by {tmp_path / 'auth.json'}"
    assert status(done, "registry")["push"] == "ok"
    assert auth not in done.stdout + done.stderr


def test_a_variable_that_is_not_set(sc: CommandLine, closed: str) -> None:
    done = sc(f"doctor --registry {closed} {NAMED}", THE_USER=USERNAME)
    assert done.code == 2
    assert "THE_PASSWORD not set" in rows(done)["registry.login"]["detail"]


def test_a_dead_registry(sc: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and doesn't listen
        done = sc(f"doctor --image 127.0.0.1:{taken.getsockname()[1]}/app --output json")
    assert done.code == 6
    assert status(done, "registry") == {"reach": "failed"}
    assert "refused" in rows(done)["registry.reach"]["detail"]


def test_one_that_never_answers(sc: CommandLine, proxy: FaultyProxy) -> None:
    proxy.fail(then="hang")
    sc("doctor --output json")  # what is imported, and the tools' versions
    began = time.monotonic()
    done = sc(f"doctor --image {host(proxy)}/app --output json")
    took = time.monotonic() - began
    assert (done.code, status(done, "registry")) == (6, {"reach": "failed"})
    assert proxy.asked == 1, "a person waits: it isn't tried again"
    assert took < 8, "5 on an idle machine"


@pytest.mark.parametrize(
    ("faults", "failed", "code"),
    [
        ([503], "reach", 6),
        ([404], "reach", 6),
        (["cut"], "reach", 6),
        (["pass", 403], "pull", 7),
        (["pass", "cut"], "pull", 6),
        (["pass", "pass", 403], "push", 7),
        (["pass", "pass", 405], "push", 6),
    ],
)
def test_what_a_registry_may_say(
    *, sc: CommandLine, proxy: FaultyProxy, image: str, registry: str, faults: list[int], failed: str, code: int
) -> None:
    proxy.fail(*faults)
    done = sc(f"doctor --image {image.replace(registry, host(proxy))} --output json")
    found = status(done, "registry")
    assert (done.code, [name for name, each in found.items() if each == "failed"]) == (code, [failed])


def test_a_registry_that_breaks_at_the_login(sc: CommandLine, closed: str) -> None:
    with faulty_proxy(f"http://{closed}") as proxy:
        proxy.fail("pass", 500)
        done = sc(f"doctor --registry {host(proxy)} {NAMED}", THE_USER=USERNAME, THE_PASSWORD=PASSWORD)
    assert (done.code, status(done, "registry")) == (6, {"reach": "ok", "login": "failed"})


def test_a_repository_that_has_to_be_made(sc: CommandLine, proxy: FaultyProxy) -> None:
    proxy.fail("pass", 404, 404, 404)
    done = sc(f"doctor --image {host(proxy)}/app --output json")
    assert (done.code, status(done, "registry")["push"]) == (0, "warning")
    assert "EcrRepository" in rows(done)["registry.push"]["remedy"]
