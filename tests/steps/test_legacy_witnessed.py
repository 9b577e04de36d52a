"""cosign's older form with witnesses: a certificate, an entry of a real Rekor 1, a timestamp; written, verified, lost.

Verifiers that don't know bundles are played by cosign, told so (`old`).
"""

import itertools
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.sigstore.rekor_v1 import RekorV1
from devtools.sigstore.services import Sigstore
from tests.command_line import CommandLine
from tests.faulty_proxy import FaultyProxy, faulty_proxy
from tests.images import CLEAN, attachments
from tests.keyless import DEV
from tests.steps.conftest import PushImage
from tests.tags import put_tag, tag_of

STEPS = {"signature": "image sign", "sbom": "sbom attach", "provenance": "provenance attach --no-include-git"}
KINDS = {"sbom": "https://cyclonedx.org/bom", "provenance": "https://slsa.dev/provenance/v1"}
WANTED = "--attestation cyclonedx --attestation slsaprovenance1"
SIGNERS = ("keyless", "key")
LOGGED, STAMPED, BOTH, BY_URL = "a log", "a timestamp", "a log and a timestamp", "a log, by URL"
CASES = [
    *((signer, witness, "legacy") for signer in SIGNERS for witness in (LOGGED, STAMPED, BOTH, BY_URL)),
    ("keyless", BOTH, "both"),
    ("keyless", STAMPED, "both"),
    ("key", LOGGED, "both"),
]

pytestmark = [pytest.mark.usefixtures("counted_entries", "key")]


class World:
    """The flags for who signs and verifies, and cosign in its older form."""

    def __init__(self, here: RekorV1, sc: CommandLine, env: dict[str, str], folder: Path) -> None:
        self.here, self._sc, self._env, self._folder = here, sc, env, folder
        self._tokens = itertools.count()

    def flags(self, signer: str, witness: str, form: str = "legacy") -> str:
        urls, root = self.here.urls, f"--trusted-root {self.here.trusted_root}"
        services = {
            LOGGED: f"--signing-config {self._config('tsaUrls', 'tsaConfig')}",
            STAMPED: f"--no-transparency-log --signing-config {self._config()}",
            BOTH: f"--signing-config {self._config()}",
            BY_URL: f"--rekor-url {urls['rekor']}",
        }[witness]
        if witness == BY_URL and signer == "keyless":
            services += f" --fulcio-url {urls['fulcio']}"
        if signer == "keyless":
            who = "--keyless"
        else:
            who = "--key cosign.key" + ("" if witness == STAMPED else " --transparency-log")
        return f"{who} {services} {root} --signature-format {form}"

    def verifier(self, signer: str, witness: str, identity: str = r"dev@acme\.test") -> str:
        root = f"--trusted-root {self.here.trusted_root}"
        if signer == "key":
            return "--key cosign.pub" + ("" if witness == STAMPED else f" --transparency-log {root}")
        log = "--no-transparency-log " if witness == STAMPED else ""
        return f"--certificate-identity-regexp '{identity}' --certificate-oidc-issuer {self.here.issuer()} {log}{root}"

    def call(self, words: str) -> Any:
        """Each time as another run of the same job."""
        token = self.here.token(DEV, jti=str(next(self._tokens)))
        return self._sc(f"{words} --output json", SIGSTORE_ID_TOKEN=token)

    def old(self, image: str, signer: str, witness: str, *command: str) -> int:
        """What cosign says, which looks at the tags alone, demands every witness, and asks no service."""
        who = [f"--certificate-identity={DEV}", f"--certificate-oidc-issuer={self.here.issuer()}"]
        words = ["--key=cosign.pub"] if signer == "key" else who
        words += ["--offline"] if witness != STAMPED else ["--insecure-ignore-tlog"]
        words += ["--use-signed-timestamps"] if witness in (STAMPED, BOTH) else []
        flags = ["--new-bundle-format=false", f"--trusted-root={self.here.trusted_root}", *words]
        done = subprocess.run(
            ["cosign", *command, *flags, image], env=self._env, cwd=self._folder, check=False, capture_output=True
        )
        return done.returncode

    def _config(self, *lacking: str) -> Path:
        config = json.loads(self.here.signing_config.read_text())
        file = self._folder / f"config-without-{len(lacking)}.json"
        file.write_text(json.dumps({name: value for name, value in config.items() if name not in lacking}))
        return file


@pytest.fixture
def world(rekor_v1: RekorV1, sc: CommandLine, tools_env: dict[str, str], project: Path) -> World:
    return World(rekor_v1, sc, tools_env, project)


@pytest.mark.parametrize(("signer", "witness", "form"), CASES)
def test_signed_and_attested_once(world: World, image: str, signer: str, witness: str, form: str) -> None:
    flags = world.flags(signer, witness, form)
    before, logged = world.here.size(), witness != STAMPED
    made = {name: world.call(f"{step} --image {image} {flags}").result for name, step in STEPS.items()}
    assert {each["status"] for each in made.values()} == {"passed"}
    tags = {kind: tag_of(image, kind) for kind in ("sig", "att")}
    kept = attachments(image)
    assert [len(tags["sig"].layers), len(tags["att"].layers), len(kept)] == [1, 2, 3 if form == "both" else 0]
    # One entry for each form at most.
    assert world.here.size() == before + logged * (6 if form == "both" else 3)
    for layer in tags["sig"].layers + tags["att"].layers:
        assert ("certificate" in layer, "bundle" in layer) == (signer == "keyless", logged)
        assert ("rfc3161timestamp" in layer) == (witness in (STAMPED, BOTH))

    # Another run of the same job adds nothing, not to the log either, and finds what was made.
    again = {name: world.call(f"{step} --image {image} {flags}").result for name, step in STEPS.items()}
    assert {each["status"] for each in again.values()} == {"reused"}
    assert [each["outputs"] for each in again.values()] == [each["outputs"] for each in made.values()]
    assert ({kind: tag_of(image, kind) for kind in ("sig", "att")}, attachments(image)) == (tags, kept)
    assert world.here.size() == before + logged * (6 if form == "both" else 3)

    # Our own verification, and that of those for whom it is written.
    who = world.verifier(signer, witness)
    verified = world.call(f"image verify --image {image} {who} {WANTED}").result["outputs"]["verified"]
    assert verified["signature"] == made["signature"]["outputs"]["signatureDigest"]
    for name, kind in KINDS.items():
        assert verified[kind] == made[name]["outputs"]["attestationDigest"]
    assert world.old(image, signer, witness, "verify") == 0
    for kind in ("cyclonedx", "slsaprovenance1"):
        assert world.old(image, signer, witness, "verify-attestation", f"--type={kind}") == 0


@pytest.mark.parametrize("signer", SIGNERS)
def test_the_outputs_name_the_log_s_own_entry(world: World, image: str, signer: str) -> None:
    for step in STEPS.values():
        outputs = world.call(f"{step} --image {image} {world.flags(signer, BOTH)}").result["outputs"]
        key, entry = world.here.entry(outputs["rekorUuid"])
        assert key.endswith(outputs["rekorUuid"])
        assert (str(entry["logIndex"]), entry["logID"]) == (outputs["rekorLogIndex"], outputs["rekorLogId"])
        assert outputs["rekorUrl"] == world.here.urls["rekor"]
        assert outputs["rekorTime"].endswith("Z")
        if signer == "keyless":
            assert (outputs["identity"], outputs["issuer"]) == (DEV, world.here.issuer())


@pytest.mark.parametrize("witness", [LOGGED, STAMPED])
def test_another_identity_or_issuer_is_refused(world: World, image: str, witness: str) -> None:
    for step in ("image sign", "sbom attach"):
        assert world.call(f"{step} --image {image} {world.flags('keyless', witness)}").result
    ours = world.verifier("keyless", witness)
    for wrong in (ours.replace("dev@", "ops@"), ours.replace("/email", "/github-workflow")):
        for step in ("image verify", "sbom verify"):
            done = world.call(f"{step} --image {image} {wrong}")
            assert (done.code, done.stdout) == (4, "")
            assert "nothing is attached" not in done.stderr
    assert world.call(f"sbom verify --image {image} {ours}").code == 0


def test_another_s_name_says_nothing_of_what_failed(world: World, image: str, sc: CommandLine) -> None:
    theirs = {"SIGSTORE_ID_TOKEN": world.here.token("unauthorized.timeout@acme.test")}
    for step in ("image sign", "sbom attach"):
        assert sc(f"{step} --image {image} {world.flags('keyless', LOGGED)}", **theirs).code == 0
        verify = f"{step.split()[0]} verify --image {image} {world.verifier('keyless', LOGGED)}"
        assert world.call(verify).code == 4
        assert world.call(f"{step} --image {image} {world.flags('keyless', LOGGED)}").result["status"] == "passed"
        assert world.call(verify).code == 0


@pytest.mark.parametrize("signer", SIGNERS)
def test_without_a_log_s_entry_it_doesnt_count_where_one_is_demanded(world: World, image: str, signer: str) -> None:
    for step in ("image sign", "sbom attach"):
        assert world.call(f"{step} --image {image} {world.flags(signer, STAMPED)}").code == 0
    demanding = world.verifier(signer, LOGGED)
    for step in ("image verify", "sbom verify"):
        assert world.call(f"{step} --image {image} {demanding}").code == 4
    # What was signed without the log is no reason not to sign with it.
    for step in ("image sign", "sbom attach"):
        assert world.call(f"{step} --image {image} {world.flags(signer, LOGGED)}").result["status"] == "passed"
    for step in ("image verify", "sbom verify"):
        assert world.call(f"{step} --image {image} {demanding}").code == 0


@pytest.mark.parametrize("signer", SIGNERS)
def test_an_entry_of_the_log_that_is_taken_away_is_missed(world: World, image: str, signer: str) -> None:
    _refused_without(world, image, signer, LOGGED, "bundle")


def test_a_timestamp_that_is_taken_away_is_missed(world: World, image: str) -> None:
    """cosign itself doesn't miss it as long as the certificate is good."""
    _refused_without(world, image, "keyless", STAMPED, "rfc3161timestamp")


def test_a_certificate_that_is_taken_away_is_missed(world: World, image: str) -> None:
    _refused_without(world, image, "keyless", LOGGED, "certificate")


def _refused_without(world: World, image: str, signer: str, witness: str, note: str) -> None:
    for step in ("image sign", "sbom attach"):
        assert world.call(f"{step} --image {image} {world.flags(signer, witness)}").code == 0
    for kind, step in (("sig", "image verify"), ("att", "sbom verify")):
        verify = f"{step} --image {image} {world.verifier(signer, witness)}"
        assert world.call(verify).code == 0
        before = tag_of(image, kind)
        put_tag(image, kind, before.without(note))
        assert world.call(verify).code == 4
        # Nor where it stands beside one that has it, and that cosign can't verify.
        put_tag(image, kind, before.without(note).and_(before.with_(note, "{}")))
        assert world.call(verify).code in (4, 6)


def test_what_isnt_known_of_an_entry_isnt_told(world: World, image: str) -> None:
    """The envelope stands there twice, once with an entry that is made up: cosign doesn't tell which it verified."""
    sbom = f"sbom attach --image {image} {world.flags('key', LOGGED)}"
    assert world.call(sbom).result["outputs"]["rekorUuid"]
    before = tag_of(image, "att")
    made_up = json.loads(before.layers[0]["bundle"])
    made_up["Payload"]["logIndex"] = 424242
    put_tag(image, "att", before.and_(before.with_("bundle", json.dumps(made_up))))
    outputs = world.call(sbom).result["outputs"]
    assert "rekorUuid" not in outputs
    assert "rekorLogIndex" not in outputs


@pytest.mark.parametrize("witness", [LOGGED, STAMPED])
def test_another_image_s_tag_doesnt_count(world: World, new_image: PushImage, witness: str) -> None:
    image, other = new_image(), new_image(CLEAN)
    for step in ("image sign", "sbom attach"):
        assert world.call(f"{step} --image {image} {world.flags('keyless', witness)}").code == 0
    for kind in ("sig", "att"):
        put_tag(other, kind, tag_of(image, kind), blobs_of=image)
    for step in ("image verify", "sbom verify"):
        assert world.call(f"{step} --image {other} {world.verifier('keyless', witness)}").code == 4


@pytest.mark.parametrize(
    ("signer", "form", "where"), [("keyless", "legacy", "files"), ("keyless", "both", "url"), ("key", "both", "url")]
)
def test_a_rekor_2_is_refused_before_anything_is_signed(
    *, world: World, image: str, sigstore: Sigstore, signer: str, form: str, where: str
) -> None:
    by_url = f"--rekor-url {sigstore.urls['rekor']}"
    by_url += f" --fulcio-url {sigstore.urls['fulcio']}" if signer == "keyless" else ""
    services = f"--signing-config {sigstore.signing_config}" if where == "files" else by_url
    who = "--keyless" if signer == "keyless" else "--key cosign.key --transparency-log"
    flags = f"{who} {services} --trusted-root {sigstore.trusted_root} --signature-format {form}"
    for step in STEPS.values():
        done = world.call(f"{step} --image {image} {flags}")
        assert (done.code, done.stdout) == (2, "")
        assert f"--signature-format: {form} keeps entries of a Rekor 1 alone" in done.stderr
    assert attachments(image) == []


def test_a_rekor_2_that_the_trusted_root_doesnt_tell_is_found_out(
    world: World, image: str, sigstore: Sigstore, project: Path
) -> None:
    root = json.loads(sigstore.trusted_root.read_text())
    root["tlogs"] = json.loads(world.here.trusted_root.read_text())["tlogs"]
    (project / "root.json").write_text(json.dumps(root))
    services = f"--rekor-url {sigstore.urls['rekor']} --trusted-root root.json"
    done = world.call(
        f"image sign --image {image} --key cosign.key --transparency-log {services} --signature-format legacy"
    )
    assert (done.code, done.stdout) == (6, "")
    assert "isn't a Rekor 1" in done.stderr
    assert tag_of(image, "sig").layers == []


def test_a_configuration_with_both_rekors_uses_the_first(
    world: World, image: str, sigstore: Sigstore, project: Path
) -> None:
    config = json.loads(world.here.signing_config.read_text())
    config["rekorTlogUrls"] += json.loads(sigstore.signing_config.read_text())["rekorTlogUrls"]
    root = json.loads(world.here.trusted_root.read_text())
    root["tlogs"] += json.loads(sigstore.trusted_root.read_text())["tlogs"]
    (project / "both.json").write_text(json.dumps(config))
    (project / "root.json").write_text(json.dumps(root))
    before = world.here.size()
    flags = "--keyless --signing-config both.json --trusted-root root.json --signature-format legacy"
    assert world.call(f"image sign --image {image} {flags}").code == 0
    assert world.here.size() == before + 1


@pytest.fixture
def through(registry: str, image: str) -> Iterator[tuple[FaultyProxy, str]]:
    """A proxy before the registry, and the image's name through it."""
    with faulty_proxy(f"http://{registry}") as proxy:
        yield proxy, image.replace(registry, proxy.url.removeprefix("http://"))


@pytest.mark.parametrize("step", ["image sign", "sbom attach"])
def test_a_lost_write_isnt_signed_again(
    *, world: World, through: tuple[FaultyProxy, str], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)
    proxy, image = through
    words = f"{step} --image {image} {world.flags('keyless', BOTH)}"
    if step == "sbom attach":
        assert world.call(f"sbom generate --image {image}").code == 0
    before = world.here.size()
    # The registry says that it has it (the configuration, the layer or the tag), and hasn't; then it fails.
    proxy.fail(201, 503, "cut", "lost", only="PUT")
    result = world.call(words).result
    assert result["status"] == "passed"
    assert world.here.size() == before + 1
    assert world.call(words).result["status"] == "reused"
    kind = "sig" if step == "image sign" else "att"
    assert len(tag_of(image, kind).layers) == 1


def test_an_authority_that_fails_for_a_moment(
    world: World, image: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)
    with faulty_proxy(world.here.urls["tsa"]) as authority:
        config = json.loads(world.here.signing_config.read_text())
        config["tsaUrls"][0]["url"] = authority.url
        (project / "proxied.json").write_text(json.dumps(config))
        root = f"--trusted-root {world.here.trusted_root}"
        flags = f"--keyless --signing-config proxied.json {root} --signature-format legacy"
        before = world.here.size()
        # cosign's own request first, then ours.
        authority.fail("pass", 503, "cut", "short")
        assert world.call(f"sbom attach --image {image} {flags}").result["status"] == "passed"
        assert world.here.size() == before + 1
        authority.fail("pass", then=404)
        done = world.call(f"provenance attach --no-include-git --image {image} {flags}")
    assert (done.code, done.stdout) == (6, "")
    assert "the timestamp authority" in done.stderr
    assert len(tag_of(image, "att").layers) == 1


def test_a_release(world: World, image: str, project: Path, sc: CommandLine) -> None:
    signing = {
        "keyless": True,
        "format": "both",
        "signingConfig": str(world.here.signing_config),
        "trustedRoot": str(world.here.trusted_root),
        "verify": {"identityRegexp": r"dev@acme\.test", "oidcIssuer": world.here.issuer()},
    }
    (project / "p.yaml").write_text(json.dumps({"security": {"provenance": {}, "signing": signing}}))
    done = sc(f"release create --image {image} --policy p.yaml", SIGSTORE_ID_TOKEN=world.here.token(DEV))
    assert done.code == 0, done.stderr
    assert (len(tag_of(image, "sig").layers), len(tag_of(image, "att").layers)) == (1, len(attachments(image)) - 1)
