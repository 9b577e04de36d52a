"""Ways to be wrong that no file alone can show: what lies in the registry, beside the image, or in the scanner's hands.

Each makes its wrong thing in a project with a key, an image and nothing attached, and says what is called then, with
which code it is refused, and what is named. Wrong policy files are one a file: tests/policy/bad.
"""

import base64
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.bundles import bundle_of, put_bundle
from tests.command_line import CommandLine
from tests.images import CLEAN, attachments, push_image
from tests.vulnerability_database import emptied, import_changed

SIGN = "--key cosign.key --no-transparency-log"
NOBODY = '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}'
TRUST = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'


@dataclass(frozen=True)
class Bench:
    """Where a case makes its wrong thing."""

    sc: CommandLine
    env: dict[str, str]
    folder: Path
    """The working directory."""
    image: str

    def do(self, words: str, *more: str) -> None:
        """Run our own command line, which has to succeed."""
        done = self.sc(words, *more)
        assert done.code == 0, done.stderr

    def attest(self, kind: str, predicate: str, image: str = "", key: str = "cosign.key") -> None:
        """Have cosign attest whatever is asked, as any holder of the key could."""
        for name, text in (("predicate.json", predicate), ("config.json", NOBODY), ("root.json", TRUST)):
            (self.folder / name).write_text(text)
        flags = ["--signing-config=config.json", "--trusted-root=root.json", f"--key={key}", "--yes"]
        words = ["cosign", "attest", f"--type={kind}", "--predicate=predicate.json", *flags, image or self.image]
        subprocess.run(words, cwd=self.folder, env=self.env, check=True, capture_output=True)

    def another_image(self) -> str:
        """Another image in the same repository."""
        return push_image(self.env, self.folder, self.image.partition("@")[0], CLEAN)

    def copy_attachments(self, source: str) -> None:
        """Move what is attached to another image to ours, as whoever can write to the registry could."""
        tags = [f"{each.partition('@')[0]}:{each.partition('@')[2].replace(':', '-')}" for each in (source, self.image)]
        subprocess.run(["crane", "copy", *tags], env=self.env, check=True, capture_output=True)


@dataclass(frozen=True)
class Case:
    """What is called once the wrong thing is there, and how it is refused."""

    call: str
    code: int
    named: str
    make: Callable[[Bench], dict[str, str] | None]
    """Makes the wrong thing; variables for the call."""


def _signed_by_another_key(bench: Bench) -> None:
    bench.do(f"image sign --image {bench.image} --key other.key --no-transparency-log")


def _signature_of_another_image(bench: Bench) -> None:
    other = bench.another_image()
    bench.do(f"image sign --image {other} {SIGN}")
    bench.copy_attachments(other)


def _attestation_of_another_image(bench: Bench) -> None:
    other = bench.another_image()
    bench.do(f"sbom attach --image {other} {SIGN}")
    bench.copy_attachments(other)


def _bundle_of_another_image(bench: Bench) -> None:
    """The one bundle, beside what is attached to ours already."""
    other = bench.another_image()
    bench.do(f"sbom attach --image {other} {SIGN}")
    bench.do(f"image sign --image {bench.image} {SIGN}")
    theirs = json.dumps(bundle_of(other, attachments(other)[0])).encode()
    put_bundle(bench.image, theirs, like=attachments(bench.image)[0])


def _tampered(change: Callable[[dict], None]) -> Callable[[Bench], None]:
    """The signature's bundle, changed, and alone."""

    def make(bench: Bench) -> None:
        bench.do(f"image sign --image {bench.image} {SIGN}")
        (digest,) = attachments(bench.image)
        bundle = bundle_of(bench.image, digest)
        change(bundle)
        put_bundle(bench.image, json.dumps(bundle).encode(), like=digest)
        repository = bench.image.partition("@")[0]
        subprocess.run(["crane", "delete", f"{repository}@{digest}"], env=bench.env, check=True, capture_output=True)

    return make


def _another_payload(bundle: dict) -> None:
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"]) + b" "
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()


def _another_signature(bundle: dict) -> None:
    signature = bytearray(base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"]))
    signature[-1] ^= 1
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()


def _two_envelopes(*, ours_first: bool) -> Callable[[dict], None]:
    """The one that was signed by its other name beside the one that we read: cosign must not verify that one for us."""

    def change(bundle: dict) -> None:
        signed = bundle.pop("dsseEnvelope")
        both = {"dsse_envelope": signed, "dsseEnvelope": dict(signed)}
        bundle |= dict(reversed(both.items())) if ours_first else both
        _another_payload(bundle)

    return change


def _no_signatures(bundle: dict) -> None:
    bundle["dsseEnvelope"]["signatures"] = []


def _attested(kind: str, predicate: str, key: str = "cosign.key") -> Callable[[Bench], None]:
    return lambda bench: bench.attest(kind, predicate, key=key)


def _vex(product: str, **statement: str) -> Callable[[Bench], None]:
    def make(bench: Bench) -> None:
        said = {"vulnerability": {"name": "CVE-2024-4340"}, "products": [{"@id": product}], "status": "not_affected"}
        document = {
            "@context": "https://openvex.dev/ns/v0.2.0",
            "@id": "https://acme.test/vex/1",
            "author": "acme",
            "timestamp": "2026-01-01T00:00:00Z",
            "version": 1,
            "statements": [{**said, "justification": "vulnerable_code_not_present", **statement}],
        }
        (bench.folder / "vex.json").write_text(json.dumps(document))

    return make


def _catalogue(change: Callable[[bytes, str], bytes]) -> Callable[[Bench], None]:
    """The image's own catalogue, changed."""

    def make(bench: Bench) -> None:
        bench.do(f"sbom generate --image {bench.image} --format syft-json --save given.json")
        given = bench.folder / "given.json"
        given.write_bytes(change(given.read_bytes(), bench.image.partition("@")[2]))

    return make


def _grype_prints(script: str) -> Callable[[Bench], dict[str, str]]:
    """A grype whose report is changed by a script on its way."""

    def make(bench: Bench) -> dict[str, str]:
        bench.do(f"sbom generate --image {bench.image}")
        real = subprocess.run(["which", "grype"], env=bench.env, check=True, capture_output=True, text=True)
        fake = bench.folder / "bin" / "grype"
        fake.parent.mkdir()
        fake.write_text(f'#!/bin/sh\ncase "$1" in sbom:*) {real.stdout.strip()} "$@" | {script};; '
                        f'*) exec {real.stdout.strip()} "$@";; esac\n')  # fmt: skip
        fake.chmod(0o755)
        return {"PATH": f"{fake.parent}:{bench.env['PATH']}"}

    return make


def _future(bench: Bench) -> dict[str, str]:
    return import_changed(bench.env, bench.folder, age=-timedelta(days=400))


VERIFY = "image verify --image {image} --key cosign.pub"
SBOM = "sbom verify --image {image} --key cosign.pub"
PROVENANCE = "provenance verify --image {image} --key cosign.pub"
RESULT = "scan verify --image {image} --key cosign.pub"
SCAN = "image scan --image {image} --fail-on high"
NOT_THERE = "not there, or not by this key: "
BOM, SLSA = "https://cyclonedx.org/bom", "https://slsa.dev/provenance/v1"
VULN = "https://cosign.sigstore.dev/attestation/vuln/v1"
NOTHING = " (it says nothing)"
CYCLONEDX = '{"bomFormat": "CycloneDX"}'
SPDX = '{"spdxVersion": "SPDX-2.3", "packages": []}'

CASES = {
    # What is attached.
    "nothing": Case(VERIFY, 4, NOT_THERE + "signature", lambda _: None),
    "signed by another key": Case(VERIFY, 4, NOT_THERE + "signature", _signed_by_another_key),
    "the signature of another image": Case(VERIFY, 4, NOT_THERE + "signature", _signature_of_another_image),
    "a signature over another text": Case(VERIFY, 4, NOT_THERE + "signature", _tampered(_another_payload)),
    "a signature that is changed": Case(VERIFY, 4, NOT_THERE + "signature", _tampered(_another_signature)),
    "a bundle with another text beside what is signed": Case(
        VERIFY, 4, NOT_THERE + "signature", _tampered(_two_envelopes(ours_first=False))
    ),
    "a bundle with what is signed beside another text": Case(
        VERIFY, 4, NOT_THERE + "signature", _tampered(_two_envelopes(ours_first=True))
    ),
    "a bundle without a signature": Case(VERIFY, 4, NOT_THERE + "signature", _tampered(_no_signatures)),
    "an attestation in place of a signature": Case(
        VERIFY, 4, NOT_THERE + "signature", _attested("cyclonedx", CYCLONEDX)
    ),
    "the attestation of another image": Case(SBOM, 4, NOT_THERE + BOM, _attestation_of_another_image),
    "the bundle of another image": Case(SBOM, 4, NOT_THERE + BOM, _bundle_of_another_image),
    "attested by another key": Case(
        SBOM, 4, NOT_THERE + BOM, _attested("cyclonedx", CYCLONEDX, "other.key")
    ),
    "another predicate type": Case(
        SBOM, 4, NOT_THERE + BOM, _attested("https://example.test/bom", CYCLONEDX)
    ),
    "SPDX as CycloneDX": Case(SBOM, 4, BOM + NOTHING, _attested("cyclonedx", SPDX)),
    "CycloneDX as SPDX": Case(
        SBOM + " --format spdx-json", 4, "https://spdx.dev/Document (it says nothing)",
        _attested("spdxjson", CYCLONEDX),
    ),
    "an empty catalogue": Case(SBOM, 4, BOM + NOTHING, _attested("cyclonedx", "{}")),
    "a catalogue that says it is of another format": Case(
        SBOM, 4, BOM + NOTHING, _attested("cyclonedx", '{"bomFormat": "SPDX", "spdxVersion": "SPDX-2.3"}')
    ),
    "a syft catalogue without a list of packages": Case(
        SBOM + " --format syft-json", 4, "https://syft.dev/bom (it says nothing)",
        _attested("https://syft.dev/bom", '{"artifacts": "many"}'),
    ),
    "provenance of a build that is but a word": Case(
        PROVENANCE, 4, SLSA + NOTHING, _attested(SLSA, '{"buildDefinition": "docker"}')
    ),
    "a scan without a scanner": Case(RESULT, 4, VULN + NOTHING, _attested(VULN, '{"scanner": true}')),
    "empty provenance": Case(
        PROVENANCE, 4, SLSA + NOTHING, _attested(SLSA, "{}")
    ),
    "null provenance": Case(
        PROVENANCE, 4, NOT_THERE + SLSA, _attested(SLSA, "null")
    ),
    "an empty scan": Case(
        RESULT, 4, VULN + NOTHING,
        _attested(VULN, "{}"),
    ),
    # What a scan is given.
    "the catalogue of another image": Case(
        SCAN + " --sbom given.json", 4, "--sbom given.json: not a syft-json catalogue of sha256:",
        _catalogue(lambda content, digest: content.replace(digest.encode(), b"sha256:" + b"0" * 64)),
    ),
    "a catalogue of another format": Case(
        SCAN + " --sbom given.json", 4, "--sbom given.json: not a syft-json catalogue of sha256:",
        _catalogue(lambda *_: CYCLONEDX.encode()),
    ),
    "half a catalogue": Case(
        SCAN + " --sbom given.json", 6, "--sbom given.json", _catalogue(lambda content, _: content[: len(content) // 2])
    ),
    "an ignore rule that has run out": Case(
        SCAN + " --ignore 'GHSA-2m57-hf25-phgg until 2026-01-01: accepted'", 3, "scan.failOn: high forbids 1 finding",
        lambda _: None,
    ),
    "VEX of another product": Case(
        SCAN + " --vex vex.json", 3, "scan.failOn: high forbids 1 finding", _vex("pkg:oci/other@sha256:0")
    ),
    "VEX with an unknown status": Case(
        SCAN + " --vex vex.json", 2, "--vex vex.json: ", _vex("pkg:oci/other", status="fine")
    ),
    "VEX without an end": Case(SCAN + " --vex /dev/zero", 2, "--vex /dev/zero: larger than 16 MiB", lambda _: None),
    "a catalogue without an end": Case(
        SCAN + " --sbom /dev/zero", 2, "--sbom /dev/zero: not a regular file", lambda _: None
    ),
    # What a scanner says.
    "half a report": Case(SCAN, 6, "grype", _grype_prints("head -c 2000")),
    "no report": Case(SCAN, 6, "grype", _grype_prints("true")),
    "a report of another image": Case(
        SCAN, 6, "grype: its report isn't about sha256:", _grype_prints("sed 's/sha256:[0-9a-f]*/sha256:00/g'")
    ),
    "an empty database": Case(
        SCAN, 6, "database", lambda bench: import_changed(bench.env, bench.folder, emptied)
    ),
    "a database of the future": Case(SCAN, 6, "database", _future),
    "no database": Case(SCAN, 6, "database", lambda bench: {"GRYPE_DB_CACHE_DIR": str(bench.folder / "none")}),
    # What a person says.
    "another digest is expected": Case(VERIFY + " --expected-digest sha256:0", 4, "--expected-digest", lambda _: None),
    "a tag": Case("image verify --image debian:12 --key cosign.pub", 2, "crane digest", lambda _: None),
}  # fmt: skip
