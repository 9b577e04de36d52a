"""What each step ends with: steps, required or not, over every way to fail, against real programs that are wrapped.

The table `outcomes.OUTCOMES` is the promise: what can't be done is soft where the step isn't required, and nothing else
ever is.
"""

import shlex
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

from tests.command_line import CommandLine, Outcome, in_process, start, wrap
from tests.faulty_proxy import faulty_proxy
from tests.images import VULNERABLE, push_image
from tests.steps import outcomes
from tests.steps.outcomes import ATTEMPTS, OUTCOMES, SIGN, STEPS, Step

RETRY = f"--retry-attempts {ATTEMPTS} --retry-base-delay 0"
SOFT = {"": "required", "--allow-failure": "not required"}


@pytest.fixture(scope="module")
def prepared(tools_env: dict[str, str], registry: str, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which an image was catalogued and scanned; `image` in it says which."""
    folder = tmp_path_factory.mktemp("prepared")
    image = push_image(tools_env, folder, f"{registry}/outcomes", VULNERABLE)
    (folder / "image").write_text(image)
    shutil.copy(keys / "ours.key", folder / "cosign.key")
    shutil.copy(keys / "ours.pub", folder / "cosign.pub")
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


CASES = [
    pytest.param(name, happens, soft, id=f"{name} {happens} {said}".strip())
    for happens, row in OUTCOMES.items()
    for name in row.steps
    for soft, said in SOFT.items()
    if not soft or STEPS[name].may_be_soft
]


@pytest.mark.parametrize(("name", "happens", "soft"), CASES)
def test_each_step_ends_as_the_table_says(
    sc_with, project: Path, tools_env: dict[str, str], *, name: str, happens: str, soft: str
) -> None:
    step, row = STEPS[name], OUTCOMES[happens]
    image = (project / "image").read_text()
    if name == "verify" and happens != "absent":
        signing = start(
            {**tools_env, "COSIGN_PASSWORD": "test"}, project, *f"image sign {SIGN} --image {image}".split()
        )
        assert signing.wait() == 0
    if step.tool == "syft":  # so that there is work to do
        shutil.rmtree(project / ".sc")
    sc = sc_with(step, row.script or 'exec "$real" "$@"')
    done = let_happen(sc, happens, f"{step.words} {RETRY} {soft} --output json", image)
    assert done.code == (row.optional if soft else row.required), done.stderr
    runs = project / "runs"
    # What is there is verified as often as it takes.
    if name != "verify" or happens in ("stays away", "missing", "other content", "usage"):
        # A bundle that isn't verified by itself is searched for, which is what is tried again.
        once_more = 1 if (name, happens) == ("verify", "stays away") else 0
        assert (runs.read_text() if runs.exists() else "") == "x\n" * (row.tries + once_more)
    if row.required == 0:
        assert done.result["status"] == "passed"
    elif done.code == 0:
        assert (done.result["status"], done.result["outputs"], done.result["artifacts"]) == ("soft_failed", {}, [])
        (warning,) = done.result["warnings"]
        assert f"{name.partition(' ')[0]} failed, and isn't required: " in warning
        assert warning in done.stderr
    else:
        assert done.stdout == ""


def let_happen(sc: CommandLine, happens: str, words: str, image: str) -> Outcome:
    """Run the step while that happens."""
    elsewhere = "--artifacts elsewhere"  # without the catalogue that is here, the registry has to be asked
    if happens == "missing":
        return sc(f"{words} --image {image} {elsewhere}", PATH="/nowhere")
    if happens == "other content":
        host, _, name = image.partition("/")
        with faulty_proxy(f"http://{host}") as proxy:
            proxy.fail(then="altered")
            return sc(f"{words} --image {proxy.url.removeprefix('http://')}/{name} {elsewhere}")
    if happens == "foreign":
        document = next(Path(".sc").rglob("sbom.syft.json")).read_text()
        Path("foreign.json").write_text(document.replace(image.partition("@")[2], f"sha256:{'0' * 64}"))
        return sc(f"{words} --image {image} --sbom foreign.json")
    flags = {"hangs": "--timeout 2", "forbidden": "--fail-on high", "usage": "--timeout 0"}.get(happens, "")
    return sc(f"{words} --image {image} {flags}")


def test_the_page_is_the_table() -> None:
    assert outcomes.PAGE.read_text() == outcomes.page(), "run python -m tests.steps.outcomes"


@pytest.mark.parametrize("soft", SOFT, ids=SOFT.values())
def test_a_key_that_is_not_there_is_never_soft(sc_with, project: Path, soft: str) -> None:
    sc = sc_with(STEPS["sign"], 'exec "$real" "$@"')
    flags = "--key none.key --no-transparency-log"
    assert sc(f"image sign --image {(project / 'image').read_text()} {flags} {soft}").code == 2


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
