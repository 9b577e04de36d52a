"""What a preview shows for each kind of change, compared with the texts in `golden/`, which docs/preview.md quotes.

All on one project, with the real engine: an image, and a service behind it. With `SC_SECURE_UPDATE_GOLDEN=1` the texts
are written anew; look at the difference before you commit it.
"""

import difflib
import os
import re
import shutil
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.command_line import ROOT, wrap
from tests.engine.conftest import NewProject
from tests.engine.ecs_project import EcsProject
from tests.engine.plan_text import plan_text
from tests.engine.secured_project import SecuredProject

if TYPE_CHECKING:
    from tests.clouds.aws import Aws

pytestmark = pytest.mark.engine

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "SC_SECURE_UPDATE_GOLDEN"

PROGRAM = """
import json
import pulumi
from sc_secure import SecuredEcsService, SecuredImage

config = pulumi.Config()
with open("trial.json") as file:
    trial = json.load(file)
image = SecuredImage("app", {
    "image_name": config.require("registry") + "/app:" + trial["tag"],
    "build": {"context": "app", "dockerfile": "app/Dockerfile"},
    "security": trial["security"],
})
web = SecuredEcsService("web", {
    "image": image.deployable_ref,
    "verify": {"security": trial["security"]},
    "subnet_ids": config.require_object("subnets"),
    "port": 8080,
})
for output in ("image_ref", "deployable_ref", "sbom_path", "scan_summary", "attestations", "status"):
    pulumi.export(output, getattr(image, output))
pulumi.export("task_definition", web.task_definition_arn)
"""
TRIAL: dict[str, Any] = {
    "tag": "1",
    "security": {
        "scan": {"fail_on": "critical"},
        "sbom": {"format": "cyclonedx-json"},
        "signing": {"key": "cosign.key", "password_env": "SIGNING_PASSWORD"},
        "provenance": {"builder_id": "https://ci.example/builder"},
    },
}
RULE = {"id": "CVE-2024-4340", "package": "sqlparse", "reason": "not reached", "expires": "2099-12-01"}
KEYLESS = {
    "keyless": True,
    "verify": {
        "identity_regexp": "^https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main$",
        "oidc_issuer": "https://token.actions.githubusercontent.com",
    },
}

POLICY: dict[str, dict[str, Any]] = {
    "fail-on": {"scan": {"fail_on": "high"}},
    "warn-on": {"scan": {"fail_on": "critical", "warn_on": "medium"}},
    "only-fixed": {"scan": {"fail_on": "critical", "only_fixed": True}},
    "ignore-rule": {"scan": {"fail_on": "critical", "ignore": [RULE]}},
    "scanner": {"scan": {"fail_on": "critical", "tools": [{"name": "grype"}, {"name": "trivy"}]}},
    "sbom-format": {"sbom": {"format": "spdx-json"}},
    "keyless": {"signing": KEYLESS},
    "provenance-off": {"provenance": {"enabled": False}},
}
"""A change of the policy: the name of its text -> the sections that differ."""


class Previews:
    """The project, and the texts of its previews."""

    def __init__(self, project: SecuredProject) -> None:
        self.project = project
        self._wrong: list[str] = []
        self.write(TRIAL)

    def write(self, trial: dict[str, Any]) -> None:
        self.project.write("trial.json", trial)

    def compare(self, name: str) -> None:
        """Makes a preview, and compares it with the text of that name."""
        run = self.project.preview()
        assert run.code == 0, run.text
        text = plan_text(self.project.events(), {self.project.registry: "registry.example"})
        file = GOLDEN / f"{name}.txt"
        if os.environ.get(UPDATE):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        expected = file.read_text() if file.exists() else ""
        lines = difflib.unified_diff(
            expected.splitlines(), text.splitlines(), f"golden/{file.name}", "now", lineterm=""
        )
        self._wrong += [*lines]

    def check(self) -> None:
        """Fails with every difference."""
        if self._wrong:
            pytest.fail(
                "\n".join([f"previews differ; {UPDATE}=1 takes them as they are now", *self._wrong]), pytrace=False
            )

    @contextmanager
    def changed(self, **sections: Any) -> Iterator[None]:
        """Another policy, for as long as the context lasts."""
        self.write({**TRIAL, "security": {**TRIAL["security"], **sections}})
        yield
        self.write(TRIAL)


@pytest.fixture
def previews(new_project: NewProject, aws: "Aws") -> Previews:
    return Previews(EcsProject(new_project(PROGRAM), aws).project)


def test_what_a_preview_shows(previews: Previews) -> None:
    previews.compare("first")
    run = previews.project.up()
    assert run.code == 0, run.text
    previews.compare("no-change")
    for name, sections in POLICY.items():
        with previews.changed(**sections):
            previews.compare(name)
    for name, change in CHANGES.items():
        with change(previews.project):
            previews.compare(name)
    check_another_tag_changes_nothing_behind_it(previews.project)
    previews.check()


def check_another_tag_changes_nothing_behind_it(project: SecuredProject) -> None:
    """A preview can't know that the digest will be the same; an update does."""
    with tag(project):
        run = project.up()
    assert run.code == 0, run.text
    assert {name for name, op in run.steps.items() if op != "same"} == {"app-image"}


@contextmanager
def another_key(project: SecuredProject) -> Iterator[None]:
    """The key's file is replaced by another key."""
    files = [project.folder / f"cosign.{suffix}" for suffix in ("key", "pub")]
    before = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    done = project.run("cosign", "generate-key-pair", "--output-key-prefix", "cosign", COSIGN_PASSWORD="test")
    assert done.returncode == 0, done.stderr
    yield
    for file, content in zip(files, before, strict=True):
        file.write_bytes(content)


@contextmanager
def application(project: SecuredProject) -> Iterator[None]:
    """The application's code is another."""
    project.write_app(content="changed")
    yield
    project.write_app()


@contextmanager
def tag(project: SecuredProject) -> Iterator[None]:
    """The same image under another tag."""
    project.write("trial.json", {**TRIAL, "tag": "2"})
    yield
    project.write("trial.json", TRIAL)


@contextmanager
def signature_gone(project: SecuredProject) -> Iterator[None]:
    """What was attached is gone from the registry."""
    reference = project.stack_outputs()["deployable_ref"]
    repository, digest = reference.split("@")
    tag, kept = f"{repository}:{digest.replace(':', '-')}", f"{repository}:kept"
    assert project.run("crane", "copy", tag, kept).returncode == 0
    assert project.run("crane", "delete", tag).returncode == 0
    yield
    assert project.run("crane", "copy", kept, tag).returncode == 0


@contextmanager
def package_upgraded(project: SecuredProject) -> Iterator[None]:
    """A later version of the package, in a folder of its own."""
    folder = project.folder.parent / "upgraded"
    shutil.copytree(ROOT / "sc_secure", folder / "sc_secure", ignore=shutil.ignore_patterns("__pycache__"))
    version = folder / "sc_secure/_version.py"
    text = version.read_text()
    version.write_text(re.sub(r'"\d.*"', '"99.0.0"', text))
    with environment(project, PYTHONPATH=str(folder)):
        yield
        launcher = (project.folder / ".sc/bin/sc-secure").read_text()
        assert str(folder) in launcher, launcher  # the preview was made by it
        assert project.run(".sc/bin/sc-secure", "--version").stdout.split()[-1] == "99.0.0"


@contextmanager
def tools_upgraded(project: SecuredProject) -> Iterator[None]:
    """Later versions of the tools."""
    folder, env = project.folder.parent / "later", project.environment
    for tool in ("cosign", "syft", "grype"):
        later = wrap(folder, env, tool, f'case "$1" in version) echo "{tool} 99.0.0";; *) exec "$real" "$@";; esac')
    with environment(project, PATH=later["PATH"]):
        assert "99.0.0" in project.run("cosign", "version").stdout
        yield


@contextmanager
def another_machine(project: SecuredProject) -> Iterator[None]:
    """Another user on another machine: another folder, home and virtual environment, and nothing of `.sc`."""
    here, elsewhere = project.folder, project.folder.parent / "else where"
    kept, home, python = project.folder.parent / "kept", project.folder.parent / "home", project.folder.parent / "venv"
    (here / ".sc").rename(kept)
    here.rename(elsewhere)
    home.mkdir()
    venv.create(python, symlinks=True)
    [site] = python.glob("lib/python*/site-packages")
    (site / "all.pth").write_text(
        "\n".join(each for each in sys.path if each.endswith("site-packages")) + f"\n{ROOT}\n"
    )
    path = f"{python / 'bin'}:{project.environment['PATH']}"
    project.folder = elsewhere
    with environment(project, HOME=str(home), USER="somebody", VIRTUAL_ENV=str(python), PATH=path):
        yield
        assert str(python) in (elsewhere / ".sc/bin/sc-secure").read_text()  # the preview was made by it
    project.folder = here
    elsewhere.rename(here)
    shutil.rmtree(here / ".sc")
    kept.rename(here / ".sc")


@contextmanager
def environment(project: SecuredProject, **variables: str) -> Iterator[None]:
    before = project.environment
    project.environment = before | variables
    yield
    project.environment = before


CHANGES: dict[str, Callable[[SecuredProject], Any]] = {
    "another-key": another_key,
    "application": application,
    "tag": tag,
    "signature-gone": signature_gone,
    "package-upgraded": package_upgraded,
    "tools-upgraded": tools_upgraded,
    "another-machine": another_machine,
}
"""What else may change: the name of its text -> makes the change."""
