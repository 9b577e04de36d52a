import http.server
import json
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from sc_secure.errors import InfrastructureError
from tests.command_line import CommandLine
from tests.tools.test_process import alive, eventually

SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
CYCLONEDX = "https://cyclonedx.org/bom"


def attached(sc: CommandLine, image: str) -> dict[str, str]:
    done = sc(f"image status --image {image} --output json")
    assert done.code == 0, done.stderr
    (document,) = json.loads(done.stdout)["images"]
    assert document["subject"] == image
    return {each["kind"]: each["digest"] for each in document["attached"]}


def test_what_is_attached(sc: CommandLine, image: str, key: str) -> None:
    assert attached(sc, image) == {}
    assert "nothing is attached" in sc(f"image status --image {image}").stdout
    signed = sc(f"image sign --image {image} {key} --output json").result
    sc(f"sbom attach --image {image} {key}")
    found = attached(sc, image)
    assert set(found) == {SIGNATURE, CYCLONEDX}
    assert found[SIGNATURE] == signed["outputs"]["signatureDigest"]
    text = sc(f"image status --image {image}").stdout.splitlines()
    assert text[0] == image
    assert f"  {found[SIGNATURE]}  {SIGNATURE}" in text


def test_what_was_deleted_is_not_listed(
    sc: CommandLine, image: str, key: str, tools_env: dict[str, str], tmp_path: Path
) -> None:
    sc(f"image sign --image {image} {key}")
    repository, digest = image.split("@")
    tag = f"{repository}:{digest.replace(':', '-')}"
    subprocess.run(["crane", "delete", tag], env=tools_env, check=True, capture_output=True)
    assert attached(sc, image) == {}


NOWHERE = f"127.0.0.1:1/app@sha256:{'0' * 64}"


def test_what_can_not_be_known_fails(sc: CommandLine, image: str) -> None:
    missing = f"{image.split('@', maxsplit=1)[0]}@sha256:{'0' * 64}"
    done = sc(f"image status --image {missing}")
    assert done.code == 6
    assert "isn't in its registry" in done.stderr
    done = sc(f"image status --image {image} --image {NOWHERE} --timeout 20")
    assert done.code == 6
    assert "127.0.0.1:1" in done.stderr
    assert done.stdout == ""


def test_by_best_effort_it_is_told_as_unknown(sc: CommandLine, image: str) -> None:
    done = sc(f"image status --image {NOWHERE} --image {image} --best-effort --output json --timeout 20")
    assert done.code == 0
    unknown, known = json.loads(done.stdout)["images"]
    assert (unknown["subject"], unknown["attached"]) == (NOWHERE, None)
    assert "127.0.0.1:1" in unknown["reason"]
    assert known == {"subject": image, "attached": []}


def test_a_registry_that_hangs_is_not_waited_for(sc: CommandLine, image: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = f"127.0.0.1:{silent.getsockname()[1]}/app@sha256:{'0' * 64}"
        began = time.monotonic()
        flags = "--best-effort --output json --timeout 2"
        done = sc(f"image status --image {hanging} --image {image} {flags}")
    assert time.monotonic() - began < 5
    unknown, known = json.loads(done.stdout)["images"]
    assert unknown["reason"] == "its registry didn't answer within 2 s"
    assert known["attached"] == []


def test_it_waits_for_no_step(sc: CommandLine, image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview looks while another update's steps take all turns."""

    def taken(_: object) -> None:
        raise InfrastructureError("no step ended within 3600 s")

    monkeypatch.setattr("sc_secure.steps.session.slot", taken)
    assert attached(sc, image) == {}
    assert sc(f"sbom generate --image {image}").code == 6, "a step does wait"


def test_one_login_is_for_one_registry(sc: CommandLine, image: str) -> None:
    flags = "--registry-username-env NAME --registry-password-env PASSWORD"
    done = sc(f"image status --image {image} --image {NOWHERE} {flags}", NAME="me", PASSWORD="s3cret")
    assert done.code == 2
    assert "goes with one registry" in done.stderr


class _WantsLogin(http.server.BaseHTTPRequestHandler):
    """Stands for a registry that lets nobody in without a login, which is all that is asked of it here."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="r"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def test_a_helper_that_hangs_is_ended_with_all_it_started(
    sc: CommandLine, tools_env: dict[str, str], tmp_path: Path
) -> None:
    helper, child = tmp_path / "docker-credential-slow", tmp_path / "child"
    helper.write_text(f"#!/bin/sh\nsleep 60 & echo $! > {child}; wait\n")
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text('{"credsStore": "slow"}')
    environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:{tools_env['PATH']}"}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _WantsLogin) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        image = f"127.0.0.1:{server.server_port}/app@sha256:{'0' * 64}"
        done = sc(f"image status --image {image} --timeout 2", **environ)
        server.shutdown()
    assert done.code == 6
    assert "its registry didn't answer within 2 s" in done.stderr
    assert eventually(lambda: not alive(int(child.read_text())))
