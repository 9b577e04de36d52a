"""`SecuredImage` without a key, in a job of GitHub Actions and in one of GitLab CI, which are played here."""

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devtools.sigstore.services import Sigstore
from tests.bundles import bundle_of
from tests.command_line import wrap
from tests.engine.secured_project import PROGRAM, SECURITY, STEPS, SecuredProject
from tests.github_tokens import BEARER, TokenEndpoint, token_endpoint
from tests.images import attachments
from tests.keyless import PIPELINE, WORKFLOW, accepted_by_python, kind_of

pytestmark = pytest.mark.engine

KEYLESS = """
security = {
    "scan": {"fail_on": "critical"},
    "sbom": {},
    "provenance": {},
    "signing": {
        "keyless": True,
        "signing_config": "sigstore/signing_config.json",
        "trusted_root": "sigstore/trusted_root.json",
        "verify": {"identity_regexp": config.require("identity"), "oidc_issuer": config.require("issuer")},
    },
}
"""
SIGNATURE_ALONE = re.sub(r'    "(scan|sbom|provenance)".*\n', "", KEYLESS)
COSIGN_SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
CYCLONEDX = "https://cyclonedx.org/bom"
PROVENANCE = "https://slsa.dev/provenance/v1"
VULNERABILITIES = "https://cosign.sigstore.dev/attestation/vuln/v1"
GITLAB = {"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.com/acme/app", "CI_JOB_URL": "https://gitlab.com/j/1"}


@pytest.fixture
def keyless(new_project: Callable[..., SecuredProject], sigstore: Sigstore) -> Callable[[str, str], SecuredProject]:
    """A project that signs as that identity, and nothing of a key in it; cosign's arguments go to `argv`."""

    def make(identity: str, security: str) -> SecuredProject:
        program = PROGRAM.replace('"rekor_log_index",', '"rekor_log_index", "rekor_log_id",')
        project = new_project(program.replace(SECURITY, security))
        for name in ("cosign.key", "cosign.pub"):
            (project.folder / name).unlink()
        (project.folder / "sigstore").mkdir()
        for file in (sigstore.signing_config, sigstore.trusted_root):
            shutil.copy(file, project.folder / "sigstore" / file.name)
        project.configure("identity", f"^{re.escape(identity)}$")
        project.configure("issuer", sigstore.issuer(kind_of(identity)))
        argv = project.folder.parent / "argv"
        project.environment = wrap(
            project.folder.parent / "bin", project.environment, "cosign", f'echo "$@" >> {argv}; exec "$real" "$@"'
        )
        return project

    return make


@pytest.fixture
def github(sigstore: Sigstore) -> Iterator[TokenEndpoint]:
    def make(audience: str) -> str:
        return sigstore.token(WORKFLOW, kind_of(WORKFLOW), aud=audience)

    with token_endpoint(make) as endpoint:
        yield endpoint


def test_a_job_of_github_actions(
    keyless: Callable[[str, str], SecuredProject], github: TokenEndpoint, sigstore: Sigstore
) -> None:
    project = keyless(WORKFLOW, KEYLESS)
    project.environment |= github.env
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert outputs["app_status"] == "secured"
    (log,) = json.loads(sigstore.trusted_root.read_text())["tlogs"]
    assert outputs["app_rekor_log_id"] == base64.b64decode(log["logId"]["keyId"]).hex()
    assert outputs["app_rekor_log_index"].isdigit()
    assert outputs["app_rekor_uuid"] == "", "a Rekor 2 has none"
    ref = outputs["app_deployable_ref"]
    assert len(project.attached(ref)) == 4
    verified_by_cosign(project, ref, WORKFLOW, sigstore)
    verified_by_python(ref, WORKFLOW, sigstore, [COSIGN_SIGNATURE, CYCLONEDX, PROVENANCE, VULNERABILITIES])

    again = project.up()
    assert again.code == 0, again.text
    assert set(again.steps.values()) == {"same"}
    assert github.asked == ["sigstore"] * 4  # one a step that signs, and none for what is done
    assert len(project.attached(ref)) == 4
    check_no_secret_anywhere(project, [BEARER, *github.given], run.text + again.text)
    check_commands(project)


def test_a_job_of_gitlab_ci(keyless: Callable[[str, str], SecuredProject], sigstore: Sigstore) -> None:
    project = keyless(PIPELINE, SIGNATURE_ALONE)
    project.environment |= GITLAB
    refused = project.up()
    assert refused.code != 0
    assert "id_tokens:" in refused.text
    assert "aud: sigstore" in refused.text
    assert not any("deployable" in name for name in project.stack_outputs())

    token = sigstore.token(PIPELINE, kind_of(PIPELINE))
    project.environment["SIGSTORE_ID_TOKEN"] = token
    run = project.up()
    assert run.code == 0, run.text
    ref = project.stack_outputs()["app_deployable_ref"]
    verified_by_cosign(project, ref, PIPELINE, sigstore, kinds=())
    verified_by_python(ref, PIPELINE, sigstore, [COSIGN_SIGNATURE])
    # Another job has another token, which is no reason to sign again.
    project.environment["SIGSTORE_ID_TOKEN"] = later = sigstore.token(PIPELINE, kind_of(PIPELINE), jti="2")
    again = project.up()
    assert (again.code, set(again.steps.values())) == (0, {"same"})
    assert len(project.attached(ref)) == 1
    check_no_secret_anywhere(project, [token, later], refused.text + run.text + again.text)


def verified_by_cosign(
    project: SecuredProject, ref: str, identity: str, sigstore: Sigstore, kinds: tuple[str, ...] = ("cyclonedx", "vuln")
) -> None:
    who = ("--certificate-identity", identity, "--certificate-oidc-issuer", sigstore.issuer(kind_of(identity)))
    trust = ("--trusted-root", str(sigstore.trusted_root))
    assert project.run("cosign", "verify", *who, *trust, ref).returncode == 0
    for kind in kinds:
        assert project.run("cosign", "verify-attestation", "--type", kind, *who, *trust, ref).returncode == 0
    nobody = ("--certificate-identity", "nobody@acme.test", *who[2:])
    assert project.run("cosign", "verify", *nobody, *trust, ref).returncode != 0


def verified_by_python(ref: str, identity: str, sigstore: Sigstore, kinds: list[str]) -> None:
    """Each of the statements, but for the one whose entry is the log's first."""
    made = [bundle_of(ref, digest) for digest in attachments(ref)]
    assert len(made) == len(kinds)
    found = [each["predicateType"] for each in accepted_by_python(made, sigstore, identity)]
    first = [each for each in made if not each["verificationMaterial"]["tlogEntries"][0].get("logIndex")]
    assert len(found) == len(kinds) - len(first)
    assert set(found) <= set(kinds)


def check_no_secret_anywhere(project: SecuredProject, secrets: list[str], printed: str) -> None:
    """Not in the state, decrypted; not in the engine's events, in what it printed, in a file, or in an argument."""
    state = project.run("pulumi", "stack", "export", "--show-secrets", "--stack", "dev").stdout
    assert json.loads(state)["deployment"]["resources"]
    files = [path for path in project.folder.parent.rglob("*") if path.is_file()]
    assert any(path.name == "events.json" for path in files)
    assert (project.folder.parent / "argv").exists()
    places = [state, printed, *(path.read_bytes().decode("latin-1") for path in files)]
    for secret in secrets:
        # A token's last part is its signature: neither in whole nor without its head.
        assert not any(secret.rpartition(".")[2] in place for place in places)


def check_commands(project: SecuredProject) -> None:
    """The same on every machine, and with nothing of this one."""
    resources = json.loads(project.export())["deployment"]["resources"]
    inputs = {
        each["urn"].split("::")[-1]: each["inputs"] for each in resources if each["type"] == "command:local:Command"
    }
    assert set(inputs) == {f"app-{step}" for step in STEPS}
    for step in ("sign", "attest-sbom", "attest-provenance", "attest-scan"):
        command = inputs[f"app-{step}"]["create"]
        assert "--keyless --trusted-root sigstore/trusted_root.json" in command
        assert "127.0.0.1" not in command.partition("--output")[0].replace(project.registry, "")
        assert str(Path.home()) not in command
