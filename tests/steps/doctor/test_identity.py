"""Who signs: the key and its password, the Sigstore, and the job's token."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.context.test_oidc import ISSUER, WORKFLOW, jwt
from tests.github_tokens import BEARER, TokenEndpoint, token_endpoint
from tests.steps.conftest import PushImage
from tests.steps.doctor.looked import rows

SAID = "security: {signing: {%s}, sbom: {}}\n"
KEYLESS = r"keyless: true, verify: {identityRegexp: '%s', oidcIssuer: '%s'}"
OURS = r"https://github\.com/acme/app/.*"
DOCTOR = "doctor --policy p.yaml --output json"


@pytest.fixture
def github() -> Iterator[TokenEndpoint]:
    with token_endpoint(lambda audience: jwt(aud=audience, job_workflow_ref=WORKFLOW)) as endpoint:
        yield endpoint


def policy(project: Path, signing: str) -> None:
    (project / "p.yaml").write_text(SAID % signing)


def test_a_key_and_its_password(sc: CommandLine, key: str, new_image: PushImage, project: Path) -> None:
    policy(project, "key: cosign.key")
    done = sc(DOCTOR)
    assert done.code == 0, done.stderr
    assert rows(done)["key"]["detail"] == "cosign.key opens with its password"
    assert rows(done)["token"]["detail"].endswith("and the policy asks for none")
    # Also where this machine knows the public key already, and needn't open the private one for it.
    assert sc(f"image sign --image {new_image()} {key}").code == 0
    done = sc(DOCTOR, COSIGN_PASSWORD="wrong-sentinel")
    assert done.code == 2
    assert rows(done)["key"]["detail"] == "security.signing.key: its password is wrong"
    assert "security.signing.passwordEnv" in rows(done)["key"]["remedy"]
    assert "wrong-sentinel" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("signing", "code", "status", "said"),
    [
        ("key: none.key", 2, "failed", "security.signing.key none.key: No such file"),
        ("key: cosign.key, passwordEnv: NOT_SET", 2, "failed", "security.signing.passwordEnv NOT_SET"),
        ("key: cosign.key, verify: {key: none.pub}", 2, "failed", "none.pub"),
        ("key: cosign.key, verify: {keys: [none.pub]}", 2, "failed", "none.pub"),
        ("key: cosign.pub", 2, "failed", "a public key can't sign"),
        ("key: p.yaml", 2, "failed", "holds neither"),
        ("key: 'env://NOT_SET'", 2, "failed", "NOT_SET isn't set"),
        ("key: 'awskms:nonsense'", 2, "failed", "security.signing.key"),
        ("key: 'gcpkms://nonsense'", 2, "failed", "not an address of the form"),
        ("key: none.key, required: false", 0, "warning", "No such file"),
        ("key: 'hashivault://release', verify: {key: cosign.pub}", 0, "ok", "isn't tried"),
    ],
)
def test_a_key_that_will_not_do(
    *, sc: CommandLine, key: str, project: Path, signing: str, code: int, status: str, said: str
) -> None:
    policy(project, signing)
    done = sc(DOCTOR)
    found = rows(done)["key"]
    assert (done.code, found["status"]) == (code, status), found
    assert said in found["detail"]


def test_a_key_that_others_can_read(sc: CommandLine, key: str, project: Path) -> None:
    policy(project, "key: cosign.key")
    (project / "cosign.key").chmod(0o644)
    done = sc(DOCTOR)
    assert (done.code, rows(done)["key"]["status"]) == (0, "warning")
    assert rows(done)["key"]["remedy"] == "chmod 600 cosign.key"


def test_a_key_in_a_variable(sc: CommandLine, keys: Path, project: Path) -> None:
    policy(project, "key: 'env://THE_KEY'")
    text = (keys / "ours.key").read_text()
    done = sc(DOCTOR, THE_KEY=text)
    assert (done.code, rows(done)["key"]["detail"]) == (0, "env://THE_KEY opens with its password")
    assert text.splitlines()[1] not in done.stdout + done.stderr


def test_a_key_service_without_an_identity_for_it(sc: CommandLine, key: str, project: Path) -> None:
    policy(project, "key: 'awskms:///alias/release', verify: {key: cosign.pub}")
    off = {"AWS_EC2_METADATA_DISABLED": "true"}
    done = sc(DOCTOR, **off)
    assert (done.code, rows(done)["cloud.aws"]["status"]) == (7, "failed")
    done = sc(DOCTOR, **off, AWS_ACCESS_KEY_ID="id-sentinel", AWS_SECRET_ACCESS_KEY="secret-sentinel")
    assert (done.code, rows(done)["cloud.aws"]["status"]) == (0, "ok")
    assert "sentinel" not in done.stdout + done.stderr


def test_a_token_of_github(sc: CommandLine, project: Path, github: TokenEndpoint) -> None:
    policy(project, KEYLESS % (OURS, ISSUER))
    done = sc(f"{DOCTOR} -v", **github.env)
    assert done.code == 0, done.stdout
    found = rows(done)
    assert found["token"]["detail"] == f"signs without a key as https://github.com/{WORKFLOW} of the issuer {ISSUER}"
    assert found["sigstore"]["detail"].startswith("the public Sigstore")
    assert github.asked == ["sigstore"]
    assert not any(secret in done.stdout + done.stderr for secret in (BEARER, *github.given))
    done = sc("doctor --output json", **github.env)
    assert rows(done)["token"]["status"] == "ok", "told without a policy too"


def test_no_token_where_one_is_needed(sc: CommandLine, project: Path, github: TokenEndpoint) -> None:
    policy(project, KEYLESS % (OURS, ISSUER))
    done = sc(DOCTOR, GITHUB_ACTIONS="true")
    assert (done.code, rows(done)["token"]["status"]) == (7, "failed")
    assert "id-token: write" in rows(done)["token"]["remedy"]
    assert "no identity to sign with" in rows(done)["token"]["detail"]
    policy(project, "keyless: true, required: false")
    done = sc(DOCTOR)
    assert (done.code, rows(done)["token"]["status"]) == (0, "warning")
    assert rows(sc("doctor --output json"))["token"]["status"] == "ok"


@pytest.mark.parametrize(
    ("failure", "code"), [([500], 6), ([403], 7)], ids=["the endpoint fails", "the job may not have one"]
)
def test_an_endpoint_that_gives_none(
    sc: CommandLine, project: Path, github: TokenEndpoint, failure: list[int], code: int
) -> None:
    policy(project, KEYLESS % (OURS, ISSUER))
    github.fail = list(failure)
    done = sc(DOCTOR, **github.env)
    assert (done.code, rows(done)["token"]["status"]) == (code, "failed")
    github.fail = failure
    done = sc("doctor --output json", **github.env)
    assert (done.code, rows(done)["token"]["status"]) == (0, "warning"), "nobody needs it"


@pytest.mark.parametrize(
    ("signing", "claims", "said"),
    [
        (KEYLESS % (r"https://github\.com/others/.*", ISSUER), {}, "security.signing.verify: accepts"),
        (KEYLESS % (OURS, "https://gitlab.com"), {}, "security.signing.verify: accepts"),
        (KEYLESS % (r"github\.com/acme", ISSUER), {}, "security.signing.verify: accepts"),
        (f"oidcIssuer: 'https://gitlab.com', {KEYLESS % (OURS, ISSUER)}", {}, "security.signing.oidcIssuer"),
        (KEYLESS % (OURS, ISSUER), {"aud": "somebody-else"}, "audience somebody-else"),
    ],
)
def test_a_token_that_the_policy_does_not_accept(
    sc: CommandLine, project: Path, signing: str, claims: dict[str, str], said: str
) -> None:
    policy(project, signing)
    token = jwt(**{"job_workflow_ref": WORKFLOW, **claims})
    done = sc(DOCTOR, SIGSTORE_ID_TOKEN=token)
    assert (done.code, rows(done)["token"]["status"]) == (2, "failed"), done.stdout
    assert said in rows(done)["token"]["detail"]
    assert token not in done.stdout + done.stderr


def test_nobody_is_named_who_must_have_signed(sc: CommandLine, project: Path, github: TokenEndpoint) -> None:
    policy(project, "keyless: true")
    done = sc(DOCTOR, **github.env)
    assert (done.code, rows(done)["sigstore"]["status"]) == (2, "failed")
    assert "identityRegexp" in rows(done)["sigstore"]["detail"]


def test_signing_that_is_off(sc: CommandLine, project: Path) -> None:
    (project / "p.yaml").write_text("security: {sbom: {}}\n")
    found = rows(sc(DOCTOR))
    assert not {"key", "sigstore"} & set(found)
    assert found["tool.cosign"]["status"] == "ok"


def test_without_the_program_that_opens_it(sc: CommandLine, key: str, project: Path) -> None:
    policy(project, "key: cosign.key")
    bare = project / "bin"
    bare.mkdir()
    (bare / "git").symlink_to(shutil.which("git") or os.devnull)
    done = sc(DOCTOR, PATH=str(bare))
    assert (done.code, rows(done)["tool.cosign"]["status"]) == (5, "failed")
