"""Signed and attested with a Rekor 1: real Trillian, PostgreSQL and Rekor, whose entries have UUIDs."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.sigstore.rekor_v1 import RekorV1
from devtools.sigstore.services import Sigstore
from tests.bundles import bundle_of
from tests.command_line import CommandLine, in_process, wrap
from tests.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.images import attachments
from tests.keyless import DEV, Keyless, accepted_by_python
from tests.killing import MOMENTS, Moment, kill

STEPS = ("image sign", "sbom attach", "provenance attach --no-include-git")

pytestmark = pytest.mark.usefixtures("counted_entries")


@pytest.fixture
def files(rekor_v1: RekorV1) -> str:
    return f"--signing-config {rekor_v1.signing_config} --trusted-root {rekor_v1.trusted_root}"


def check_entry(rekor_v1: RekorV1, image: str, outputs: dict[str, Any]) -> None:
    """The UUID is the log's own name for the entry, which stands where the outputs and the bundle say."""
    key, entry = rekor_v1.entry(outputs["rekorUuid"])
    assert key == outputs["rekorUuid"]
    assert (str(entry["logIndex"]), entry["logID"]) == (outputs["rekorLogIndex"], outputs["rekorLogId"])
    assert outputs["rekorUrl"] == rekor_v1.urls["rekor"]
    bundle = bundle_of(image, outputs.get("signatureDigest") or outputs["attestationDigest"])
    (logged,) = bundle["verificationMaterial"]["tlogEntries"]
    assert logged["canonicalizedBody"] == entry["body"]
    assert logged["integratedTime"] == str(entry["integratedTime"])


def test_without_a_key(
    *, sc: CommandLine, image: str, files: str, rekor_v1: RekorV1, tools_env: dict[str, str], tmp_path: Path
) -> None:
    before = rekor_v1.size()
    outputs = [
        sc(f"{step} --image {image} --keyless {files} --output json", SIGSTORE_ID_TOKEN=rekor_v1.token(DEV)).result[
            "outputs"
        ]
        for step in STEPS
    ]
    for each in outputs:
        check_entry(rekor_v1, image, each)
    assert len({each["rekorUuid"] for each in outputs}) == 3
    for step, first in zip(STEPS, outputs, strict=True):
        token = rekor_v1.token(DEV, jti="2")
        again = sc(f"{step} --image {image} --keyless {files} --output json", SIGSTORE_ID_TOKEN=token).result
        assert (again["status"], again["outputs"]) == ("reused", first)
    assert rekor_v1.size() == before + 3
    # Of one bundle the entry may be the log's first.
    assert len(accepted_by_python([bundle_of(image, each) for each in attachments(image)], rekor_v1, DEV)) >= 2
    who = Keyless(rekor_v1, tools_env, tmp_path).flags()
    assert sc(f"image verify --image {image} {who} --attestation cyclonedx --attestation slsaprovenance1").code == 0


@pytest.mark.parametrize("where", ["files", "url"])
def test_by_a_key(*, sc: CommandLine, image: str, key: str, files: str, rekor_v1: RekorV1, where: str) -> None:
    assert "--key cosign.key" in key
    root = f"--trusted-root {rekor_v1.trusted_root}"
    services = files if where == "files" else f"--rekor-url {rekor_v1.urls['rekor']} {root}"
    before = rekor_v1.size()
    for status in ("passed", "reused"):
        for step in STEPS[:2]:
            done = sc(f"{step} --image {image} --key cosign.key --transparency-log {services} --output json")
            assert done.result["status"] == status
            check_entry(rekor_v1, image, done.result["outputs"])
    assert rekor_v1.size() == before + 2
    logged = f"--key cosign.pub --transparency-log {root} --attestation cyclonedx"
    assert sc(f"image verify --image {image} {logged}").code == 0


def test_a_release_links_each_entry(sc: CommandLine, image: str, key: str, rekor_v1: RekorV1, project: Path) -> None:
    assert "--key cosign.key" in key
    (project / "policy.yaml").write_text(
        f"""security:
  scan: {{failOn: critical}}
  signing:
    key: cosign.key
    transparencyLog: true
    signingConfig: {rekor_v1.signing_config}
    trustedRoot: {rekor_v1.trusted_root}
    verify: {{key: cosign.pub}}
"""
    )
    done = sc(f"release create --image {image} --policy policy.yaml")
    assert done.code == 0, done.stderr
    folder = project / f".sc/artifacts/sha256-{image[-64:]}"
    attached = json.loads((folder / "release.json").read_text())["attachments"]
    assert len(attached) == 2
    for each in attached:
        page = f"{rekor_v1.urls['rekor']}/api/v1/log/entries/{each['logUuid']}"
        assert f'href="{page}"' in (folder / "release.html").read_text()
        assert f"](<{page}>)" in (folder / "release.md").read_text()
        with urllib.request.urlopen(page, timeout=10) as answer:  # noqa: S310 - http on loopback
            assert list(json.load(answer)) == [each["logUuid"]]


@pytest.fixture
def behind(rekor_v1: RekorV1) -> Iterator[FaultyProxy]:
    with faulty_proxy(rekor_v1.urls["rekor"]) as proxy:
        yield proxy


# What becomes of the requests for an entry, how it ends, what the log itself answered, and how many entries it took.
OUTAGES: list[tuple[list[Fault], Fault, int, list[int], int]] = [
    ([409, 429], "pass", 0, [201], 1),
    ([500, "cut"], "pass", 0, [201], 1),
    ([], 503, 6, [], 0),
    ([], 429, 6, [], 0),
    ([], 409, 6, [], 0),
    ([], "cut", 6, [], 0),
    ([], 400, 6, [], 0),
    # The log has taken what nobody heard of. Asked for the same again, it says where that is.
    (["lost"], "pass", 0, [201, 409, 200], 1),
    (["short"], "pass", 0, [201, 409, 200], 1),
    (["lost", "short", "cut", "pass"], "pass", 0, [201, 409, 409, 200], 1),
    # What it has comes to no end: one entry, which is nobody's signature.
    ([], "lost", 6, [201, 409, 409, 409], 1),
]


@pytest.mark.parametrize(("faults", "then", "code", "answered", "entries"), OUTAGES)
def test_an_outage_of_the_log(
    *,
    sc: CommandLine,
    image: str,
    key: str,
    rekor_v1: RekorV1,
    behind: FaultyProxy,
    monkeypatch: pytest.MonkeyPatch,
    faults: list[Fault],
    then: Fault,
    code: int,
    answered: list[int],
    entries: int,
) -> None:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)
    assert "--key cosign.key" in key
    behind.fail(*faults, then=then)
    before = rekor_v1.size()
    services = f"--rekor-url {behind.url} --trusted-root {rekor_v1.trusted_root}"
    done = sc(f"image sign --image {image} --key cosign.key --transparency-log {services} --output json")
    assert done.code == code, done.stderr
    assert behind.answered == answered
    assert rekor_v1.size() == before + entries
    assert len(attachments(image)) == (1 if code == 0 else 0)
    if code == 0:
        check_entry(rekor_v1, image, done.result["outputs"])
    else:
        assert done.stdout == ""


def test_without_a_key_a_lost_answer_is_one_entry_too(
    sc: CommandLine, image: str, rekor_v1: RekorV1, behind: FaultyProxy, tmp_path: Path
) -> None:
    """The certificate that the entry names is the one that the bundle has; an attestation's, too."""
    config = json.loads(rekor_v1.signing_config.read_text())
    config["rekorTlogUrls"][0]["url"] = behind.url
    (tmp_path / "proxied.json").write_text(json.dumps(config))
    before = rekor_v1.size()
    flags = f"--keyless --signing-config {tmp_path}/proxied.json --trusted-root {rekor_v1.trusted_root} --output json"
    for step in STEPS[::2]:
        behind.fail("lost")
        done = sc(f"{step} --image {image} {flags}", SIGSTORE_ID_TOKEN=rekor_v1.token(DEV))
        check_entry(rekor_v1, image, done.result["outputs"])
    assert behind.answered == [201, 409, 200] * 2
    assert rekor_v1.size() == before + 2


def test_a_log_that_hangs_ends_with_the_step(
    sc: CommandLine, image: str, key: str, rekor_v1: RekorV1, behind: FaultyProxy
) -> None:
    assert "--key cosign.key" in key
    behind.fail(then="hang")
    began = time.monotonic()
    services = f"--rekor-url {behind.url} --trusted-root {rekor_v1.trusted_root}"
    done = sc(f"image sign --image {image} --key cosign.key --transparency-log {services} --timeout 3")
    assert (done.code, done.stdout) == (6, "")
    assert "longer than 3 s" in done.stderr
    assert behind.asked == 1
    assert time.monotonic() - began < 8
    assert attachments(image) == []


def test_a_log_that_is_not_trusted(
    sc: CommandLine, image: str, rekor_v1: RekorV1, sigstore: Sigstore, key: str
) -> None:
    """Its entry doesn't verify, and what has it isn't attached."""
    assert "--key cosign.key" in key
    files = f"--signing-config {rekor_v1.signing_config} --trusted-root {sigstore.trusted_root}"
    for who in ("--keyless", "--key cosign.key --transparency-log"):
        done = sc(f"image sign --image {image} {who} {files}", SIGSTORE_ID_TOKEN=rekor_v1.token(DEV))
        assert (done.code, done.stdout) == (6, "")
        assert f"the entry that {rekor_v1.urls['rekor']} made of the signature doesn't verify" in done.stderr
        assert "--trusted-root" in done.stderr
        assert attachments(image) == []


@pytest.mark.parametrize("step", ["image sign", "sbom attach"])
@pytest.mark.parametrize("at", MOMENTS)
def test_a_run_that_is_killed_leaves_no_second_entry(
    *,
    sc: CommandLine,
    image: str,
    key: str,
    rekor_v1: RekorV1,
    behind: FaultyProxy,
    tools_env: dict[str, str],
    project: Path,
    step: str,
    at: Moment,
) -> None:
    assert "--key cosign.key" in key
    if step == "sbom attach":
        assert sc(f"sbom generate --image {image}").code == 0
    before = rekor_v1.size()
    services = f"--rekor-url {behind.url} --trusted-root {rekor_v1.trusted_root}"
    words = f"{step} --image {image} --key cosign.key --transparency-log {services}"
    kill(words, behind, {**tools_env, "COSIGN_PASSWORD": "test"}, project, at)
    assert attachments(image) == []
    behind.fail()
    done = sc(f"{words} --output json")
    check_entry(rekor_v1, image, done.result["outputs"])
    assert rekor_v1.size() == before + 1
    assert not list((project / ".sc").rglob("unattached-*"))


@pytest.fixture
def without_timestamps(rekor_v1: RekorV1, behind: FaultyProxy, project: Path) -> str:
    """The flags of a Sigstore whose log alone tells the time."""
    config = json.loads(rekor_v1.signing_config.read_text())
    config["rekorTlogUrls"][0]["url"] = behind.url
    del config["tsaUrls"], config["tsaConfig"]
    (project / "proxied.json").write_text(json.dumps(config))
    return f"--keyless --signing-config proxied.json --trusted-root {rekor_v1.trusted_root} --output json"


@pytest.mark.parametrize("form", ["bundle", "legacy"])
def test_a_lost_answer_is_one_entry_where_the_log_alone_tells_the_time(
    *, sc: CommandLine, image: str, rekor_v1: RekorV1, behind: FaultyProxy, without_timestamps: str, form: str
) -> None:
    before = rekor_v1.size()
    for step in STEPS[::2]:
        behind.fail("lost")
        flags = f"{without_timestamps} --signature-format {form}"
        done = sc(f"{step} --image {image} {flags}", SIGSTORE_ID_TOKEN=rekor_v1.token(DEV))
        assert done.result["status"] == "passed"
    assert behind.answered == [201, 409, 200] * 2
    assert rekor_v1.size() == before + 2


def test_where_this_machine_s_clock_is_wrong_cosign_asks_the_log(
    *,
    image: str,
    rekor_v1: RekorV1,
    behind: FaultyProxy,
    without_timestamps: str,
    tools_env: dict[str, str],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A stand-in says what cosign says by a clock that is slow, which a test can't have: where no log is asked."""
    said = "error signing bundle: x509: certificate has expired or is not yet valid: current time is before"
    script = f"""
case "$*" in *without-log*--upload=false*) echo x >> {project}/refused; echo "{said}" >&2; exit 1;; esac
exec "$real" "$@\""""
    sc = in_process(wrap(project / "bin", tools_env, "cosign", script), project, monkeypatch, capsys)
    before = rekor_v1.size()
    done = sc(f"image sign --image {image} {without_timestamps}", SIGSTORE_ID_TOKEN=rekor_v1.token(DEV))
    check_entry(rekor_v1, image, done.result["outputs"])
    assert (project / "refused").read_text() == "x\n"
    assert rekor_v1.size() == before + 1
