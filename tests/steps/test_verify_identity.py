"""Verified by an identity, on a real local Sigstore: what cosign signed without a key, and what others make of it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from devtools.sigstore import openssl, services
from devtools.sigstore.services import Sigstore
from tests.bundles import bundle_of, put_bundle
from tests.command_line import CommandLine
from tests.images import CLEAN, attachments, push_image
from tests.keyless import DEV, WORKFLOW, Keyless
from tests.steps.conftest import PushImage

PREDICATES = {
    "cyclonedx": {"bomFormat": "CycloneDX", "specVersion": "1.6"},
    "slsaprovenance1": {"buildDefinition": {"buildType": "x"}, "runDetails": {"builder": {"id": "https://b.test"}}},
    "vuln": {"scanner": {"uri": "x", "result": {}}},
}
COMMANDS = ("sbom verify", "provenance verify --builder-id https://b.test", "scan verify")


@pytest.fixture
def keyless(sigstore: Sigstore, tools_env: dict[str, str], tmp_path: Path) -> Keyless:
    return Keyless(sigstore, tools_env, tmp_path)


@pytest.fixture(scope="session")
def signed(
    sigstore: Sigstore, tools_env: dict[str, str], registry: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """An image that `DEV` signed, for tests that change nothing."""
    folder = tmp_path_factory.mktemp("signed")
    image = push_image(tools_env, folder, f"{registry}/{folder.name}{folder.stat().st_ino}", CLEAN)
    Keyless(sigstore, tools_env, folder).sign(image)
    return image


def test_what_an_identity_signed_and_attested(sc: CommandLine, image: str, keyless: Keyless) -> None:
    keyless.sign(image)
    for kind, predicate in PREDICATES.items():
        keyless.attest(image, kind, predicate)
    kinds = " ".join(f"--attestation {kind}" for kind in PREDICATES)
    result = sc(f"image verify --image {image} {keyless.flags()} {kinds} --output json").result
    assert sorted(result["outputs"]["verified"].values()) == sorted(attachments(image))
    for command in COMMANDS:
        verified = sc(f"{command} --image {image} {keyless.flags()} --output json").result["outputs"]["verified"]
        assert verified.items() <= result["outputs"]["verified"].items()
        assert len(verified) == 1
        other = sc(f"{command} --image {image} {keyless.flags('ops@acme.test')}")
        assert (other.code, other.stdout) == (4, "")
        assert keyless.signer() in other.stderr
    assert sc(f"provenance verify --builder-id https://c.test --image {image} {keyless.flags()}").code == 4


def test_a_job_of_github_actions(sc: CommandLine, image: str, keyless: Keyless) -> None:
    keyless.sign(image, WORKFLOW)
    whose = r"^https://github\.com/acme/app/\.github/workflows/[^/]+@refs/heads/main$"
    assert sc(f"image verify --image {image} {keyless.flags(whose, 'github-workflow')}").code == 0
    done = sc(f"image verify --image {image} {keyless.flags(whose.replace('main', 'next'), 'github-workflow')}")
    assert done.code == 4
    assert keyless.signer(WORKFLOW, "github-workflow") in done.stderr


@pytest.mark.parametrize(
    "identity",
    [
        r"ops@acme\.test",
        r"ev@acme\.test",
        r"dev@acme\.tes",
        r"^dev@acme\.tes",
        r"^ops@acme\.test|dev@acme\.tes",
        r"dev@acme\.tes|ops@acme\.test",
        r"(?i:DEV)@acme\.tes",
    ],
)
def test_the_expression_matches_the_whole_identity(
    sc: CommandLine, signed: str, keyless: Keyless, identity: str
) -> None:
    done = sc(f"image verify --image {signed} {keyless.flags(identity)}")
    assert (done.code, done.stdout) == (4, "")
    assert keyless.signer() in done.stderr
    assert "whole identity" in done.stderr


@pytest.mark.parametrize(
    "identity", [r"dev@acme\.test", r"^(dev|ops)@acme\.test$", r"(?i)DEV@acme\.test", r"ops@b\.test|dev@acme\.[a-z]+"]
)
def test_expressions_that_match(sc: CommandLine, signed: str, keyless: Keyless, identity: str) -> None:
    assert sc(f"image verify --image {signed} {keyless.flags(identity)}").code == 0


def test_the_same_name_of_another_issuer(sc: CommandLine, signed: str, keyless: Keyless) -> None:
    done = sc(f"image verify --image {signed} {keyless.flags(kind='github-workflow')}")
    assert (done.code, done.stdout) == (4, "")
    assert keyless.signer() in done.stderr
    ours = keyless.sigstore.issuer()
    assert sc(f"image verify --image {signed} {keyless.flags().replace(ours, f'{ours}/')}").code == 4


def test_an_unsigned_image(sc: CommandLine, image: str, keyless: Keyless) -> None:
    done = sc(f"image verify --image {image} {keyless.flags()}")
    assert (done.code, done.stdout) == (4, "")
    assert "nothing is attached" in done.stderr


def test_an_attestation_is_no_signature(sc: CommandLine, image: str, keyless: Keyless) -> None:
    keyless.attest(image, "cyclonedx", PREDICATES["cyclonedx"])
    done = sc(f"image verify --image {image} {keyless.flags()} --attestation cyclonedx")
    assert done.code == 4
    assert ": signature; verified: https://cyclonedx.org/bom" in done.stderr


def test_an_empty_predicate_proves_nothing(sc: CommandLine, image: str, keyless: Keyless) -> None:
    keyless.attest(image, "cyclonedx", {})
    assert sc(f"sbom verify --image {image} {keyless.flags()}").code == 4


def test_a_key_is_no_identity(sc: CommandLine, image: str, key: str, keyless: Keyless, project: Path) -> None:
    """With a log entry and a timestamp, too."""
    trust = [f"--signing-config={keyless.sigstore.signing_config}", f"--trusted-root={keyless.sigstore.trusted_root}"]
    words = ["cosign", "sign", "--key=cosign.key", *trust, "--yes", image]
    subprocess.run(words, cwd=project, env={**keyless.env, "COSIGN_PASSWORD": "test"}, check=True, capture_output=True)
    assert sc(f"image verify --image {image} {key}").code == 0
    for log in ("", " --no-transparency-log"):
        done = sc(f"image verify --image {image} {keyless.flags()}{log}")
        assert (done.code, done.stdout) == (4, "")
        assert "signed with a key" in done.stderr


def test_an_identity_is_no_key(sc: CommandLine, signed: str, key: str) -> None:
    assert sc(f"image verify --image {signed} {key}").code == 4


def test_another_images_signature(sc: CommandLine, image: str, new_image: PushImage, keyless: Keyless) -> None:
    keyless.sign(image)
    repository, _, digest = image.partition("@")
    other = new_image(CLEAN, name=repository.partition("/")[2])
    tags = [f"{repository}:{each.replace(':', '-')}" for each in (digest, other.partition("@")[2])]
    subprocess.run(["crane", "copy", *tags], env=dict(keyless.env), check=True, capture_output=True)
    assert attachments(other) == attachments(image) != []
    done = sc(f"image verify --image {other} {keyless.flags()}")
    assert (done.code, done.stdout) == (4, "")
    assert "about another digest" in done.stderr


def test_another_trusted_root(sc: CommandLine, signed: str, keyless: Keyless, tmp_path: Path) -> None:
    """One with the same services and other keys; then ours, with one of theirs in place of ours."""
    other = tmp_path / "other"
    other.mkdir()
    openssl.make_keys(other)
    cosign = shutil.which("cosign", path=keyless.env["PATH"])
    services.trust(other, Path(str(cosign)), keyless.sigstore.urls)
    root = json.loads(keyless.sigstore.trusted_root.read_text())
    theirs = json.loads((other / "trusted_root.json").read_text())

    def with_their(member: str) -> Path:
        file = other / f"{member}.json"
        file.write_text(json.dumps(root | {member: theirs[member]}))
        return file

    for file, log, said in (
        (other / "trusted_root.json", True, "transparency log that is trusted"),
        (other / "trusted_root.json", False, "timestamp by an authority that is trusted"),
        (with_their("tlogs"), True, "transparency log that is trusted"),
        (with_their("timestampAuthorities"), False, "timestamp by an authority that is trusted"),
        (with_their("certificateAuthorities"), True, "certificate of no authority that is trusted"),
        (with_their("certificateAuthorities"), False, "certificate of no authority that is trusted"),
        (with_their("ctlogs"), True, "certificate in no certificate-transparency log that is trusted"),
        (with_their("ctlogs"), False, "certificate in no certificate-transparency log that is trusted"),
    ):
        more = "" if log else "--no-transparency-log"
        done = sc(f"image verify --image {signed} {keyless.flags(trusted_root=file)} {more}")
        assert (done.code, done.stdout) == (4, "")
        assert said in done.stderr
        assert DEV not in done.stderr, "who signed isn't known"


def test_a_trusted_root_that_cosign_cannot_read(sc: CommandLine, signed: str, keyless: Keyless, tmp_path: Path) -> None:
    root = json.loads(keyless.sigstore.trusted_root.read_text())
    root["ctlogs"][0]["publicKey"]["rawBytes"] = root["tlogs"][0]["publicKey"]["rawBytes"]
    file = tmp_path / "root.json"
    file.write_text(json.dumps(root))
    done = sc(f"image verify --image {signed} {keyless.flags(trusted_root=file)}")
    assert (done.code, done.stdout) == (2, "")
    assert "--trusted-root" in done.stderr


def test_without_a_log_a_timestamp_is_needed(sc: CommandLine, new_image: PushImage, keyless: Keyless) -> None:
    stamped, bare = new_image(), new_image()
    keyless.sign(stamped, lacking=("log",))
    keyless.sign(bare, lacking=("log", "timestamps"))
    for image in (stamped, bare):
        for log in ("", " --transparency-log"):
            done = sc(f"image verify --image {image} {keyless.flags()}{log}")
            assert (done.code, done.stdout) == (4, "")
            assert "without an entry in a transparency log" in done.stderr
    assert sc(f"image verify --image {stamped} {keyless.flags()} --no-transparency-log").code == 0
    # Its certificate is good for some minutes more: cosign by itself would accept it now, and not tomorrow.
    done = sc(f"image verify --image {bare} {keyless.flags()} --no-transparency-log")
    assert (done.code, done.stdout) == (4, "")
    assert "without a signed timestamp" in done.stderr


def test_the_bundle_that_is_named_is_the_one_that_was_verified(
    sc: CommandLine, new_image: PushImage, keyless: Keyless
) -> None:
    """Somebody who can write to the registry adds the same envelope, with a certificate of their own."""
    ours, theirs = new_image(), new_image()
    keyless.sign(ours)
    keyless.sign(theirs, "mallory@evil.test")
    (real,), (other,) = attachments(ours), attachments(theirs)
    forged = bundle_of(ours, real)
    forged["verificationMaterial"] |= {"certificate": bundle_of(theirs, other)["verificationMaterial"]["certificate"]}
    put_bundle(ours, json.dumps(forged).encode(), like=real)
    put_bundle(ours, b"no JSON", like=real)
    assert len(attachments(ours)) == 3
    done = sc(f"image verify --image {ours} {keyless.flags()} --output json")
    assert done.result["outputs"]["verified"] == {"signature": real}
    assert sc(f"image verify --image {ours} {keyless.flags('mallory@evil.test')}").code == 4


def test_the_same_for_a_key(sc: CommandLine, image: str, key: str) -> None:
    """Nothing is fetched for it."""
    real = sc(f"image sign --image {image} {key} --output json").result["outputs"]["signatureDigest"]
    bundle = bundle_of(image, real)
    forged = {**bundle, "mediaType": "application/vnd.dev.sigstore.bundle.v9+json"}
    put_bundle(image, json.dumps(forged).encode(), like=real)
    assert len(attachments(image)) == 2
    done = sc(f"image verify --image {image} {key} --output json", HTTPS_PROXY="http://127.0.0.1:1")
    assert done.result["outputs"]["verified"] == {"signature": real}


def test_nothing_is_fetched_with_a_trusted_root(sc: CommandLine, signed: str, keyless: Keyless) -> None:
    assert sc(f"image verify --image {signed} {keyless.flags()}", HTTPS_PROXY="http://127.0.0.1:1").code == 0


def test_without_one_the_public_sigstore_is_asked(
    sc: CommandLine, signed: str, keyless: Keyless, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)
    who = keyless.flags().partition(" --trusted-root")[0]
    done = sc(f"image verify --image {signed} {who}", HTTPS_PROXY="http://127.0.0.1:1")
    assert (done.code, done.stdout) == (6, "")
    assert "TUF" in done.stderr


def test_an_expression_that_only_cosign_refuses(sc: CommandLine, signed: str, keyless: Keyless) -> None:
    done = sc(f"image verify --image {signed} {keyless.flags('((dev@acme){900}){900}')}")
    assert (done.code, done.stdout) == (2, "")
    assert "--certificate-identity-regexp" in done.stderr
