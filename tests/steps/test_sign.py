from pathlib import Path

import pytest

from tests.command_line import CommandLine, in_process, wrap
from tests.images import attachments


def test_signed_once(sc: CommandLine, image: str, key: str) -> None:
    first = sc(f"image sign --image {image} {key} --output json").result
    assert first["status"] == "passed"
    assert first["outputs"] == {"signatureDigest": attachments(image)[0], "rekorUuid": "", "rekorLogIndex": ""}
    second = sc(f"image sign --image {image} {key} --output json").result
    assert second["status"] == "reused"
    assert second["outputs"] == first["outputs"]
    assert len(attachments(image)) == 1


def test_an_attestation_is_no_signature(sc: CommandLine, image: str, key: str) -> None:
    assert sc(f"provenance attach --image {image} {key} --no-include-git").code == 0
    done = sc(f"image verify --image {image} {key}")
    assert (done.code, done.stdout) == (4, "")
    assert "signature" in done.stderr
    assert sc(f"image sign --image {image} {key} --output json").result["status"] == "passed"


def test_another_keys_signature_is_not_ours(sc: CommandLine, image: str, key: str, keys: Path) -> None:
    other = f"--key {keys}/other.key --no-transparency-log"
    assert sc(f"image sign --image {image} {other}").code == 0
    assert sc(f"image verify --image {image} {key}").code == 4
    assert sc(f"image sign --image {image} {key} --output json").result["status"] == "passed"
    assert len(attachments(image)) == 2


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ("--key cosign.key --no-transparency-log --keyless", {}, "--keyless"),
        ("--key cosign.key --fulcio-url https://f.test --trusted-root r.json", {}, "--fulcio-url"),
        ("--key cosign.key --rekor-url https://r.test --trusted-root r.json", {}, "--transparency-log"),
        ("--no-transparency-log", {}, "--key"),
        ("--key none.key --no-transparency-log", {}, "none.key"),
        ("--key cosign.key --no-transparency-log --password-env UNSET_NAME", {}, "UNSET_NAME"),
        ("--key cosign.key --no-transparency-log --password-env OTHER", {"OTHER": "hunter2"}, "password"),
        ("--key cosign.pub --no-transparency-log", {}, "public key"),
        ("--key env://UNSET_NAME --no-transparency-log", {}, "UNSET_NAME"),
        ("--key awskms:// --no-transparency-log", {}, "awskms://"),
    ],
)
def test_bad_usage_changes_nothing(
    sc: CommandLine, image: str, key: str, *, arguments: str, environment: dict[str, str], said: str
) -> None:
    done = sc(f"image sign --image {image} {arguments}", **environment)
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr
    assert "hunter2" not in done.stderr
    assert attachments(image) == []


def test_a_key_and_a_password_in_named_variables(sc: CommandLine, image: str, project: Path, key: str) -> None:
    environment = {"MY_KEY": (project / "cosign.key").read_text(), "MY_PASSWORD": "test", "COSIGN_PASSWORD": "wrong"}
    flags = "--key env://MY_KEY --password-env MY_PASSWORD --no-transparency-log"
    assert sc(f"image sign --image {image} {flags}", **environment).code == 0
    assert sc(f"image verify --image {image} --key cosign.pub --no-transparency-log").code == 0


def test_a_key_that_others_can_read(sc: CommandLine, image: str, project: Path, key: str) -> None:
    (project / "cosign.key").chmod(0o644)
    (warning,) = sc(f"image sign --image {image} {key} --output json").result["warnings"]
    assert "chmod 600 cosign.key" in warning


@pytest.fixture
def with_cosign(
    tools_env: dict[str, str], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def make(script: str) -> CommandLine:
        env = wrap(project / "bin", tools_env, "cosign", script)
        return in_process({**env, "COSIGN_PASSWORD": "test"}, project, monkeypatch, capsys)

    return make


def test_a_cosign_that_does_nothing_has_not_signed(with_cosign, image: str, key: str) -> None:
    sc = with_cosign('[ "$1" = sign ] && exit 0\nexec "$real" "$@"')
    done = sc(f"image sign --image {image} {key}")
    assert (done.code, done.stdout) == (6, "")
    assert "read back" in done.stderr


def test_a_lost_write_is_repeated(with_cosign, image: str, key: str, project: Path) -> None:
    script = f'if [ "$1" = sign ]; then echo x >> {project}/runs; [ $(wc -l < {project}/runs) = 1 ] && exit 0; fi'
    sc = with_cosign(script + '\nexec "$real" "$@"')
    assert sc(f"image sign --image {image} {key} --output json").result["status"] == "passed"
    assert (project / "runs").read_text() == "x\nx\n"
    assert len(attachments(image)) == 1


def test_a_write_whose_answer_is_lost_is_not_made_twice(with_cosign, image: str, key: str) -> None:
    script = 'if [ "$1" = sign ]; then "$real" "$@"; echo "read: connection reset by peer" >&2; exit 1; fi'
    sc = with_cosign(script + '\nexec "$real" "$@"')
    assert sc(f"image sign --image {image} {key} --output json").result["status"] == "passed"
    assert len(attachments(image)) == 1


@pytest.mark.parametrize(
    ("message", "code", "runs"),
    [
        ("Error: PUT https://r/v2/x: unexpected status code 503 Service Unavailable", 6, 4),
        ("Error: GET https://r/v2/x: UNAUTHORIZED: authentication required", 7, 1),
        ("Error: something else", 6, 1),
    ],
)
def test_only_what_may_pass_is_tried_again(
    with_cosign,
    image: str,
    key: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    message: str,
    code: int,
    runs: int,
) -> None:
    monkeypatch.setattr("sc_secure.tools.transient.BASE_DELAY", 0.01)
    sc = with_cosign(
        f'if [ "$1" = sign ]; then echo x >> {project}/runs; echo "{message}" >&2; exit 1; fi\nexec "$real" "$@"'
    )
    done = sc(f"image sign --image {image} {key}")
    assert (done.code, done.stdout) == (code, "")
    assert (project / "runs").read_text() == "x\n" * runs


def test_verbose_shows_commands_and_no_secret(sc: CommandLine, image: str, key: str, project: Path) -> None:
    environment = {"MY_KEY": (project / "cosign.key").read_text()}
    done = sc(f"image sign --image {image} --key env://MY_KEY --no-transparency-log -v", **environment)
    assert done.code == 0
    assert "+ cosign sign" in done.stderr
    assert environment["MY_KEY"].splitlines()[1] not in done.stderr
