"""Signed and attested without a key, on a real local Sigstore: whoever the CI job is."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from devtools.sigstore.services import Sigstore
from tests.bundles import bundle_of
from tests.command_line import CommandLine, in_process, wrap
from tests.github_tokens import BEARER, token_endpoint
from tests.images import CLEAN, attachments, push_image
from tests.keyless import DEV, PIPELINE, WORKFLOW, Keyless, accepted_by_python, kind_of

SERVICES = ("fulcio", "rekor", "tsa")


@pytest.fixture
def keyless(sigstore: Sigstore, tools_env: dict[str, str], tmp_path: Path) -> Keyless:
    return Keyless(sigstore, tools_env, tmp_path)


@pytest.fixture
def private(sigstore: Sigstore) -> str:
    """The flags that sign without a key, with the local Sigstore's files."""
    return f"--keyless --signing-config {sigstore.signing_config} --trusted-root {sigstore.trusted_root}"


@pytest.fixture(scope="session")
def unsigned(tools_env: dict[str, str], registry: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image for tests that sign nothing."""
    folder = tmp_path_factory.mktemp("unsigned")
    return push_image(tools_env, folder, f"{registry}/{folder.name}{folder.stat().st_ino}", CLEAN)


def token_of(sigstore: Sigstore, identity: str = DEV, **changed: Any) -> dict[str, str]:
    return {"SIGSTORE_ID_TOKEN": sigstore.token(identity, kind_of(identity), **changed)}


def test_signed_and_attested_once(
    sc: CommandLine, image: str, keyless: Keyless, private: str, sigstore: Sigstore
) -> None:
    token = token_of(sigstore)
    steps = ("image sign", "sbom attach", "provenance attach --no-include-git")
    first = [sc(f"{step} --image {image} {private} --output json", **token).result for step in steps]
    assert [each["status"] for each in first] == ["passed"] * 3
    made = attachments(image)
    outputs = [each["outputs"] for each in first]
    digests = [each.get("signatureDigest") or each["attestationDigest"] for each in outputs]
    assert sorted(digests) == sorted(made)
    for each, digest in zip(outputs, digests, strict=True):
        entry = bundle_of(image, digest)["verificationMaterial"]["tlogEntries"][0]
        assert (each["identity"], each["issuer"]) == (DEV, sigstore.issuer())
        assert each["rekorLogIndex"] == entry.get("logIndex", "0")
        assert len(each["rekorLogId"]) == 64
        assert each["rekorUuid"] == ""  # a Rekor 2 has none

    # Another run has another token, and another certificate.
    token = token_of(sigstore, jti="2")
    second = [sc(f"{step} --image {image} {private} --output json", **token).result for step in steps]
    assert [each["status"] for each in second] == ["reused"] * 3
    assert [each["outputs"] for each in second] == outputs
    assert attachments(image) == made

    kinds = "--attestation cyclonedx --attestation slsaprovenance1"
    assert sc(f"image verify --image {image} {keyless.flags()} {kinds}").code == 0
    other = sc(f"image sign --image {image} {private} --output json", **token_of(sigstore, "ops@acme.test")).result
    assert other["status"] == "passed"
    assert len(attachments(image)) == 4


def test_a_job_of_github_actions(sc: CommandLine, image: str, private: str, sigstore: Sigstore) -> None:
    with token_endpoint(lambda audience: sigstore.token(WORKFLOW, "github-workflow", aud=audience)) as endpoint:
        done = sc(f"image sign --image {image} {private} -v --output json", **endpoint.env)
    assert done.result["outputs"]["identity"] == WORKFLOW
    assert endpoint.asked == ["sigstore"]
    assert "+ cosign sign" in done.stderr
    for secret in (BEARER, *endpoint.given, endpoint.given[0].split(".")[2]):
        assert secret not in done.stderr + done.stdout


def test_a_job_of_gitlab_ci(sc: CommandLine, image: str, keyless: Keyless, private: str, sigstore: Sigstore) -> None:
    for status in ("passed", "reused"):
        token = token_of(sigstore, PIPELINE)
        result = sc(f"image sign --image {image} {private} --output json", GITLAB_CI="true", **token).result
        assert (result["status"], result["outputs"]["identity"]) == (status, PIPELINE)
    who = keyless.flags(PIPELINE.replace(".", r"\."), "gitlab-pipeline")
    assert sc(f"image verify --image {image} {who}").code == 0


def test_no_token_in_any_argument_or_other_program(
    *,
    image: str,
    private: str,
    sigstore: Sigstore,
    tools_env: dict[str, str],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    noted = f'echo "$@" >> {project}/argv; echo "$1 ${{SIGSTORE_ID_TOKEN:+has it}}" >> {project}/who'
    env = wrap(project / "bin", tools_env, "cosign", f'{noted}; exec "$real" "$@"')
    token = token_of(sigstore)
    sc = in_process(env, project, monkeypatch, capsys)
    assert sc(f"sbom attach --image {image} {private}", **token).code == 0
    assert token["SIGSTORE_ID_TOKEN"] not in (project / "argv").read_text()
    has = {line for line in (project / "who").read_text().splitlines() if line.endswith("has it")}
    assert has == {"attest has it"}
    assert not [
        path for path in project.rglob("*") if path.is_file() and token["SIGSTORE_ID_TOKEN"] in path.read_text()
    ]


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({}, 7, "set SIGSTORE_ID_TOKEN"),
        ({"GITHUB_ACTIONS": "true"}, 7, "id-token: write"),
        ({"GITLAB_CI": "true"}, 7, "aud: sigstore"),
        ({"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": "hello"}, 2, "JSON Web Token"),
    ],
)
def test_without_a_token_nothing_is_signed(
    sc: CommandLine, unsigned: str, private: str, *, environment: dict[str, str], code: int, said: str
) -> None:
    done = sc(f"image sign --image {unsigned} {private}", **environment)
    assert (done.code, done.stdout) == (code, "")
    assert said in done.stderr
    assert attachments(unsigned) == []


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"aud": "other"}, 2, "for the audience other"),
        ({"exp": 1_700_000_000}, 7, "ran out at"),
        ({"iss": "https://evil.test"}, 7, "Fulcio) doesn't accept this identity"),
        ({"email_verified": False}, 7, "Fulcio) doesn't accept this identity"),
    ],
)
def test_a_token_that_is_not_right(
    sc: CommandLine, unsigned: str, private: str, sigstore: Sigstore, *, changed: dict[str, Any], code: int, said: str
) -> None:
    done = sc(f"image sign --image {unsigned} {private}", **token_of(sigstore, **changed))
    assert (done.code, done.stdout) == (code, "")
    assert said in done.stderr
    assert attachments(unsigned) == []


def test_another_issuer_s_token(sc: CommandLine, image: str, private: str, sigstore: Sigstore) -> None:
    token = token_of(sigstore)
    done = sc(f"image sign --image {image} {private} --oidc-issuer https://i.test", **token)
    assert (done.code, done.stdout) == (2, "")
    assert sigstore.issuer() in done.stderr
    assert sc(f"image sign --image {image} {private} --oidc-issuer {sigstore.issuer()}", **token).code == 0


def test_a_name_that_only_the_certificate_authority_knows(
    sc: CommandLine, image: str, private: str, sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for guessed in ("", "someone-else@acme.test"):
        monkeypatch.setattr("sc_secure.context.oidc._name", lambda _, guessed=guessed: guessed)
        result = sc(f"image sign --image {image} {private} --output json", **token_of(sigstore)).result
        assert result["outputs"]["identity"] == DEV
        assert "adds another signature" in result["warnings"][0]


def test_services_by_their_urls(sc: CommandLine, image: str, sigstore: Sigstore, keyless: Keyless) -> None:
    urls = " ".join(f"--{name}-url {sigstore.urls[name]}" for name in SERVICES)
    flags = f"--keyless {urls} --trusted-root {sigstore.trusted_root}"
    assert sc(f"image sign --image {image} {flags}", **token_of(sigstore)).code == 0
    assert sc(f"image verify --image {image} {keyless.flags()}").code == 0


@pytest.mark.parametrize("form", ["files", "urls"])
def test_without_a_log(sc: CommandLine, image: str, sigstore: Sigstore, keyless: Keyless, form: str) -> None:
    where = f"--signing-config {sigstore.signing_config}"
    if form == "urls":
        where = f"--fulcio-url {sigstore.urls['fulcio']} --tsa-url {sigstore.urls['tsa']}"
    flags = f"--keyless {where} --trusted-root {sigstore.trusted_root} --no-transparency-log --output json"
    outputs = sc(f"image sign --image {image} {flags}", **token_of(sigstore)).result["outputs"]
    assert (outputs["identity"], outputs["rekorLogIndex"]) == (DEV, "")
    assert "rekorLogId" not in outputs
    assert sc(f"image sign --image {image} {flags}", **token_of(sigstore)).result["status"] == "reused"
    assert sc(f"image verify --image {image} {keyless.flags()} --no-transparency-log").code == 0
    assert sc(f"image verify --image {image} {keyless.flags()}").code == 4


def test_a_key_s_signature_in_the_log(sc: CommandLine, image: str, key: str, sigstore: Sigstore) -> None:
    assert sc(f"image sign --image {image} {key} --output json").result["outputs"]["rekorLogIndex"] == ""
    root = f"--trusted-root {sigstore.trusted_root}"
    logged = f"--key cosign.key --transparency-log {root}"
    assert sc(f"image verify --image {image} {logged}").code == 4  # by this key, and not logged
    for where in (f"--signing-config {sigstore.signing_config}", f"--rekor-url {sigstore.urls['rekor']}"):
        done = sc(f"image sign --image {image} {logged} {where} --output json")
        outputs = done.result["outputs"]
        entry = bundle_of(image, outputs["signatureDigest"])["verificationMaterial"]["tlogEntries"][0]
        assert outputs["rekorLogIndex"] == entry.get("logIndex", "0")
        assert "identity" not in outputs
    assert done.result["status"] == "reused"
    assert len(attachments(image)) == 2
    assert sc(f"image verify --image {image} --key cosign.pub --transparency-log {root}").code == 0
    assert sc(f"image verify --image {image} {key}").code == 0


def test_a_key_s_signature_with_a_timestamp(sc: CommandLine, image: str, key: str, sigstore: Sigstore) -> None:
    flags = f"{key} --tsa-url {sigstore.urls['tsa']} --trusted-root {sigstore.trusted_root}"
    outputs = sc(f"image sign --image {image} {flags} --output json").result["outputs"]
    material = bundle_of(image, outputs["signatureDigest"])["verificationMaterial"]
    assert len(material["timestampVerificationData"]["rfc3161Timestamps"]) == 1
    assert "tlogEntries" not in material
    assert sc(f"image verify --image {image} {key}").code == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--keyless --key k", "either --key or --keyless"),
        ("--keyless --password-env P", "either --key or --keyless"),
        ("--keyless --signing-config {config}", "--trusted-root: missing"),
        ("--keyless --trusted-root {root}", "--trusted-root: goes with --signing-config"),
        ("--keyless --signing-config none.json --trusted-root {root}", "none.json: No such file"),
        ("--keyless --signing-config {root} --trusted-root {root}", "not a Sigstore signing configuration"),
        ("--keyless --signing-config {config} --trusted-root {config}", "not a Sigstore trusted root"),
        ("--keyless --signing-config {config} --trusted-root {root} --tsa-url https://t.test", "--tsa-url: excludes"),
        ("--keyless --rekor-url https://r.test --trusted-root {root}", "--fulcio-url: missing"),
        ("--keyless --fulcio-url https://f.test --trusted-root {root}", "--rekor-url: missing"),
        ("--keyless --fulcio-url https://f.test --trusted-root {root} --no-transparency-log", "--tsa-url: missing"),
        ("--keyless --no-transparency-log", "--transparency-log: the public Sigstore always logs"),
        ("--keyless --fulcio-url http://f.test --rekor-url https://r.test --trusted-root {root}", "--fulcio-url: an"),
        ("--keyless --fulcio-url https://a:b@f.test --trusted-root {root}", "--fulcio-url: an"),
        ("--keyless --fulcio-url https://f.test,operator=x --trusted-root {root}", "--fulcio-url: an"),
        ("--keyless --signing-config {leaky} --trusted-root {root}", "caUrls"),
        ("--keyless --signing-config {bare} --trusted-root {root}", "names no certificate authority (caUrls)"),
        ("--key cosign.key --transparency-log --signing-config {bare} --trusted-root {root}", "names no log"),
        ("--key cosign.key --oidc-issuer https://i.test", "--oidc-issuer: has no meaning with a key"),
    ],
)
@pytest.mark.usefixtures("key")
def test_bad_usage_changes_nothing(
    sc: CommandLine, unsigned: str, sigstore: Sigstore, project: Path, *, flags: str, said: str
) -> None:
    config = json.loads(sigstore.signing_config.read_text())
    (project / "bare.json").write_text(json.dumps({"mediaType": config["mediaType"]}))
    config["caUrls"][0]["url"] = "http://fulcio.test"
    (project / "leaky.json").write_text(json.dumps(config))
    files = {"config": sigstore.signing_config, "root": sigstore.trusted_root, "bare": "bare.json"}
    done = sc(f"image sign --image {unsigned} {flags.format(**files, leaky='leaky.json')}", **token_of(sigstore))
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr
    assert attachments(unsigned) == []


def test_the_public_sigstore_cannot_be_reached(
    sc: CommandLine, unsigned: str, sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)
    done = sc(f"image sign --image {unsigned} --keyless", **token_of(sigstore), HTTPS_PROXY="http://127.0.0.1:1")
    assert (done.code, done.stdout) == (6, "")
    assert "TUF" in done.stderr
    assert attachments(unsigned) == []


def test_a_token_that_is_about_to_run_out_is_asked_for_anew(
    sc: CommandLine, image: str, sigstore: Sigstore, private: str
) -> None:
    lives = iter((20, 600))

    def make(audience: str) -> str:
        return sigstore.token(WORKFLOW, "github-workflow", aud=audience, exp=int(time.time()) + next(lives))

    with token_endpoint(make) as endpoint:
        assert sc(f"image sign --image {image} {private}", **endpoint.env).code == 0
    assert len(endpoint.given) == 2


def test_the_verifier_that_nobody_here_wrote_agrees(
    sc: CommandLine, image: str, private: str, sigstore: Sigstore
) -> None:
    """sigstore-python, on the bundles as they are in the registry."""
    token = token_of(sigstore, WORKFLOW)
    for step in ("image sign", "scan attach"):  # it refuses the very first entry of a log
        assert sc(f"{step} --image {image} {private}", **token).code == 0
    made = [bundle_of(image, digest) for digest in attachments(image)]
    statements = accepted_by_python(made, sigstore, WORKFLOW)
    assert statements
    assert all(image.endswith(each["subject"][0]["digest"]["sha256"]) for each in statements)


def test_a_whole_release(sc: CommandLine, image: str, keyless: Keyless, sigstore: Sigstore, project: Path) -> None:
    (project / "policy.yaml").write_text(
        f"""security:
  scan: {{failOn: critical}}
  signing:
    keyless: true
    signingConfig: {sigstore.signing_config}
    trustedRoot: {sigstore.trusted_root}
    verify: {{identityRegexp: dev@acme\\.test, oidcIssuer: "{sigstore.issuer()}"}}
"""
    )
    done = sc(f"release create --image {image} --policy policy.yaml", **token_of(sigstore))
    assert done.code == 0, done.stderr
    release = json.loads((project / f".sc/artifacts/sha256-{image[-64:]}/release.json").read_text())
    assert [step["status"] for step in release["steps"]] == ["passed"] * 4
    assert release["signer"]["trustedRoot"] == str(sigstore.trusted_root)
    page = (project / f".sc/artifacts/sha256-{image[-64:]}/release.md").read_text()
    commands = page.partition("### Verify by hand")[2].partition("```sh")[2].partition("```")[0]
    assert commands.count("cosign verify") == 2
    by_hand = subprocess.run(["sh", "-ec", commands], cwd=project, env=dict(keyless.env), check=False)
    assert by_hand.returncode == 0
