"""The identity token: where it comes from, and what is said of each way for it to be wrong."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sc_secure.context.oidc import identity_token
from sc_secure.errors import ConfigError, InfrastructureError, NotAuthorised, ScSecureError
from sc_secure.tools.process import Runner
from tests.github_tokens import BEARER, TokenEndpoint, token_endpoint

ISSUER = "https://token.actions.githubusercontent.com"
WORKFLOW = "acme/app/.github/workflows/release.yml@refs/heads/main"
PERMISSION = "    permissions:\n      contents: read\n      id-token: write"
ID_TOKENS = "    id_tokens:\n      SIGSTORE_ID_TOKEN:\n        aud: sigstore"


def jwt(**claims: Any) -> str:
    said = {"iss": ISSUER, "aud": "sigstore", "exp": int(time.time()) + 300, "sub": "x"} | claims
    parts = ({"alg": "RS256"}, said)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + ".c2"


@pytest.fixture
def github() -> Iterator[TokenEndpoint]:
    with token_endpoint(lambda audience: jwt(aud=audience, job_workflow_ref=WORKFLOW)) as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)


def refused(env: dict[str, str]) -> ScSecureError:
    with pytest.raises(ScSecureError) as raised:
        identity_token(env, Runner())
    return raised.value


def test_github_gives_one_for_sigstore(github: TokenEndpoint) -> None:
    token = identity_token(github.env, Runner())
    assert (github.asked, github.given) == (["sigstore"], [token.value])
    assert (token.name, token.issuer) == (f"https://github.com/{WORKFLOW}", ISSUER)
    assert token.value not in repr(token)


def test_a_variable_comes_first(github: TokenEndpoint) -> None:
    token = jwt(email="dev@acme.test")
    assert identity_token(github.env | {"SIGSTORE_ID_TOKEN": f" {token}\n"}, Runner()).value == token
    assert github.asked == []


@pytest.mark.parametrize(
    ("claims", "name", "issuer"),
    [
        ({"email": "dev@acme.test"}, "dev@acme.test", ISSUER),
        ({"job_workflow_ref": WORKFLOW}, f"https://github.com/{WORKFLOW}", ISSUER),
        (
            {"ci_config_ref_uri": "gitlab.com/a/b//.gitlab-ci.yml@refs/heads/x", "user_email": "dev@acme.test"},
            "https://gitlab.com/a/b//.gitlab-ci.yml@refs/heads/x",
            ISSUER,
        ),
        ({"sub": "spiffe://acme.test/ci"}, "spiffe://acme.test/ci", ISSUER),
        (
            {"kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "builder"}}},
            "https://kubernetes.io/namespaces/ci/serviceaccounts/builder",
            ISSUER,
        ),
        (
            {"email": "d@a.test", "federated_claims": {"connector_id": "https://accounts.google.com"}},
            "d@a.test",
            "https://accounts.google.com",
        ),
        ({}, "", ISSUER),
        ({"aud": ["other", "sigstore"], "email": 3, "federated_claims": []}, "", ISSUER),
    ],
)
def test_the_certificate_s_names_are_known_before(claims: dict[str, Any], name: str, issuer: str) -> None:
    token = identity_token({"SIGSTORE_ID_TOKEN": jwt(**claims)}, Runner())
    assert (token.name, token.issuer, token.issued_by) == (name, issuer, ISSUER)


@pytest.mark.parametrize(
    ("env", "line"),
    [
        ({"GITHUB_ACTIONS": "true"}, PERMISSION),
        ({"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": "https://x.test"}, PERMISSION),
        ({"GITLAB_CI": "true"}, ID_TOKENS),
        ({"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": " "}, ID_TOKENS),
        ({}, "SIGSTORE_ID_TOKEN"),
    ],
)
def test_without_one_the_lines_to_add_are_said(env: dict[str, str], line: str) -> None:
    error = refused(env)
    assert isinstance(error, NotAuthorised)
    assert line in error.diagnostics()


def test_one_that_ran_out() -> None:
    token = jwt(exp=1_700_000_000)
    for env, line in (
        ({"GITLAB_CI": "true"}, "    timeout: 1h"),
        ({"GITHUB_ACTIONS": "true"}, PERMISSION),
        ({}, "set SIGSTORE_ID_TOKEN to a new one"),
    ):
        error = refused(env | {"SIGSTORE_ID_TOKEN": token})
        assert isinstance(error, NotAuthorised)
        assert "ran out at 2023-11-14 22:13:20 UTC" in error.message
        assert line in error.advice
    for never in (-1e300, True):
        assert isinstance(refused({"SIGSTORE_ID_TOKEN": jwt(exp=never)}), NotAuthorised)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (jwt(aud="https://gitlab.com"), "for the audience https://gitlab.com; Sigstore"),
        (jwt(aud=["a\x1b[2J"]), r"for the audience a\x1b[2J; Sigstore"),
        (jwt(aud=None), "for the audience None"),
        (jwt(exp="tomorrow"), "names no issuer or no end"),
        (jwt(iss=None), "names no issuer or no end"),
        ("hello", "no OIDC token"),
        ("a.b.c", "no OIDC token"),
        ("....", "no OIDC token"),
        ("e30.e30.e30", "no OIDC token"),
        (jwt() + ".x", "no OIDC token"),
        (jwt(pad="x" * 70_000), "no OIDC token"),
        ("ü.ü.ü", "no OIDC token"),
        (f"{base64.b64encode(b'[' * 40_000).decode()}.e30.e30", "no OIDC token"),
    ],
)
def test_one_that_is_not_sigstore_s(token: str, said: str) -> None:
    error = refused({"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": token})
    assert isinstance(error, ConfigError)
    assert said in error.message
    assert ID_TOKENS in error.advice
    assert token not in error.diagnostics()


def test_github_refuses(github: TokenEndpoint) -> None:
    error = refused(github.env | {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "another-secret"})
    assert isinstance(error, NotAuthorised)
    assert PERMISSION in error.advice
    assert "another-secret" not in error.diagnostics()
    assert github.asked == []


def test_github_has_a_bad_moment(github: TokenEndpoint) -> None:
    github.fail = [500, 429, 503]
    assert identity_token(github.env, Runner()).name
    github.fail = [500] * 4
    error = refused(github.env)
    assert type(error).__mro__[1] is InfrastructureError
    assert "HTTP 500" in error.message
    assert github.fail == []
    github.fail = [404]
    assert isinstance(refused(github.env), InfrastructureError)


def test_nobody_answers_in_github_s_place(github: TokenEndpoint) -> None:
    github.stop()
    error = refused(github.env)
    assert (error.exit_code, "refused" in error.message) == (6, True)


def test_the_job_s_secret_goes_nowhere_in_the_clear(github: TokenEndpoint) -> None:
    error = refused(github.env | {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://192.0.2.1/token"})
    assert isinstance(error, ConfigError)
    assert "https://" in error.message


def test_no_program_s_message_shows_them(github: TokenEndpoint) -> None:
    runner = Runner()
    token = identity_token(github.env, runner)
    done = runner.run(["sh", "-c", f"echo {token.value} {BEARER} >&2"], env={"PATH": "/usr/bin:/bin"})
    assert done.stderr == "*** ***\n"
