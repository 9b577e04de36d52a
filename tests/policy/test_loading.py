"""Reading a `security:` block from a file."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from sc_secure.errors import ConfigError
from sc_secure.policy.document import MAX_FILE_BYTES, MAX_NODES
from sc_secure.policy.loading import load_policy, load_security
from tests.policy.files import write

pytestmark = pytest.mark.usefixtures("project")

BLOCK = "security:\n  scan:\n    failOn: high\n  signing:\n    key: cosign.key\n    passwordEnv: PW\n"


def refusal(**given: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        load_security(**given)
    assert raised.value.exit_code == 2
    return raised.value.message


def test_a_file_s_block_is_what_secured_image_takes() -> None:
    assert load_security(write("client.yaml", f"schemaVersion: '1.0'\ndomain: example.com\n{BLOCK}")) == {
        "scan": {"fail_on": "high"},
        "signing": {"key": "cosign.key", "password_env": "PW"},
    }


def test_a_stack_s_file() -> None:
    write(".sc/stacks/web/client.yaml", BLOCK)
    assert load_security(stack="web")["scan"] == {"fail_on": "high"}


def test_a_path_or_a_stack() -> None:
    assert "either a path or a stack" in refusal()
    assert "either a path or a stack" in refusal(path="a", stack="b")
    for name in ("../other", "", ".hidden", "a/b", "a\\b", "a\nb", "a" * 101):
        assert "one folder's name" in refusal(stack=name)


def test_files_that_are_none(tmp_path: Path) -> None:
    assert refusal(path="none.yaml") == "none.yaml: No such file or directory"
    assert refusal(path=".") == ".: not a regular file"
    assert refusal(path="a\0b").endswith("not a file's name")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert refusal(path="pipe.yaml") == "pipe.yaml: not a regular file"


def test_the_size_is_bounded_and_so_is_the_time() -> None:
    line = "- {id: CVE-2024-0001, package: openssl, reason: not reachable}\n"
    largest = f"security: {{}}\nother:\n{line * (MAX_FILE_BYTES // len(line) - 2)}"
    began = time.process_time()
    assert load_security(write("large.yaml", largest)) == {}
    assert time.process_time() - began < 10  # 2 on an idle machine
    assert "larger than" in refusal(path=write("larger.yaml", "#" * (MAX_FILE_BYTES + 1)))


@pytest.mark.parametrize("brackets", ["[" * 5000, "{a: " * 5000, "- " * 5000])
def test_deep_nesting_is_refused(brackets: str) -> None:
    assert "nested too deeply" in refusal(path=write("deep.yaml", f"a:\n  {brackets}\nsecurity: {{}}"))


def test_aliases_are_followed_within_bounds() -> None:
    shared = "policy: &policy {failOn: high}\nsecurity:\n  scan: *policy\n"
    policy = load_policy(write("client.yaml", shared))
    assert policy.security.scan.fail_on == "high"
    assert policy.block.at(("scan", "failOn")).line == 1
    assert policy.block.at(("scan",)).line == 3


def test_many_values_are_refused_before_they_are_looked_at() -> None:
    many = f"security: {{scan: {{tools: [{'a,' * MAX_NODES}]}}}}"
    assert "more than 20000 values" in refusal(path=write("many.yaml", many))


def test_other_sections_are_none_of_ours() -> None:
    text = "vpc: !Ref network\nusers: &a [*a]\nbase: &base {x: 1}\nderived: {<<: *base}\n"
    assert load_security(write("client.yaml", f"{text}{BLOCK}"))["scan"] == {"fail_on": "high"}


def test_a_date_stays_text() -> None:
    policy = load_policy(write("client.yaml", "security:\n  signing: {key: 2026-12-31}\n"))
    assert policy.security.signing.key == "2026-12-31"


def test_a_byte_order_mark_is_no_key() -> None:
    Path("client.yaml").write_bytes(b"\xef\xbb\xbf" + BLOCK.encode())
    assert load_security("client.yaml")["scan"] == {"fail_on": "high"}


def test_no_value_is_in_an_error() -> None:
    text = "security:\n  signing: {key: [s3cr3t-sentinel], passwordEnv: s3cr3t sentinel}\n  enabled: s3cr3t-sentinel\n"
    assert "s3cr3t" not in refusal(path=write("client.yaml", text))
