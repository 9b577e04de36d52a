"""Signed and attested with a Rekor 2, whose answers get lost: a real one, with a web server for its tiles, as its
operators have one."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools import processes, tools
from devtools.sigstore import commands, openssl
from devtools.sigstore.services import Sigstore, wait_for
from tests.bundles import bundle_of
from tests.command_line import CommandLine
from tests.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.images import attachments
from tests.keyless import DEV, Keyless, accepted_by_python
from tests.killing import MOMENTS, Moment, generate_key, kill
from tests.tiled_log import TiledLog, tiled_log


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)


@pytest.fixture
def log(sigstore: Sigstore) -> Iterator[TiledLog]:
    with tiled_log(sigstore.urls["rekor"], sigstore.folder / "rekor") as found:
        yield found


@pytest.fixture
def behind(log: TiledLog) -> Iterator[FaultyProxy]:
    with faulty_proxy(log.url) as proxy:
        yield proxy


@pytest.fixture
def files(behind: FaultyProxy, sigstore: Sigstore, project: Path) -> str:
    """The flags of a Sigstore whose log is behind the proxy."""
    config = json.loads(sigstore.signing_config.read_text())
    config["rekorTlogUrls"][0]["url"] = behind.url
    (project / "proxied.json").write_text(json.dumps(config))
    return f"--signing-config proxied.json --trusted-root {sigstore.trusted_root}"


def made(behind: FaultyProxy) -> int:
    """How many entries the log made."""
    return behind.answered.count(201)


# What becomes of the requests to the log, how it ends, what the log itself answered.
OUTAGES: list[tuple[list[Fault], Fault, int, list[int]]] = [
    ([409, 429], "pass", 0, [201]),
    ([500, "cut"], "pass", 0, [201]),
    ([], 503, 6, []),
    ([], 429, 6, []),
    ([], 409, 6, []),
    ([], "cut", 6, []),
    ([], 400, 6, []),
    # The log has taken what nobody heard of. Asked for the same again, it tells the number, and its tiles the rest.
    (["lost"], "pass", 0, [201, 409, 200, 200]),
    (["short"], "pass", 0, [201, 409, 200, 200]),
    (["lost", "pass", 500], "pass", 0, [201, 409, 409, 200, 200]),
    (["lost", "pass", "pass", "short"], "pass", 0, [201, 409, 200, 200, 409, 200, 200]),
]


@pytest.mark.parametrize("who", ["--key cosign.key --transparency-log", "--keyless"])
@pytest.mark.parametrize(("faults", "then", "code", "answered"), OUTAGES)
def test_an_outage_of_the_log(
    *,
    sc: CommandLine,
    image: str,
    key: str,
    sigstore: Sigstore,
    behind: FaultyProxy,
    files: str,
    tools_env: dict[str, str],
    tmp_path: Path,
    who: str,
    faults: list[Fault],
    then: Fault,
    code: int,
    answered: list[int],
) -> None:
    assert "--key cosign.key" in key
    behind.fail(*faults, then=then)
    token = {"SIGSTORE_ID_TOKEN": sigstore.token(DEV)} if who == "--keyless" else {}
    done = sc(f"image sign --image {image} {who} {files} --output json", **token)
    assert done.code == code, done.stderr
    # Of tiles it may take several.
    assert behind.answered[: len(answered)] == answered
    assert set(behind.answered[len(answered) :]) <= {200}
    assert len(attachments(image)) == (1 if code == 0 else 0)
    if code:
        assert done.stdout == ""
        return
    (digest,) = attachments(image)
    (entry,) = bundle_of(image, digest)["verificationMaterial"]["tlogEntries"]
    assert done.result["outputs"]["rekorLogIndex"] == entry.get("logIndex", "0")
    if who == "--keyless":
        accepted_by_python([bundle_of(image, digest)], sigstore, DEV)
        verify = Keyless(sigstore, tools_env, tmp_path).flags()
    else:
        verify = f"--key cosign.pub --transparency-log --trusted-root {sigstore.trusted_root}"
    assert sc(f"image verify --image {image} {verify}").code == 0


def test_an_answer_that_is_always_lost_ends_and_the_next_run_makes_no_second_entry(
    sc: CommandLine, image: str, sigstore: Sigstore, behind: FaultyProxy, files: str
) -> None:
    behind.fail(then="lost")
    for _ in range(2):
        done = sc(f"image sign --image {image} --keyless {files}", SIGSTORE_ID_TOKEN=sigstore.token(DEV))
        assert (done.code, done.stdout) == (6, "")
        assert attachments(image) == []
    assert behind.asked == 8
    behind.fail()
    token = sigstore.token(DEV, jti="2")
    done = sc(f"image sign --image {image} --keyless {files} --output json", SIGSTORE_ID_TOKEN=token)
    assert done.result["status"] == "passed"
    assert made(behind) == 1
    (digest,) = attachments(image)
    accepted_by_python([bundle_of(image, digest)], sigstore, DEV)


def test_a_busy_log_is_left_alone_for_as_long_as_it_asks(
    sc: CommandLine, image: str, key: str, behind: FaultyProxy, files: str
) -> None:
    assert "--key cosign.key" in key
    behind.fail_each(1, 429, retry_after=1)
    began = time.monotonic()
    done = sc(f"image sign --image {image} --key cosign.key --transparency-log {files}")
    assert (done.code, behind.asked) == (6, 4)
    assert time.monotonic() - began > 3
    assert "HTTP 429" in done.stderr


def test_without_tiles_at_its_address_an_entry_too_many_is_made(
    *, sc: CommandLine, image: str, key: str, log: TiledLog, behind: FaultyProxy, files: str
) -> None:
    assert "--key cosign.key" in key
    log.publishes = False
    behind.fail("lost")
    done = sc(f"image sign --image {image} --key cosign.key --transparency-log {files} --output json")
    assert done.result["status"] == "passed"
    assert behind.answered == [201, 409, 404, 201]
    assert len(attachments(image)) == 1


# What cosign 3.1.3 signs with other keys than these two, it doesn't verify: so nothing is attached.
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("rsa:2048", 0),
        ("rsa:3072", 0),
        ("ed25519", 6),
        ("ec -pkeyopt ec_paramgen_curve:P-384", 6),
        ("ec -pkeyopt ec_paramgen_curve:P-521", 6),
    ],
)
def test_keys_of_other_kinds(
    *,
    sc: CommandLine,
    image: str,
    tools_env: dict[str, str],
    behind: FaultyProxy,
    files: str,
    project: Path,
    kind: str,
    code: int,
) -> None:
    words = ["openssl", "req", "-x509", "-newkey", *kind.split(" "), "-nodes", "-subj", "/CN=x", "-keyout", "pem"]
    subprocess.run(words, cwd=project, check=True, capture_output=True)
    env = {**tools_env, "COSIGN_PASSWORD": "test"}
    imported = ["cosign", "import-key-pair", "--key=pem", "--output-key-prefix=other"]
    subprocess.run(imported, cwd=project, env=env, check=True, capture_output=True)
    behind.fail("lost")
    done = sc(f"image sign --image {image} --key other.key --transparency-log {files}")
    assert done.code == code, done.stderr
    assert made(behind) == (0 if kind == "ed25519" else 1)
    assert len(attachments(image)) == (0 if code else 1)


@pytest.mark.parametrize("step", ["image sign", "sbom attach"])
@pytest.mark.parametrize("who", ["--key cosign.key --transparency-log", "--keyless"])
@pytest.mark.parametrize("at", MOMENTS)
def test_a_run_that_is_killed_leaves_no_second_entry(
    *,
    sc: CommandLine,
    image: str,
    key: str,
    sigstore: Sigstore,
    behind: FaultyProxy,
    files: str,
    tools_env: dict[str, str],
    project: Path,
    step: str,
    who: str,
    at: Moment,
) -> None:
    """Its entry is in the log; what says so was lost with the process, or wasn't attached yet."""
    assert "--key cosign.key" in key
    if step == "sbom attach":  # the catalogue, which isn't what this is about
        assert sc(f"sbom generate --image {image}").code == 0
    env = {**tools_env, "COSIGN_PASSWORD": "test", "SIGSTORE_ID_TOKEN": sigstore.token(DEV)}
    kill(f"{step} --image {image} {who} {files}", behind, env, project, at)
    assert attachments(image) == []
    (draft,) = (project / ".sc").rglob("unattached-*")
    behind.fail()
    token = sigstore.token(DEV, jti="2")
    done = sc(f"{step} --image {image} {who} {files} --output json", SIGSTORE_ID_TOKEN=token)
    assert done.result["status"] == "passed"
    assert made(behind) == 1
    assert len(attachments(image)) == 1
    assert not draft.exists()


def test_what_lies_there_is_used_only_where_it_is_ours_and_says_the_same(
    *,
    sc: CommandLine,
    image: str,
    key: str,
    behind: FaultyProxy,
    files: str,
    project: Path,
) -> None:
    assert "--key cosign.key" in key
    sign = f"image sign --image {image} --key cosign.key --transparency-log {files} --output json"
    behind.fail(then="lost")
    assert sc(sign).code == 6
    (draft,) = (project / ".sc").rglob("unattached-*")
    # Somebody else's file of the same form, at the same place: signed by the same key for that matter.
    draft.write_bytes(draft.read_bytes() + b"\n")
    behind.fail()
    assert sc(sign).result["status"] == "passed"
    assert made(behind) == 2
    assert not draft.exists()


def test_what_another_key_signed_is_signed_anew(
    *,
    sc: CommandLine,
    image: str,
    key: str,
    behind: FaultyProxy,
    files: str,
    tools_env: dict[str, str],
    project: Path,
) -> None:
    """The key's file has another key by now."""
    assert "--key cosign.key" in key
    sign = f"image sign --image {image} --key cosign.key --transparency-log {files} --output json"
    behind.fail(then="lost")
    assert sc(sign).code == 6
    generate_key(tools_env, project)
    behind.fail()
    assert sc(sign, COSIGN_PASSWORD="test").result["status"] == "passed"
    assert made(behind) == 2
    assert len(attachments(image)) == 1


@pytest.fixture
def second(tmp_path: Path) -> Iterator[tuple[TiledLog, dict[str, Any]]]:
    """Another Rekor 2, and how a trusted root names it."""
    programs = tools.ensure(("cosign", "rekor-server-posix"))
    folder, port = tmp_path / "second", processes.free_port()
    folder.mkdir()
    openssl.make_keys(folder)
    url = f"http://127.0.0.1:{port}"
    command = commands.rekor(folder, programs["rekor-server-posix"], port)
    server = processes.start(command, folder / "log", {"PATH": os.environ["PATH"], "HOME": str(folder)})
    try:
        wait_for(server, "rekor", f"{url}/healthz", folder / "log")
        named = f"--rekor=url={url},public-key={folder}/rekor.pub,origin=127.0.0.1,start-time=2020-01-01T00:00:00Z"
        words = [programs["cosign"], "trusted-root", "create", named, f"--out={folder}/root.json"]
        subprocess.run(words, check=True, capture_output=True)
        (trusted,) = json.loads((folder / "root.json").read_text())["tlogs"]
        with tiled_log(url, folder / "rekor") as found:
            yield found, trusted
    finally:
        server.end(patience=5.0)


@pytest.mark.parametrize("selector", [{"selector": "ALL"}, {"selector": "EXACT", "count": 2}])
@pytest.mark.parametrize("trusted", [True, False])
def test_each_of_several_logs_has_one_entry(
    *,
    sc: CommandLine,
    image: str,
    key: str,
    sigstore: Sigstore,
    behind: FaultyProxy,
    files: str,
    second: tuple[TiledLog, dict[str, Any]],
    project: Path,
    selector: dict[str, Any],
    trusted: bool,
) -> None:
    assert "--key cosign.key" in key
    assert "proxied.json" in files
    config, root = (json.loads(file.read_text()) for file in (project / "proxied.json", sigstore.trusted_root))
    with faulty_proxy(second[0].url) as other:
        config["rekorTlogUrls"].append({**config["rekorTlogUrls"][0], "url": other.url, "operator": "another"})
        config["rekorTlogConfig"] = selector
        root["tlogs"] += [second[1]] if trusted else []
        for name, content in {"two": config, "root": root}.items():
            (project / f"{name}.json").write_text(json.dumps(content))
        for each in (behind, other):
            each.fail("lost")
        flags = "--transparency-log --signing-config two.json --trusted-root root.json"
        done = sc(f"image sign --image {image} --key cosign.key {flags} --output json")
        assert (made(behind), made(other)) == (1, 1) or not trusted
    # An entry of a log that nobody trusts isn't one, beside a good one too.
    assert done.code == (0 if trusted else 6), done.stderr
    if trusted:
        bundle = bundle_of(image, done.result["outputs"]["signatureDigest"])
        assert len(bundle["verificationMaterial"]["tlogEntries"]) == 2
    else:
        assert attachments(image) == []
