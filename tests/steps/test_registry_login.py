"""The chain on a registry that wants a login, whose user and password are in variables that only we are told of."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine, wrap
from tests.plugins.basic_auth import PASSWORD, USERNAME, locked

NAMED = "--registry-username-env THE_USER --registry-password-env THE_PASSWORD"
VARIABLES = {"THE_USER": USERNAME, "THE_PASSWORD": PASSWORD}


@pytest.fixture
def closed(image: str, registry: str) -> Iterator[str]:
    """The image, in a registry that wants a login."""
    with locked(registry) as address:
        yield image.replace(registry, address)


def chain(key: str) -> tuple[str, ...]:
    return (
        "sbom generate",
        "image scan --fail-on critical",
        f"image sign {key}",
        f"sbom attach {key}",
        f"provenance attach --no-include-git {key}",
        f"scan attach {key}",
        f"image verify {key} --attestation cyclonedx --attestation slsaprovenance1 --attestation vuln",
    )


def test_every_step_logs_in_as_podman_did(sc: CommandLine, closed: str, key: str, tmp_path: Path) -> None:
    """By an entry for the repository alone, under a name that none of the tools knows."""
    auth = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    repository, other = closed.partition("@")[0], base64.b64encode(b"x:y").decode()
    auths = {repository: {"auth": auth}, repository.partition("/")[0]: {"auth": other}}
    (tmp_path / "auth.json").write_text(json.dumps({"auths": auths}))
    where = {"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}
    for command in chain(key):
        done = sc(f"{command} --image {closed} -v --output json", **where)
        assert done.code == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        assert auth not in done.stdout + done.stderr
    assert sc(f"image status --image {closed}", **where).code == 0
    (tmp_path / "auth.json").write_text("{")
    done = sc(f"sbom generate --image {closed}", **where)
    assert done.code == 2, done.stderr
    assert "auth.json, for the registry's credentials: not a JSON object" in done.stderr


def test_every_step_logs_in_with_the_named_variables(sc: CommandLine, closed: str, key: str, project: Path) -> None:
    refused = sc(f"image status --image {closed}")
    assert refused.code == 7, refused.stderr
    assert "needs a login" in refused.stderr
    for command in chain(key):
        done = sc(f"{command} --image {closed} {NAMED} -v --output json", **VARIABLES)
        assert done.code == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
    texts = [path.read_text(errors="replace") for path in project.rglob("*") if path.is_file()]
    assert texts
    assert not any(PASSWORD in text for text in texts)


def test_tools_get_a_private_configuration_that_goes_with_the_run(
    sc: CommandLine, closed: str, tmp_path: Path, tools_env: dict[str, str]
) -> None:
    seen, temporary = tmp_path / "seen", tmp_path / "temporary"
    look = f'echo "$*" >> {seen}; stat -c %a "$DOCKER_CONFIG" "$DOCKER_CONFIG/config.json" >> {seen}'
    env = wrap(tmp_path / "wrapped", tools_env, "syft", f'[ "$1" = scan ] && {{ {look}; }}; exec "$real" "$@"')
    done = sc(f"sbom generate --image {closed} {NAMED}", **VARIABLES, PATH=env["PATH"], TMPDIR=str(temporary))
    assert done.code == 0, done.stderr
    said = seen.read_text()
    assert said.splitlines()[-2:] == ["700", "600"]
    assert PASSWORD not in said
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "variables", "said"),
    [
        ("--registry-username-env THE_USER", VARIABLES, "go together"),
        ("--registry-password-env THE_PASSWORD", VARIABLES, "go together"),
        (NAMED, {"THE_USER": USERNAME}, "THE_PASSWORD not set"),
    ],
)
def test_half_a_login_is_refused(
    sc: CommandLine, closed: str, flags: str, variables: dict[str, str], said: str
) -> None:
    done = sc(f"sbom generate --image {closed} {flags}", **variables)
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_wrong_password_is_a_refusal(sc: CommandLine, closed: str) -> None:
    done = sc(f"sbom generate --image {closed} {NAMED}", THE_USER=USERNAME, THE_PASSWORD="wrong-sentinel")
    assert done.code == 7, done.stderr
    assert "401" in done.stderr
    assert "wrong-sentinel" not in done.stderr
