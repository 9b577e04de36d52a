"""docs/start.md: its commands and its program, one after the other as they stand there, with the real engine and tools.

What can't be had here: the page's registry (the tests' own stands for it) and its base image (an empty one does).
"""

import json
import os
import re
import shlex
import subprocess
import uuid
from pathlib import Path

import pytest

from tests.docs.test_readme import ROOT, blocks

PAGE = ROOT / "docs/start.md"


def test_the_first_way_is_that_of_the_readme() -> None:
    assert blocks(PAGE, "sh")[0] == "make up\n"


@pytest.mark.engine
def test_a_project_of_your_own(pulumi_env: dict[str, str], registry: str, tmp_path: Path) -> None:
    _, *commands = blocks(PAGE, "sh")
    (program,) = blocks(PAGE, "python")
    project, key, up, closed, opened = commands
    script = [
        # The tests' home is an empty one; the package index may be named in the person's.
        f'exec 2>&1; pip() {{ HOME={shlex.quote(str(Path.home()))} command pip "$@"; }}',
        _replaced(project, "FROM python:3.13-slim", "FROM scratch"),
        f"cat > __main__.py <<'EOF'\n{program}EOF",
        _replaced(key, "registry.example/team", f"{registry}/start{uuid.uuid4().hex[:8]}"),
        *("echo '-- up'", up, "echo '-- closed'", closed, "echo '-- opened'", opened),
    ]
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=pulumi_env | pip,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    _, first, refused, last = re.split(r"^-- \w+$", done.stdout, flags=re.MULTILINE)
    assert re.search(rf"^{registry}/start\w+/hello@sha256:[0-9a-f]{{64}}$", first, re.MULTILINE), first
    assert "GHSA-2m57-hf25-phgg" in refused
    assert "hello-sign" not in refused
    assert "hello-sign" in last
    assert json.loads(last.strip().splitlines()[-1])["high"] == 0
    assert (tmp_path / "hello/cosign.pub").exists()


def _replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)
