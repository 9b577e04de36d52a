import shlex
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.secured_project import PROGRAM, SecuredProject

NewProject = Callable[..., SecuredProject]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def new_project(tmp_path: Path, pulumi_env: dict[str, str], registry: str, key_pair: Path) -> NewProject:
    """Makes a project with an application `app` and the default program."""
    count = 0

    def make(program: str = PROGRAM) -> SecuredProject:
        nonlocal count
        count += 1
        # A repository of its own, since all tests share the registry, and those of one name even the folder's name.
        repository = f"{registry}/e{uuid.uuid4().hex[:12]}"
        project = SecuredProject(tmp_path / f"p{count}", pulumi_env, repository, key_pair, program)
        project.write_app()
        return project

    return make


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A folder for PATH with the package as an executable: the old host can't run `PulumiPlugin.yaml`."""
    executable = tmp_path / "plugin/pulumi-resource-sc-secure"
    executable.parent.mkdir()
    executable.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(ROOT))} "$@"\n')
    executable.chmod(0o755)
    return executable.parent
