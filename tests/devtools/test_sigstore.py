import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools import processes, tools
from devtools.console import SetupError
from devtools.sigstore import commands, openssl, services, tokens
from devtools.sigstore.services import Sigstore
from sc_secure.tools.table import ON_DEMAND, TOOLS

WORKFLOW = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1"
PIPELINE = "https://gitlab.com/acme/team/app//.gitlab-ci.yml@refs/tags/v1"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: Fulcio's socket is in it."""
    with tempfile.TemporaryDirectory(prefix="sigstore-") as name:
        yield Path(name) / "here"


def test_it_starts_beside_another_and_ends_whole(sigstore: Sigstore, folder: Path) -> None:
    own = services.start(folder)
    try:
        assert not set(own.urls.values()) & set(sigstore.urls.values())
        assert all(part.alive() for part in [*own.parts, *sigstore.parts])
        assert Sigstore.load(folder) == own
        assert {url.rpartition(":")[0] for url in own.urls.values()} == {"http://127.0.0.1"}
        readable = [file.name for file in folder.glob("*.key") if file.stat().st_mode & 0o077]
        assert not readable
    finally:
        own.stop()
    assert not any(part.alive() for part in own.parts)
    assert all(part.alive() for part in sigstore.parts)
    assert (
        str(folder)
        not in subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout
    )


@pytest.mark.parametrize("name", ["issuer", "ct", "fulcio"])
def test_another_s_service_on_its_port_is_not_taken_for_its_own(
    sigstore: Sigstore, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Two started at the same time: the other got the port first, and on a busy machine ours notices late."""
    real_port, real_start = processes.free_port, processes.start
    picked = ["issuer", "ct", "rekor", "fulcio"].index(name)
    ports = [*(real_port() for _ in range(picked)), urllib.parse.urlsplit(sigstore.urls[name]).port]

    def start(command: commands.Command, log: Path, *more: Any) -> processes.Process:
        late = ["sh", "-c", 'sleep 0.4; exec "$@"', "sh"] if log.stem == name else []
        return real_start([*late, *command], log, *more)

    monkeypatch.setattr(processes, "free_port", lambda: ports.pop(0) if ports else real_port())
    monkeypatch.setattr(processes, "start", start)
    own = services.start(folder)
    try:
        time.sleep(0.6)
        assert all(part.alive() for part in own.parts)
        assert own.urls[name] != sigstore.urls[name]
    finally:
        own.stop()


def test_a_service_that_does_not_start_takes_the_others_with_it(
    sigstore: Sigstore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[processes.Process] = []
    real = processes.start

    def start(*arguments: object) -> processes.Process:
        started.append(real(*arguments))  # type: ignore[arg-type]
        return started[-1]

    monkeypatch.setattr(processes, "start", start)
    monkeypatch.setattr("devtools.sigstore.openssl.PASSWORD", "wrong for Fulcio")
    keys = openssl.make_keys

    def make_keys_with_the_right_one(to: Path) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("devtools.sigstore.openssl.PASSWORD", "right")
            keys(to)

    monkeypatch.setattr("devtools.sigstore.openssl.make_keys", make_keys_with_the_right_one)
    with pytest.raises(SetupError, match="fulcio didn't start"):
        services.start(folder)
    assert len(started) == 4 * 3
    assert not any(process.alive() for process in started)
    with pytest.raises(FileNotFoundError):
        Sigstore.load(folder)


def test_a_folder_too_deep_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 90)
    with pytest.raises(SetupError, match="too long"):
        services.start(deep)
    assert not deep.exists()


@pytest.mark.parametrize(
    ("identity", "kind"), [("dev@acme.test", "email"), (WORKFLOW, "github-workflow"), (PIPELINE, "gitlab-pipeline")]
)
def test_fulcio_certifies_what_the_issuer_says(
    sigstore: Sigstore, tmp_path: Path, identity: str, kind: tokens.Kind
) -> None:
    (tmp_path / "blob").write_text("x")
    cosign = tools.ensure(["cosign"])["cosign"]
    trust = [f"--signing-config={sigstore.signing_config}", f"--trusted-root={sigstore.trusted_root}"]
    token = f"--identity-token={sigstore.token(identity, kind)}"
    words = [cosign, "sign-blob", *trust, token, "--bundle=bundle.json", "--yes", "blob"]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run(words, cwd=tmp_path, env=env, check=True, capture_output=True)
    material = json.loads((tmp_path / "bundle.json").read_text())["verificationMaterial"]
    (tmp_path / "certificate").write_bytes(base64.b64decode(material["certificate"]["rawBytes"]))
    words = ["openssl", "x509", "-inform", "DER", "-in", "certificate", "-noout", "-text"]
    text = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert f":{identity}" in text
    assert sigstore.issuer(kind) in text
    assert len(material["tlogEntries"]) == 1
    assert len(material["timestampVerificationData"]["rfc3161Timestamps"]) == 1


@pytest.mark.parametrize(
    ("identity", "kind"),
    [
        ("nobody", "email"),
        ("dev@acme.test", "github-workflow"),
        ("https://gitlab.com/acme/app/x.yml@refs/heads/main", "github-workflow"),
        ("https://github.com/acme/app/.github/workflows/x.yml", "github-workflow"),
        ("https://gitlab.com/acme/app/.gitlab-ci.yml@refs/heads/main", "gitlab-pipeline"),
    ],
)
def test_a_token_needs_an_identity_of_its_kind(sigstore: Sigstore, identity: str, kind: tokens.Kind) -> None:
    with pytest.raises(ValueError, match=re.escape(identity)):
        sigstore.token(identity, kind)


def test_a_token_of_somebody_elses_key_is_worth_nothing(sigstore: Sigstore, tmp_path: Path) -> None:
    openssl.make_keys(tmp_path)
    token = tokens.make(tmp_path / "issuer.key", sigstore.issuer(), "dev@acme.test", "email")
    (tmp_path / "blob").write_text("x")
    cosign = tools.ensure(["cosign"])["cosign"]
    trust = [f"--signing-config={sigstore.signing_config}", f"--trusted-root={sigstore.trusted_root}"]
    words = [cosign, "sign-blob", *trust, f"--identity-token={token}", "--bundle=b", "--yes", "blob"]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "error processing the identity token" in done.stderr


def test_the_clock_answers_queries_alone(sigstore: Sigstore, tmp_path: Path) -> None:
    def ask(url: str, query: bytes) -> bytes:
        request = urllib.request.Request(url, query, method="POST")  # noqa: S310 - http on loopback
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - http on loopback
            return response.read()

    (tmp_path / "answer").write_bytes(ask(sigstore.urls["tsa"], b"no query"))
    assert "Status: Rejected" in openssl.run("ts", "-reply", "-in", tmp_path / "answer", "-text")
    for url, query in ((sigstore.urls["tsa"], b""), (sigstore.urls["tsa"], b"x" * 65537), (sigstore.issuer(), b"x")):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            ask(url, query)


def test_its_programs_are_built_for_it_alone(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "_on_path", lambda tool, _: tmp_path / tool.name)
    on_demand = {tool.name for tool in TOOLS if tool.purpose in ON_DEMAND}
    assert set(services.TOOLS) - {"cosign"} < on_demand
    assert set(tools.ensure()) == {tool.name for tool in TOOLS} - on_demand
    assert set(tools.ensure(services.TOOLS)) == set(services.TOOLS)


def test_without_openssl(folder: Path, sigstore: Sigstore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shutil.which
    monkeypatch.setattr(
        "shutil.which", lambda name, *more, **named: None if name == "openssl" else real(name, *more, **named)
    )
    with pytest.raises(SetupError, match="apt-get install openssl"):
        services.start(folder)
