"""The whole chain, with the real tools and a real registry."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from devtools import registry as registries
from tests.command_line import CommandLine, in_process, wrap
from tests.images import CLEAN, VULNERABLE, attachments, push_image
from tests.report.test_document import SCHEMAS
from tests.report.test_sarif import VALIDATOR

SIGNED = """
  signing: {key: cosign.key, verify: {key: cosign.pub}}
  provenance: {includeGit: false}
"""
OPEN = "security:\n  scan: {failOn: critical, warnOn: medium}\n  sbom: {format: cyclonedx-json}" + SIGNED
CLOSED = OPEN.replace("critical", "high")
REPORTS = ("release.json", "release.md", "release.html", "release.sarif")
STEPS = ["sbom", "scan", "provenance", "sign", "attest-sbom", "attest-provenance", "attest-scan", "verify"]


def folder(project: Path, image: str) -> Path:
    return project / ".sc/artifacts" / f"sha256-{image.rpartition(':')[2]}"


def released(project: Path, image: str) -> dict:
    """The release's document; every report is checked."""
    for name in REPORTS:
        assert (folder(project, image) / name).stat().st_size > 0
    document = json.loads((folder(project, image) / "release.json").read_bytes())
    jsonschema.Draft202012Validator(SCHEMAS["release.schema.json"]).validate(document)
    VALIDATOR.validate(json.loads((folder(project, image) / "release.sarif").read_bytes()))
    return document


def statuses(document: dict) -> dict[str, str]:
    return {step["name"]: step["status"] for step in document["steps"]}


def test_the_whole_chain(sc: CommandLine, image: str, key: str, project: Path) -> None:
    (project / "policy.yaml").write_text(OPEN)
    done = sc(f"release create --image {image} --policy policy.yaml --environment production --output json")
    result = done.result
    jsonschema.Draft202012Validator(SCHEMAS["release-result.schema.json"]).validate(result)
    assert (result["verdict"], result["exitCode"], result["environment"]) == ("secured", 0, "production")
    assert (result["counts"]["high"], result["counts"]["medium"]) == (1, 1)
    assert [line.split()[:2] for line in done.stderr.splitlines() if not line.startswith(" ")] == [
        [name, "passed"] for name in STEPS
    ]
    document = released(project, image)
    assert statuses(document) == dict.fromkeys(STEPS, "passed")
    assert sorted(each["digest"] for each in document["attachments"]) == sorted(attachments(image))
    assert [each["action"] for each in document["scan"]["findings"]] == ["warn", "warn"]
    assert (document["environment"], document["policy"]) == ("production", "policy.yaml")

    again = sc(f"release create --image {image} --policy policy.yaml --output json").result
    assert again["attachments"] == result["attachments"]
    once_more = statuses(released(project, image))
    assert once_more == dict.fromkeys(STEPS, "reused") | {"scan": "passed", "provenance": "passed", "verify": "passed"}


def test_what_the_reports_tell_a_person_to_run(
    sc: CommandLine, image: str, key: str, project: Path, tools_env: dict[str, str]
) -> None:
    (project / "policy.yaml").write_text(OPEN)
    assert sc(f"release create --image {image} --policy policy.yaml").code == 0
    page = (folder(project, image) / "release.md").read_text()
    commands = re.search(r"### Verify by hand\n\n```sh\n(.*?)```", page, re.DOTALL)[1]
    # Elsewhere, with the public key alone.
    person = project.parent / "person"
    person.mkdir()
    (person / "cosign.pub").write_bytes((project / "cosign.pub").read_bytes())
    shell = ["sh", "-ec", commands]
    ran = subprocess.run(shell, check=False, env=tools_env, cwd=person, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert commands.count("cosign verify") == 4
    other = subprocess.run(shell, check=False, env=tools_env, cwd=project.parent, capture_output=True)
    assert other.returncode != 0, "without the key"


def test_a_closed_gate_signs_nothing_and_reports_all_the_same(
    sc: CommandLine, image: str, key: str, project: Path
) -> None:
    (project / "policy.yaml").write_text(CLOSED)
    done = sc(f"release create --image {image} --policy policy.yaml --output json")
    assert done.code == 3
    assert "scan.failOn: high forbids 1 finding" in done.stderr
    assert json.loads(done.stdout)["verdict"] == "refused"
    assert attachments(image) == []
    document = released(project, image)
    assert statuses(document) == dict.fromkeys(STEPS, "not_run") | {"sbom": "passed", "scan": "failed"}
    assert document["failure"]["exitCode"] == 3
    assert document["attachments"] == []
    assert [each["action"] for each in document["scan"]["findings"]] == ["fail", "warn"]
    assert "Refused: the policy forbids 1 finding" in (folder(project, image) / "release.html").read_text()


def test_a_scan_that_broke_tells_nothing_of_an_older_one(
    sc: CommandLine, image: str, key: str, project: Path, tmp_path: Path
) -> None:
    (project / "policy.yaml").write_text(OPEN)
    assert sc(f"image scan --image {image}").code == 0
    done = sc(f"release create --image {image} --policy policy.yaml", GRYPE_DB_CACHE_DIR=str(tmp_path / "none"))
    assert done.code == 6
    assert "Failed: nothing is known for sure: Scan" in done.stdout
    document = released(project, image)
    assert document["verdict"] == "failed"
    assert "scan" not in document
    assert attachments(image) == []


WithTool = Callable[[str, str], CommandLine]


@pytest.fixture
def with_tool(
    tools_env: dict[str, str], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> WithTool:
    """The command line with a tool that is a script of ours."""

    def make(tool: str, script: str) -> CommandLine:
        env = wrap(project / "bin", tools_env, tool, script + '\nexec "$real" "$@"')
        return in_process({**env, "COSIGN_PASSWORD": "test"}, project, monkeypatch, capsys)

    return make


def test_what_fails_after_signing_says_what_is_attached(
    with_tool: WithTool, project: Path, image: str, key: str
) -> None:
    (project / "policy.yaml").write_text(OPEN)
    sc = with_tool("cosign", '[ "$1" = attest ] && { echo no >&2; exit 1; }')
    done = sc(f"release create --image {image} --policy policy.yaml")
    assert done.code == 6
    document = released(project, image)
    assert document["failure"]["step"] == "attest-sbom"
    assert [each["kind"] for each in document["attachments"]] == ["signature"]
    assert [each["digest"] for each in document["attachments"]] == attachments(image)
    assert "don't deploy it" in (folder(project, image) / "release.md").read_text()


@pytest.mark.parametrize(
    ("policy", "steps"),
    [
        ("security: {sbom: {format: spdx-json}}", ["sbom"]),
        ("security: {scan: {}}", ["scan"]),
        ("security: {enabled: false}", []),
        ("security: {signing: {key: cosign.key, verify: {enabled: false}}}", ["sign"]),
        ("security: {signing: {key: cosign.key}}", ["sign", "verify"]),
    ],
)
@pytest.mark.usefixtures("key")
def test_only_what_is_switched_on(sc: CommandLine, image: str, project: Path, policy: str, steps: list[str]) -> None:
    (project / ".sc/stacks/shop").mkdir(parents=True)
    (project / ".sc/stacks/shop/client.yaml").write_text(policy)
    done = sc(f"release create --image {image} --stack shop")
    assert done.code == 0
    document = released(project, image)
    assert list(statuses(document)) == steps
    assert document["policy"] == "stack shop"
    assert document["verdict"] == ("secured" if steps else "unsecured")
    assert ("switches security off" in done.stderr) == (not steps)


@pytest.mark.usefixtures("key")
def test_every_format_from_one_reading_of_each_layer(
    sc: CommandLine, tools_env: dict[str, str], project: Path, tmp_path: Path, own_registry: registries.Registry
) -> None:
    repository = f"{own_registry.address}/one"
    base = push_image(tools_env, tmp_path, repository, CLEAN)
    push_image(tools_env, tmp_path, f"{own_registry.address}/two", VULNERABLE)
    (second,) = tmp_path.glob("*_two.tar")
    append = ["crane", "append", "--base", base, "--new_layer", str(second), "--new_tag", f"{repository}:2"]
    image = subprocess.run(append, env=tools_env, check=True, capture_output=True, text=True).stdout.strip()
    (project / "policy.yaml").write_text(OPEN)
    log = tmp_path / "registry" / "registry.log"
    before = len(log.read_text())
    formats = "--sbom-format spdx-json --sbom-format syft-json --sbom-format cyclonedx-json"
    assert sc(f"release create --image {image} --policy policy.yaml {formats}").code == 0
    manifest = json.loads(
        subprocess.run(["crane", "manifest", image], env=tools_env, check=True, capture_output=True).stdout
    )
    read = re.findall(r" GET /v2/one/blobs/(sha256:[0-9a-f]+)", log.read_text()[before:])
    assert [read.count(layer["digest"]) for layer in manifest["layers"]] == [1, 1]
    documents = {path.name for path in folder(project, image).glob("sbom.*")}
    assert documents == {"sbom.cyclonedx.json", "sbom.spdx.json", "sbom.syft.json"}
    (sbom, *_) = released(project, image)["steps"]
    assert {Path(each["path"]).name for each in sbom["artifacts"]} == documents


@pytest.fixture
def own_registry(tmp_path: Path) -> Iterator[registries.Registry]:
    """A registry whose log is of this test alone."""
    started = registries.start(tmp_path / "registry")
    yield started
    started.stop()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("", "--stack NAME"),
        ("--stack shop", ".sc/stacks/shop/client.yaml"),
        ("--stack ../shop", "stack"),
        ("--policy policy.yaml --stack shop", "--stack NAME"),
        ("--policy bad.yaml", "failOm"),
        ("--policy none.yaml", "none.yaml"),
        ("--policy keyless.yaml", "security.signing.verify"),
        ("--policy no-key.yaml", "gone.key"),
        ("--policy policy.yaml --environment 'a b'", "--environment"),
        ("--policy policy.yaml --sbom-format xml", "--sbom-format"),
    ],
)
@pytest.mark.usefixtures("key")
def test_bad_usage_changes_nothing(sc: CommandLine, image: str, project: Path, flags: str, said: str) -> None:
    (project / "policy.yaml").write_text(OPEN)
    (project / "bad.yaml").write_text(OPEN.replace("failOn", "failOm"))
    (project / "keyless.yaml").write_text(OPEN.replace("key: cosign.key, ", "keyless: true, "))
    (project / "no-key.yaml").write_text(OPEN.replace("cosign.key", "gone.key"))
    done = sc(f"release create --image {image} {flags}")
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (project / ".sc").exists()
    assert attachments(image) == []


def test_a_wrong_password_is_told_before_anything_is_attached(
    sc: CommandLine, image: str, key: str, project: Path
) -> None:
    (project / "policy.yaml").write_text(OPEN)
    done = sc(f"release create --image {image} --policy policy.yaml", COSIGN_PASSWORD="wrong")
    assert done.code == 2
    assert "password is wrong" in done.stderr
    assert released(project, image)["failure"]["step"] == "sign"
    assert attachments(image) == []


def test_a_step_s_own_time_limit(with_tool: WithTool, project: Path, image: str, key: str) -> None:
    (project / "policy.yaml").write_text(OPEN + "  timeouts: {scan: 1}\n")
    sc = with_tool("grype", '[ "$1" = version ] || exec sleep 60')
    done = sc(f"release create --image {image} --policy policy.yaml")
    assert done.code == 6
    assert "longer than 1 s" in done.stderr
    assert "raise security.timeouts.scan" in done.stderr
    assert released(project, image)["failure"]["step"] == "scan"


def test_attestations_are_made_beside_each_other(
    with_tool: WithTool, project: Path, image: str, key: str, tmp_path: Path
) -> None:
    """The provenance is written while the SBOM is read back; and each kind is verified while another is."""
    other_begun = f"for second in $(seq 20); do test -e {tmp_path}/%s && break; sleep 1; done; test -e {tmp_path}/%s"
    sc = with_tool(
        "cosign",
        f"""case "$*" in
        attest*slsaprovenance1*) touch {tmp_path}/provenance ;;
        verify-blob*cyclonedx*) {other_begun % ("provenance", "provenance")} || exit 9 ;;
        esac""",
    )
    (project / "policy.yaml").write_text(OPEN)
    document = sc(f"release create --image {image} --policy policy.yaml --output json").result
    assert document["verdict"] == "secured"
    sc = with_tool(
        "cosign",
        f"""case "$*" in
        verify-blob*sign/v1*) touch {tmp_path}/signature; {other_begun % ("bom", "bom")} || exit 9 ;;
        verify-blob*cyclonedx*) touch {tmp_path}/bom; {other_begun % ("signature", "signature")} || exit 9 ;;
        esac""",
    )
    assert sc(f"image verify --image {image} --key cosign.pub --attestation cyclonedx").code == 0


@pytest.mark.parametrize("verifies", ["cosign.pub", "other.pub"])
@pytest.mark.usefixtures("key")
def test_the_same_bytes_are_verified_once_for_one_signer(
    with_tool: WithTool, project: Path, image: str, keys: Path, verifies: str
) -> None:
    """What is verified as one key's says nothing of another's."""
    (project / "other.pub").write_bytes((keys / "other.pub").read_bytes())
    (project / "policy.yaml").write_text(OPEN.replace("cosign.pub", verifies))
    sc = with_tool("cosign", 'case "$1" in verify*) echo "$1" >> calls;; esac')
    done = sc(f"release create --image {image} --policy policy.yaml")
    calls = (project / "calls").read_text().split()
    if verifies == "cosign.pub":
        assert done.code == 0
        assert calls == ["verify-blob-attestation"] * 4
    else:
        assert done.code == 4
        assert calls.count("verify-blob-attestation") == 8


def test_the_catalogue_is_written_first(with_tool: WithTool, project: Path, image: str, key: str) -> None:
    """It takes longest to read back, which is done beside the writing of the others."""
    (project / "policy.yaml").write_text(OPEN)
    sc = with_tool("cosign", 'case "$1" in attest) for word; do echo "$word"; done >> calls;; esac')
    assert sc(f"release create --image {image} --policy policy.yaml").code == 0
    written = [word for word in (project / "calls").read_text().splitlines() if word.startswith("--type=")]
    assert written[0] == "--type=cyclonedx"
    assert len(written) == 3


def test_each_attestation_that_fails_is_told(with_tool: WithTool, project: Path, image: str, key: str) -> None:
    """And what became of the others."""
    (project / "policy.yaml").write_text(OPEN)
    sc = with_tool("cosign", 'case "$*" in attest*cyclonedx*) echo "out of order" >&2; exit 1;; esac')
    done = sc(f"release create --image {image} --policy policy.yaml")
    assert done.code == 6
    assert "out of order" in done.stderr
    document = released(project, image)
    assert document["failure"]["step"] == "attest-sbom"
    became = statuses(document)
    assert {name: became[name] for name in STEPS[3:]} == {
        "sign": "passed", "attest-sbom": "failed", "attest-provenance": "passed", "attest-scan": "passed",
        "verify": "not_run",
    }  # fmt: skip


@pytest.mark.parametrize("hangs", ["cyclonedx", "slsaprovenance1"])
def test_the_time_limit_of_attestations_is_all_of_theirs(
    with_tool: WithTool, project: Path, image: str, key: str, hangs: str
) -> None:
    """The one in the main thread, and one beside it."""
    (project / "policy.yaml").write_text(OPEN + "  timeouts: {attest: 5}\n")
    sc = with_tool("cosign", f'case "$*" in attest*{hangs}*) exec sleep 60;; esac')
    began = time.monotonic()
    done = sc(f"release create --image {image} --policy policy.yaml")
    assert time.monotonic() - began < 30
    assert done.code == 6
    assert "raise security.timeouts.attest" in done.stderr
    assert "longer than 5 s" in done.stderr or "the time is over" in done.stderr


@pytest.mark.parametrize(("required", "code"), [("true", 6), ("false", 0)])
@pytest.mark.usefixtures("key")
def test_an_attestation_that_waits_for_a_registry_that_hangs_is_not_waited_for(
    sc: CommandLine, project: Path, image: str, monkeypatch: pytest.MonkeyPatch, *, required: str, code: int
) -> None:
    """A read in another thread than the main one, which nothing can end."""
    answer = threading.Event()
    monkeypatch.setattr("sc_secure.steps.attest.attach_gathered", lambda *_: answer.wait(60))
    policy = OPEN.replace("includeGit: false", f"includeGit: false, required: {required}")
    (project / "policy.yaml").write_text(policy + "  timeouts: {attest: 5}\n")
    began = time.monotonic()
    done = sc(f"release create --image {image} --policy policy.yaml")
    answer.set()
    assert time.monotonic() - began < 30
    assert done.code == code
    assert "the time is over: raise security.timeouts.attest" in done.stderr
    became = statuses(released(project, image))
    assert became["attest-provenance"] == ("failed" if required == "true" else "soft_failed")
    assert became["attest-sbom"] == "passed"


SOFT = [
    ("scan: {failOn: critical", ("grype", "sbom:*"), {"scan", "attest-scan"}),
    ("sbom: {format: cyclonedx-json", ("cosign", "attest*cyclonedx*"), {"attest-sbom"}),
    ("provenance: {includeGit: false", ("cosign", "attest*slsa*"), {"attest-provenance"}),
]


@pytest.mark.parametrize("case", SOFT, ids=["scan", "sbom", "provenance"])
@pytest.mark.usefixtures("key")
def test_what_is_not_required_degrades(
    with_tool: WithTool, project: Path, image: str, case: tuple[str, tuple[str, str], set[str]]
) -> None:
    section, (tool, arguments), soft = case
    assert section in OPEN
    (project / "policy.yaml").write_text(OPEN.replace(section, f"{section}, required: false"))
    sc = with_tool(tool, f'case "$*" in {arguments}) echo "out of order" >&2; exit 1;; esac')
    done = sc(f"release create --image {image} --policy policy.yaml --output json")
    assert done.result["verdict"] == "degraded"
    document = released(project, image)
    assert statuses(document) == dict.fromkeys(STEPS, "passed") | dict.fromkeys(soft, "soft_failed")
    assert len(document["attachments"]) == 3
    assert "out of order" in (folder(project, image) / "release.md").read_text()
