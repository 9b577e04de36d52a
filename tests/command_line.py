"""Runs our command line inside the test's process, or as a process of its own."""

import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sc_secure.cli.root import run

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """The step's result: exactly one line of JSON on stdout."""
        assert self.code == 0, self.stderr
        assert self.stdout.count("\n") == 1
        assert len(self.stdout) <= 4097
        return json.loads(self.stdout)


CommandLine = Callable[..., Outcome]
"""Called with the arguments, as one text and more words."""


def in_process(
    env: Mapping[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """Runs it here, in `folder`, with `env` as the whole environment and what a call adds to it."""
    monkeypatch.chdir(folder)

    def call(words: str, *more: str, **extra: str) -> Outcome:
        with monkeypatch.context() as patch:
            for name in set(os.environ) - {"PYTEST_CURRENT_TEST"}:
                patch.delenv(name)
            for name, value in {**env, **extra}.items():
                patch.setenv(name, value)
            capsys.readouterr()
            code = run([*shlex.split(words), *more])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return call


def start(env: Mapping[str, str], folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Starts it as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-P", str(ROOT / "sc_secure" / "__main__.py"), *arguments],
        env=dict(env),
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wrap(folder: Path, env: Mapping[str, str], tool: str, script: str) -> dict[str, str]:
    """An environment in which `tool` is a shell script; `"$real" "$@"` in it is the real one."""
    real = subprocess.run(["which", tool], env=dict(env), check=True, capture_output=True, text=True).stdout.strip()
    folder.mkdir(exist_ok=True)
    fake = folder / tool
    fake.write_text(f"#!/bin/sh\nreal={real}\n{script}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    return {**env, "PATH": f"{folder}:{env['PATH']}"}
