"""Signed and attested with a Rekor 2, whose answers get lost: a real one, with a web server for its tiles, as its
operators have one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.sigstore.services import Sigstore
from tests.bundles import bundle_of
from tests.command_line import CommandLine
from tests.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.images import attachments
from tests.keyless import DEV, Keyless, accepted_by_python
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
