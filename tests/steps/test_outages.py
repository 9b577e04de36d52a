"""Sigstore's services fail: slow, down, refusing, gone in mid-answer. One signature comes of it, or none."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devtools.sigstore.services import Sigstore
from tests.command_line import CommandLine, in_process, wrap
from tests.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.images import attachments
from tests.keyless import DEV

SERVICES = {"fulcio": "caUrls", "rekor": "rekorTlogUrls", "tsa": "tsaUrls"}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)


@pytest.fixture
def behind(sigstore: Sigstore, tmp_path: Path) -> Iterator[dict[str, FaultyProxy]]:
    """A proxy in front of each service; the flags `_flags` sign through them."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(faulty_proxy(sigstore.urls[name])) for name in SERVICES}


def _flags(sigstore: Sigstore, behind: dict[str, FaultyProxy], folder: Path) -> str:
    config = json.loads(sigstore.signing_config.read_text())
    for name, member in SERVICES.items():
        config[member][0]["url"] = behind[name].url
    file = folder / "proxied.json"
    file.write_text(json.dumps(config))
    return f"--keyless --signing-config {file} --trusted-root {sigstore.trusted_root}"


# What becomes of the requests to one service, how it ends, and how often the log took an entry.
OUTAGES: list[tuple[str, list[Fault], Fault, int, int]] = [
    ("fulcio", ["cut"], "pass", 0, 1),
    ("fulcio", ["lost"], "pass", 0, 1),
    ("fulcio", [500], "pass", 0, 1),  # cosign itself asks again
    ("fulcio", [429, "short"], "pass", 0, 1),
    ("fulcio", [], "cut", 6, 0),
    ("fulcio", [], 429, 6, 0),
    ("fulcio", [], 409, 6, 0),
    ("fulcio", [], 403, 7, 0),
    ("rekor", [409, 429], "pass", 0, 1),
    ("rekor", [500, "cut"], "pass", 0, 1),
    ("rekor", [], 503, 6, 0),
    ("rekor", [], 429, 6, 0),
    ("rekor", [], 409, 6, 0),
    ("rekor", [], 400, 6, 0),
    # The log has taken what nobody heard of, and doesn't publish its tiles: with them, see test_rekor_v2.py.
    ("rekor", ["lost"], "pass", 0, 2),
    ("tsa", ["cut", "lost"], "pass", 0, 1),
    ("tsa", [429, "short"], "pass", 0, 1),
    ("tsa", [], "cut", 6, 0),
    ("tsa", [], 429, 6, 0),
    ("tsa", [], 409, 6, 0),
]


@pytest.mark.parametrize(("service", "faults", "then", "code", "entries"), OUTAGES)
def test_an_outage_ends_in_one_signature_or_in_none(
    sc: CommandLine,
    image: str,
    sigstore: Sigstore,
    behind: dict[str, FaultyProxy],
    project: Path,
    *,
    service: str,
    faults: list[Fault],
    then: Fault,
    code: int,
    entries: int,
) -> None:
    behind[service].fail(*faults, then=then)
    flags = _flags(sigstore, behind, project)
    if then == 429:  # of a busy service cosign itself asks each time once more, after some three seconds
        flags += " --retry-attempts 2"
    done = sc(f"image sign --image {image} {flags}", SIGSTORE_ID_TOKEN=sigstore.token(DEV))
    assert done.code == code, done.stderr
    assert behind["rekor"].answered.count(201) == entries
    assert len(attachments(image)) == (1 if code == 0 else 0)
    assert behind[service].asked <= 4
    assert not done.stdout or code == 0


def test_an_authority_that_fails_beyond_cosign_s_own_patience(
    sc: CommandLine, image: str, sigstore: Sigstore, behind: dict[str, FaultyProxy], project: Path
) -> None:
    """cosign's words for it say nothing of a status."""
    behind["tsa"].fail(500, 500)
    done = sc(f"image sign --image {image} {_flags(sigstore, behind, project)}", SIGSTORE_ID_TOKEN=sigstore.token(DEV))
    assert done.code == 0, done.stderr
    assert behind["tsa"].asked == 3


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_hangs_ends_with_the_step(
    sc: CommandLine, image: str, sigstore: Sigstore, behind: dict[str, FaultyProxy], project: Path, *, service: str
) -> None:
    behind[service].fail(then="hang")
    began = time.monotonic()
    flags = f"{_flags(sigstore, behind, project)} --timeout 1"
    done = sc(f"image sign --image {image} {flags}", SIGSTORE_ID_TOKEN=sigstore.token(DEV))
    assert (done.code, done.stdout) == (6, "")
    assert "longer than 1 s" in done.stderr
    assert time.monotonic() - began < 5
    assert attachments(image) == []


def test_slow_services_are_waited_for(
    sc: CommandLine, image: str, sigstore: Sigstore, behind: dict[str, FaultyProxy], project: Path
) -> None:
    for proxy in behind.values():
        proxy.delay = 1
    flags = _flags(sigstore, behind, project)
    done = sc(f"image sign --image {image} {flags}", SIGSTORE_ID_TOKEN=sigstore.token(DEV))
    assert done.code == 0, done.stderr
    assert [proxy.asked for proxy in behind.values()] == [1, 1, 1]
    assert len(attachments(image)) == 1


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("fault", ["cut", 503])
def test_where_signing_is_not_required_an_outage_never_leaves_it_secured(
    *,
    sc: CommandLine,
    image: str,
    sigstore: Sigstore,
    behind: dict[str, FaultyProxy],
    project: Path,
    service: str,
    fault: Fault,
) -> None:
    behind[service].fail(then=fault)
    _flags(sigstore, behind, project)
    policy = f"""security:
  signing:
    keyless: true
    required: false
    signingConfig: proxied.json
    trustedRoot: {sigstore.trusted_root}
    verify: {{identityRegexp: dev@acme\\.test, oidcIssuer: "{sigstore.issuer()}"}}
  retry: {{attempts: 2, baseDelay: 10ms}}
"""
    (project / "policy.yaml").write_text(policy)
    done = sc(
        f"release create --image {image} --policy policy.yaml --output json", SIGSTORE_ID_TOKEN=sigstore.token(DEV)
    )
    assert done.code == 0, done.stderr
    assert done.result["verdict"] == "degraded"
    assert attachments(image) == []
    assert behind["rekor"].answered == []
    behind[service].fail()
    done = sc(
        f"release create --image {image} --policy policy.yaml --output json", SIGSTORE_ID_TOKEN=sigstore.token(DEV)
    )
    assert done.result["verdict"] == "secured"
    assert len(attachments(image)) == 1


def test_what_is_logged_is_not_signed_again_for_the_registry_s_sake(
    *,
    image: str,
    sigstore: Sigstore,
    behind: dict[str, FaultyProxy],
    tools_env: dict[str, str],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The registry is gone just after the log has taken the entry; and then it loses what it was given."""
    script = f"""
if [ "$1" = attach ]; then
  echo x >> {project}/runs
  [ $(wc -l < {project}/runs) = 1 ] && {{ echo "PUT: 503 Service Unavailable" >&2; exit 1; }}
  [ $(wc -l < {project}/runs) = 2 ] && exit 0
fi
exec "$real" "$@\""""
    env = wrap(project / "bin", tools_env, "cosign", script)
    sc = in_process(env, project, monkeypatch, capsys)
    flags = _flags(sigstore, behind, project)
    result = sc(f"image sign --image {image} {flags} --output json", SIGSTORE_ID_TOKEN=sigstore.token(DEV)).result
    assert result["status"] == "passed"
    assert (project / "runs").read_text() == "x\nx\nx\n"
    assert behind["rekor"].answered == [201]
    (digest,) = attachments(image)
    assert result["outputs"]["signatureDigest"] == digest
