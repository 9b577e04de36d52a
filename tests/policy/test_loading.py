"""Reading a `security:` block from a file."""

from pathlib import Path

import pytest

from sc_secure.errors import ConfigError
from sc_secure.policy.loading import MAX_FILE_BYTES, load_security

BLOCK = "security:\n  scan:\n    failOn: high\n  signing:\n    key: cosign.key\n    passwordEnv: PW\n"


def test_a_file_s_block_is_what_secured_image_takes(tmp_path: Path) -> None:
    file = tmp_path / "client.yaml"
    file.write_text(f"schemaVersion: '1.0'\ndomain: example.com\n{BLOCK}")
    assert load_security(str(file)) == {
        "scan": {"fail_on": "high"},
        "signing": {"key": "cosign.key", "password_env": "PW"},
    }


def test_a_stack_s_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".sc/stacks/web/client.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(BLOCK)
    assert load_security(stack="web")["scan"] == {"fail_on": "high"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("security:\n  scan: {}\n  scan: {}\n", ":3:3: the key 'scan' stands here twice"),
        ("security: &a\n  scan: *a\n", ":2:9: aliases aren't allowed here"),
        ("security:\n  scan: [\n", ": "),
        ("- security\n", "a mapping with a security: key is expected"),
        ("domain: x\n", "security: missing"),
        ("security: yes\n", "security: missing, or not a mapping"),
        ("uses: base\nsecurity: {}\n", "uses: inheriting from a parent isn't available"),
        ("security:\n  scan:\n    failOnn: high\n", "security.scan.failOnn: unknown key; did you mean failOn?"),
        ("security: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        ("a: " + "[" * 5000, ""),
        ("#" * (MAX_FILE_BYTES + 1), "larger than"),
    ],
)
def test_bad_files_are_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_security(str(file))
    assert raised.value.message.startswith(str(file))
    assert said in raised.value.message


def test_a_path_or_a_stack() -> None:
    with pytest.raises(ConfigError, match="either a path or a stack"):
        load_security()
    with pytest.raises(ConfigError, match="one folder's name"):
        load_security(stack="../other")
