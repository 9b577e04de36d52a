"""What each step ends with: steps, required or not, over every way to fail, against real programs that are wrapped.

The table `OUTCOMES` is the promise: what can't be done is soft where the step isn't required, and nothing else ever is.
"""

import shlex
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command_line import CommandLine, in_process, start, wrap
from tests.images import VULNERABLE, push_image

ATTEMPTS = 3
RETRY = f"--retry-attempts {ATTEMPTS} --retry-base-delay 0"
SIGN = "--key cosign.key --no-transparency-log"


@dataclass(frozen=True)
class Step:
    words: str
    tool: str
    does: str
    """The tool's subcommand that does the work; it alone fails."""


STEPS = {
    "sbom": Step("sbom generate", "syft", "scan"),
    "scan": Step("image scan --fail-on critical", "grype", "sbom:*"),
    "sign": Step(f"image sign {SIGN}", "cosign", "sign"),
    "attest sbom": Step(f"sbom attach {SIGN}", "cosign", "attest"),
    "attest provenance": Step(f"provenance attach {SIGN}", "cosign", "attest"),
    "attest scan": Step(f"scan attach {SIGN}", "cosign", "attest"),
}

OUTCOMES = {
    # what happens: (the program's script, exit code where required, where not, how often it is tried)
    "works": ('exec "$real" "$@"', 0, 0, 1),
    "is gone in a moment": ('[ $(wc -l < RUNS) = 1 ] && fail "connection refused"; exec "$real" "$@"', 0, 0, 2),
    "stays away": ('fail "dial tcp 192.0.2.1:443: connection refused"', 6, 0, ATTEMPTS),
    "is permanent": ('fail "something else is wrong"', 6, 0, 1),
    "not authorised": ('fail "GET https://r.example/v2/: unexpected status code 401 Unauthorized"', 7, 0, 1),
    "hangs": ("exec sleep 60", 6, 0, 1),
    "is killed": ("kill -9 $$", 6, 0, 1),
}


@pytest.fixture(scope="module")
def prepared(tools_env: dict[str, str], registry: str, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which an image was catalogued and scanned; `image` in it says which."""
    folder = tmp_path_factory.mktemp("prepared")
    image = push_image(tools_env, folder, f"{registry}/outcomes", VULNERABLE)
    (folder / "image").write_text(image)
    shutil.copy(keys / "ours.key", folder / "cosign.key")
    (folder / "cosign.key").chmod(0o600)
    done = start(tools_env, folder, "image", "scan", "--image", image, "--fail-on", "critical")
    _, stderr = done.communicate()
    assert done.returncode == 0, stderr
    return folder


@pytest.fixture
def sc_with(
    tools_env: dict[str, str],
    prepared: Path,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """The command line beside a program of which one subcommand is a script, in a copy of the prepared folder."""
    shutil.copytree(prepared, project, dirs_exist_ok=True)
    before = (prepared / "image").read_text()
    repository = before.replace("/outcomes@", f"/o{uuid.uuid4().hex[:12]}@").partition("@")[0]
    subprocess.run(["crane", "copy", before, f"{repository}:1"], env=tools_env, check=True, capture_output=True)
    (project / "image").write_text(f"{repository}@{before.partition('@')[2]}")

    def make(step: Step, script: str) -> CommandLine:
        runs = shlex.quote(str(project / "runs"))
        functions = 'fail() { echo "Error: $1" >&2; exit 1; }'
        body = f"echo x >> {runs}\n{script.replace('RUNS', runs)}"
        case = f'case "$1" in {step.does})\n{body}\n;; *) exec "$real" "$@";; esac'
        env = wrap(project / "bin", tools_env, step.tool, f"{functions}\n{case}")
        return in_process({**env, "COSIGN_PASSWORD": "test"}, project, monkeypatch, capsys)

    return make


@pytest.mark.parametrize("soft", [False, True], ids=["required", "not required"])
@pytest.mark.parametrize("happens", OUTCOMES)
@pytest.mark.parametrize("name", STEPS)
def test_each_step_ends_as_the_table_says(sc_with, project: Path, name: str, happens: str, soft: bool) -> None:
    step, (script, required, optional, runs) = STEPS[name], OUTCOMES[happens]
    if step.tool == "syft":  # so that there is work to do
        shutil.rmtree(project / ".sc")
    sc = sc_with(step, script)
    timeout = "--timeout 2" if happens == "hangs" else ""
    flag = "--allow-failure" if soft else ""
    done = sc(f"{step.words} --image {(project / 'image').read_text()} {RETRY} {timeout} {flag} --output json")
    assert done.code == (optional if soft else required), done.stderr
    assert (project / "runs").read_text() == "x\n" * runs
    if required == 0:
        assert done.result["status"] == "passed"
    elif soft:
        assert (done.result["status"], done.result["outputs"], done.result["artifacts"]) == ("soft_failed", {}, [])
        (warning,) = done.result["warnings"]
        assert f"{name.partition(' ')[0]} failed, and isn't required: " in warning
        assert warning in done.stderr
    else:
        assert done.stdout == ""


@pytest.mark.parametrize("soft", [False, True], ids=["required", "not required"])
@pytest.mark.parametrize("name", STEPS)
def test_a_missing_tool(sc_with, project: Path, name: str, soft: bool) -> None:
    shutil.rmtree(project / ".sc")
    sc = sc_with(STEPS[name], "")
    flag = "--allow-failure" if soft else ""
    done = sc(f"{STEPS[name].words} --image {(project / 'image').read_text()} {flag} --output json", PATH="/nowhere")
    assert done.code == (0 if soft else 5), done.stderr
    assert "install" in done.stderr or soft
    assert not soft or done.result["status"] == "soft_failed"


@pytest.mark.parametrize("soft", ["", "--allow-failure"], ids=["required", "not required"])
def test_what_is_never_soft(sc_with, project: Path, soft: str) -> None:
    image = (project / "image").read_text()
    sc = sc_with(STEPS["sign"], 'exec "$real" "$@"')
    assert sc(f"image scan --image {image} --fail-on high {soft}").code == 3  # what the policy forbids
    assert sc(f"image sign --image {image} --key none.key --no-transparency-log {soft}").code == 2  # bad usage
    assert sc(f"sbom generate --image {image.replace('@sha256:', ':')} {soft}").code == 2
    foreign = project / "foreign.json"
    document = next((project / ".sc").rglob("sbom.syft.json")).read_text()
    foreign.write_text(document.replace(image.partition("@")[2], "sha256:" + "0" * 64))
    assert sc(f"image scan --image {image} --fail-on critical --sbom foreign.json {soft}").code == 4  # another's


def test_verifying_is_always_required(sc_with, project: Path) -> None:
    sc = sc_with(STEPS["sign"], 'exec "$real" "$@"')
    for words in ("image verify", "sbom verify", "provenance verify", "scan verify"):
        done = sc(f"{words} --image {(project / 'image').read_text()} --key cosign.key --allow-failure")
        assert (done.code, "--allow-failure" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "where", ["/etc/passwd", "../out.json", "link/out.json", ".", "file/out.json"], ids=lambda text: text
)
def test_a_copy_is_kept_only_inside_the_folder(sc_with, project: Path, tmp_path: Path, where: str) -> None:
    (project / "link").symlink_to(tmp_path)
    (project / "file").write_text("")
    before = sorted(tmp_path.iterdir())
    sc = sc_with(STEPS["sbom"], 'exec "$real" "$@"')
    done = sc(f"sbom generate --image {(project / 'image').read_text()} --save {where}")
    assert (done.code, done.stdout) == (2, "")
    assert f"--save {where}: " in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_copies_of_the_documents(sc_with, project: Path) -> None:
    image = (project / "image").read_text()
    sc = sc_with(STEPS["sbom"], 'exec "$real" "$@"')
    for words, file in (
        ("sbom generate --format spdx-json", "sbom.json"),
        ("image scan --fail-on critical", "out/scan.json"),
        ("provenance generate", "provenance.json"),
    ):
        result = sc(f"{words} --image {image} --save {file} --output json").result
        original, copy = (project / artifact["path"] for artifact in result["artifacts"])
        assert copy == project / file
        assert original.read_bytes() == copy.read_bytes()
