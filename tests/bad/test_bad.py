"""Everything that is wrong is refused, with the code of its kind, and by name. The table is `cases.py`."""

import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

from tests.bad.cases import CASES, Bench
from tests.command_line import in_process
from tests.images import VULNERABLE, attachments, push_image


@pytest.fixture(scope="module")
def keys(tools_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("cosign", "other"):
        command = ["cosign", "generate-key-pair", "--output-key-prefix", name]
        env = {**tools_env, "COSIGN_PASSWORD": "test"}
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    return folder


@pytest.fixture
def bench(
    tools_env: dict[str, str],
    registry: str,
    keys: Path,
    tmp_path: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Bench:
    folder = tmp_path / "project"
    shutil.copytree(keys, folder)
    image = push_image(tools_env, tmp_path, f"{registry}/b{uuid.uuid4().hex[:12]}", VULNERABLE)
    env = {**tools_env, "COSIGN_PASSWORD": "test"}
    return Bench(in_process(env, folder, monkeypatch, capsys), env, folder, image)


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_by_name(bench: Bench, name: str) -> None:
    case = CASES[name]
    env = case.make(bench) or {}
    before = attachments(bench.image)
    done = bench.sc(f"{case.call.format(image=bench.image)} --output json", **env)
    assert done.code == case.code, done.stderr
    assert case.named in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert attachments(bench.image) == before


@pytest.mark.parametrize("call", ["image verify", "sbom verify", "provenance verify", "scan verify"])
def test_what_is_right_is_not(bench: Bench, call: str) -> None:
    for words in ("image sign", "sbom attach", "provenance attach", "scan attach"):
        bench.do(f"{words} --image {bench.image} --key cosign.key --no-transparency-log")
    bench.do(f"{call} --image {bench.image} --key cosign.pub")
