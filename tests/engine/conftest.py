import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.as_plugin import write_plugin
from tests.engine.secured_project import PROGRAM, SecuredProject

NewProject = Callable[..., SecuredProject]


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
    """A folder for PATH with the package as an executable plugin."""
    return write_plugin(tmp_path / "plugin")
