"""A registry whose rights come with tokens, and the real one at that: nothing is left behind in it."""

from collections.abc import Iterator

import pytest

from tests.command_line import CommandLine
from tests.steps.doctor.looked import rows, status
from tests.token_registry import PASSWORD, TokenRegistry, token_registry

NAMED = "--registry-username-env THE_USER --registry-password-env THE_PASSWORD -v --output json"
OK = dict.fromkeys(("reach", "login", "pull", "push", "referrers"), "ok")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenRegistry]:
    with token_registry(tmp_path_factory.mktemp("registry")) as made:
        yield made


def as_user(user: str, password: str = PASSWORD) -> dict[str, str]:
    return {"THE_USER": user, "THE_PASSWORD": password}


def test_who_may_do_everything(sc: CommandLine, hub: TokenRegistry) -> None:
    done = sc(f"doctor --image {hub.address}/team/app:1 {NAMED}", **as_user("owner"))
    assert (done.code, status(done, "registry")) == (0, OK), done.stdout
    assert [each.removeprefix("repository:team/app:") for each in hub.scopes] == [
        "pull",
        "pull,push",
        "pull,push,delete",
    ]
    assert (hub.uploads("team/app"), hub.holds("team/app")) == (0, False), "the upload was given up"
    assert not any(secret in done.stdout + done.stderr for secret in (PASSWORD, *hub.given))


def test_who_may_push(sc: CommandLine, hub: TokenRegistry) -> None:
    done = sc(f"doctor --image {hub.address}/pushed/app:1 {NAMED}", **as_user("pusher"))
    assert (done.code, status(done, "registry")) == (0, OK), done.stdout
    assert (hub.uploads("pushed/app"), hub.holds("pushed/app")) == (1, False), "it may not be given up: see docs"


def test_who_may_only_read(sc: CommandLine, hub: TokenRegistry) -> None:
    done = sc(f"doctor --image {hub.address}/team/app:1 {NAMED}", **as_user("reader"))
    assert (done.code, status(done, "registry")) == (7, {**OK, "push": "failed"})
    assert "401" in rows(done)["registry.push"]["detail"]
    assert hub.uploads("team/app") == 0


def test_who_has_no_login(sc: CommandLine, hub: TokenRegistry) -> None:
    done = sc(f"doctor --image {hub.address}/public/app:1 --output json")
    assert (done.code, status(done, "registry")) == (7, {**OK, "push": "failed"})
    assert "anonymous" in rows(done)["registry.login"]["detail"]
    done = sc(f"doctor --image {hub.address}/team/app:1 --output json")
    assert done.code == 7
    assert status(done, "registry") == {**OK, "pull": "failed", "push": "failed"}


def test_a_wrong_password(sc: CommandLine, hub: TokenRegistry) -> None:
    for asked in (f"--image {hub.address}/team/app:1", f"--registry {hub.address}"):
        done = sc(f"doctor {asked} {NAMED}", **as_user("pusher", "wrong-sentinel"))
        assert (done.code, status(done, "registry")) == (7, {"reach": "ok", "login": "failed"})
        assert "wrong-sentinel" not in done.stdout + done.stderr


def test_a_registry_as_a_whole(sc: CommandLine, hub: TokenRegistry) -> None:
    done = sc(f"doctor --registry {hub.address} {NAMED}", **as_user("reader"))
    assert (done.code, status(done, "registry")) == (0, {"reach": "ok", "login": "ok"})
    assert hub.scopes[-1] == ""
