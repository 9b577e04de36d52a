"""Steps on a build host: the same words, what decides a re-run in stdin, and a refusal of what the host hasn't got."""

import json
import shlex
from pathlib import Path
from typing import Any

import pulumi
import pytest

from sc_secure import AttestCommand, SbomCommand, ScanCommand, SecuredImage, SignCommand, VerifyCommand
from sc_secure.components._execution import Host
from sc_secure.components._validate import InvalidArgs
from sc_secure.report.commands import variables_of, words_of
from tests.components.mocked import REFERENCE, Mocks, result_for, run

KIND = "command:remote:Command"
SECRET = "-----BEGIN OPENSSH PRIVATE KEY-----\nhush\n-----END OPENSSH PRIVATE KEY-----\n"
REMOTE: dict[str, Any] = {"host": "build.example", "host_key": "ssh-ed25519 AAAA", "user": "ci", "private_key": SECRET}
EXECUTION: dict[str, Any] = {"remote": REMOTE}
SECURITY: dict[str, Any] = {
    "scan": {"fail_on": "high"},
    "sbom": {"format": "cyclonedx-json"},
    "signing": {"key": "awskms:///alias/x", "verify": {"key": "env://PUB"}},
    "provenance": {"builder_id": "https://ci.example/b", "include_git": False},
}


def secured(mocks: Mocks, security: dict[str, Any] = SECURITY, **execution: Any) -> str | None:
    args: dict[str, Any] = {"image_ref": REFERENCE, "security": security, "execution": EXECUTION | execution}
    return run(lambda: SecuredImage("app", args).deployable_ref, mocks)  # type: ignore[arg-type]


def inputs_of(mocks: Mocks, name: str) -> dict[str, Any]:
    return mocks.resources[f"{KIND}::{name}"][1]


def test_every_step_runs_on_the_host_with_the_words_that_it_has_here() -> None:
    here, there = Mocks(), Mocks()
    args: dict[str, Any] = {"image_ref": REFERENCE, "security": SECURITY}
    assert run(lambda: SecuredImage("app", args).deployable_ref, here) == REFERENCE  # type: ignore[arg-type]
    assert secured(there) == REFERENCE
    local = {name: words_of({"create": text})[1:] for name, text in here.commands().items()}
    remote = {key.split("::")[1]: words_of(inputs)[1:] for key, (typ, inputs) in there.resources.items() if typ == KIND}
    assert remote == local
    assert len(remote) == 7
    assert not there.commands()


def test_what_decides_a_rerun_is_in_stdin_and_no_variable_is_set() -> None:
    mocks = Mocks()
    secured(mocks)
    inputs = inputs_of(mocks, "app-attest-scan")
    assert "environment" not in inputs
    assert variables_of(inputs) == {"SC_SECURE_ATTEMPT": "1", "SC_SECURE_SCAN": "1"}
    assert inputs["logging"] == "none"
    assert inputs["addPreviousOutputInEnv"] is False


def test_the_connection_is_a_secret_and_stands_nowhere_else() -> None:
    mocks = Mocks()
    secured(mocks)
    connection = inputs_of(mocks, "app-scan").pop("connection")
    assert connection["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270", "marked as a secret"
    assert connection["value"]["privateKey"] == SECRET
    assert connection["value"]["hostKey"] == "ssh-ed25519 AAAA"
    others = [
        {key: value for key, value in inputs.items() if key != "connection"} for _, inputs in mocks.resources.values()
    ]
    assert "hush" not in json.dumps(others)


def test_the_folder_is_the_projects_own_and_is_quoted() -> None:
    mocks = Mocks()
    secured(mocks)
    assert inputs_of(mocks, "app-sbom")["create"].startswith("mkdir -p -- sc-secure/trial && cd -- sc-secure/trial ||")
    mocks = Mocks()
    secured(mocks, folder="/srv/it's; here")
    text = inputs_of(mocks, "app-sbom")["create"]
    assert shlex.split(text)[3] == "/srv/it's; here"


def test_the_record_of_a_step_is_found_on_either_side(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, _resource: said.append(text))
    head = "urn:pulumi:dev::trial::pulumi:pulumi:Stack$sc-secure:index:ScanCommand"
    command = f".sc/bin/sc-secure image scan --image {REFERENCE} --fail-on critical"
    failed = result_for(command, status="soft_failed")
    records = {
        "command:local:Command": {"stdout": failed, "environment": {"SC_SECURE_ATTEMPT": "4"}},
        KIND: {"stdout": failed, "stdin": "SC_SECURE_ATTEMPT=4\n"},
    }
    for kind, outputs in records.items():
        for execution in ({}, {"execution": EXECUTION}):
            mocks = Mocks()
            mocks.recorded = {f"{head}${kind}::scan": {"type": kind, "outputs": outputs}}
            args: dict[str, Any] = {"image": REFERENCE, **execution}
            run(lambda args=args: ScanCommand("scan", args).passed_ref, mocks)
            declared = KIND if execution else "command:local:Command"
            assert variables_of(mocks.resources[f"{declared}::scan"][1])["SC_SECURE_ATTEMPT"] == "5"
    assert len(said) == 4


def test_a_result_of_another_image_keeps_the_gate_shut() -> None:
    other = result_for(f"x sbom generate --image {REFERENCE.replace('app', 'other')}")
    args: dict[str, Any] = {"image": REFERENCE, "execution": EXECUTION}
    with pytest.raises(pulumi.RunError, match="not about"):
        run(lambda: SbomCommand("sbom", args).passed_ref, Mocks({"sbom": other}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("execution", "path"),
    [
        ({"remote": REMOTE | {"host": ""}}, "execution.remote.host"),
        ({"remote": REMOTE | {"host_key": ""}}, "execution.remote.host_key"),
        ({"remote": {"host": "x"}}, "execution.remote.host_key"),
        ({"remote": REMOTE | {"port": 0}}, "execution.remote.port"),
        ({"remote": REMOTE | {"per_dial_timeout": -1}}, "execution.remote.per_dial_timeout"),
        ({"remote": REMOTE | {"private_key": "~/.ssh/id_ed25519"}}, "execution.remote.private_key"),
        ({"remote": REMOTE | {"proxy": {}}}, "execution.remote.proxy"),
        ({"remote": REMOTE, "folder": "~/builds"}, "execution.folder"),
        ({"remote": REMOTE, "folder": "a\nb"}, "execution.folder"),
        ({"remote": REMOTE, "files": ["../x"]}, "execution.files[0]"),
        ({"remote": REMOTE, "files": ["a", "/x"]}, "execution.files[1]"),
        ({}, "execution.remote"),
    ],
)
def test_a_bad_host_is_refused_before_anything_is_registered(execution: dict[str, Any], path: str) -> None:
    mocks = Mocks()
    args: dict[str, Any] = {"image_ref": REFERENCE, "security": SECURITY, "execution": execution}
    with pytest.raises(InvalidArgs) as refused:
        run(lambda: SecuredImage("app", args), mocks)  # type: ignore[arg-type]
    assert path in [where for where, _ in refused.value.problems]
    assert "id_ed25519" not in str(refused.value)
    assert not [each for each in mocks.resources if "sc-secure" in each or "command" in each]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"signing": {"key": "cosign.key", "verify": {"key": "env://PUB"}}}, "security.signing.key"),
        ({"signing": {"key": "env://KEY", "verify": {"key": "cosign.pub"}}}, "security.signing.verify.key"),
        ({"signing": SECURITY["signing"] | {"verify": {"keys": ["old.pub"]}}}, "security.signing.verify.keys[0]"),
        ({"scan": {"vex": ["vex.json"]}}, "security.scan.vex[0]"),
        ({"provenance": {"builder_id": "https://ci.example/b"}}, "security.provenance.include_git"),
        ({"provenance": {"include_git": False}}, "security.provenance.builder_id"),
    ],
)
def test_what_the_host_has_not_got_is_refused_unless_it_is_said_to_be_there(change: dict[str, Any], path: str) -> None:
    mocks = Mocks()
    with pytest.raises(InvalidArgs) as refused:
        secured(mocks, SECURITY | change)
    assert [where for where, _ in refused.value.problems] == [path]
    assert not mocks.of("command:")
    if "builder_id" not in path:
        assert secured(Mocks(), SECURITY | change, files=["."]) == REFERENCE


def test_each_step_alone_refuses_it_too() -> None:
    steps: list[tuple[Any, dict[str, Any], str]] = [
        (ScanCommand, {"vex": ["vex.json"]}, "vex[0]"),
        (SignCommand, {"key": "cosign.key"}, "key"),
        (AttestCommand, {"predicate": "sbom", "key": "keys/cosign.key"}, "key"),
        (VerifyCommand, {"key": "cosign.pub"}, "key"),
    ]
    for component, args, path in steps:
        args |= {"image": REFERENCE, "execution": EXECUTION}
        with pytest.raises(InvalidArgs) as refused:
            run(lambda component=component, args=args: component("step", args), Mocks())
        assert [where for where, _ in refused.value.problems] == [path]
        args["execution"] = EXECUTION | {"files": ["cosign.key", "keys", "cosign.pub", "vex.json"]}
        run(lambda component=component, args=args: component("step", args), Mocks())


def test_a_vex_document_that_is_here_too_is_checked_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vex.json").write_text("{}")
    args: dict[str, Any] = {
        "image": REFERENCE,
        "vex": ["vex.json"],
        "execution": EXECUTION | {"files": ["vex.json"]},
    }
    with pytest.raises(InvalidArgs, match=r"vex\[0\]"):
        run(lambda: ScanCommand("scan", args), Mocks())  # type: ignore[arg-type]


def test_without_the_program_the_text_ends_with_five_and_says_what_to_do(tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415 - for this one test

    text = Host({"host": "x", "host_key": "y"}, str(tmp_path / "new folder"), ()).text(["image", "scan"])
    env = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(["/bin/sh", "-c", text], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert "not on the PATH of the build host\n  install it there" in done.stderr
    assert (tmp_path / "new folder").is_dir()


def test_the_programs_own_credentials_are_for_the_push_alone() -> None:
    registry = {"server": "registry.example", "username": "ci", "password": "hush"}
    args: dict[str, Any] = {"image": REFERENCE, "registry": registry, "execution": EXECUTION}
    for component, more in ((SbomCommand, {}), (ScanCommand, {}), (SignCommand, {"key": "env://KEY"})):
        with pytest.raises(InvalidArgs, match="registry: a build host has credentials of its own"):
            run(lambda component=component, more=more: component("step", args | more), Mocks())
    mocks = Mocks()
    built: dict[str, Any] = {"image_name": "registry.example/team/app:1", "build": {"context": "app"}}
    built |= {"registry": registry, "security": SECURITY | {"provenance": {"enabled": False}}, "execution": EXECUTION}
    assert run(lambda: SecuredImage("app", built).deployable_ref, mocks) == REFERENCE  # type: ignore[arg-type]
    texts = [inputs["create"] for _, (typ, inputs) in mocks.resources.items() if typ == KIND]
    assert len(texts) == 6
    assert not any("--registry-config" in text for text in texts)
