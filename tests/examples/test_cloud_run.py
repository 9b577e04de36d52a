"""`examples/cloud-run` as it stands, on the real engine: Google's API is the fake, the registry one on loopback."""

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.secured_project import SecuredProject

if TYPE_CHECKING:
    from tests.clouds.google.server import Google

EXAMPLE = Path(__file__).parents[2] / "examples/cloud-run"
PROJECT = "sc-secure-tests"


@pytest.fixture
def project(
    tmp_path: Path, pulumi_env: dict[str, str], registry: str, key_pair: Path, google: "Google"
) -> SecuredProject:
    """A copy of the example, configured as its README says."""
    env = pulumi_env | google.environment | {"SC_SECURE_TEST_ARTIFACT_REGISTRY": registry, "COSIGN_PASSWORD": "test"}
    copy = SecuredProject(tmp_path / "example", env, registry, key_pair, "")
    shutil.copytree(EXAMPLE, copy.folder, dirs_exist_ok=True)
    copy._pulumi("stack", "init", "dev")
    copy._pulumi("config", "set", "--secret", "signingSecret", "s3cret-sentinel", "--stack", "dev")
    copy.configure("gcp:project", PROJECT)
    copy.configure("invoker", "user:me@example.com")
    copy.configure("base", "scratch")  # no registry with the real one can be reached, and nothing runs it here
    return copy


@pytest.mark.engine
def test_the_example_runs_as_its_readme_says(project: SecuredProject, google: "Google", registry: str) -> None:
    run = project.up()
    assert run.code == 0, run.text
    first = project.stack_outputs()
    assert first["repository_url"].startswith(f"{registry}/{PROJECT}/images-")
    assert first["image"].startswith(f"{first['repository_url']}/web@sha256:")
    name = first["service_name"]
    check_the_service(google, google.deployed(name).service, first)
    assert "s3cret-sentinel" not in project.export()
    assert set(project.up().steps.values()) == {"same"}

    app = project.folder / "app/app.py"
    app.write_text(app.read_text() + "\n# 1.1\n")
    project.configure("version", "1.1")
    run = project.up()
    assert run.code == 0, run.text
    second = project.stack_outputs()
    assert second["image"] != first["image"]
    assert google.deployed(name).serving() == {second["revision"]: 100}

    project.configure("rollbackTo", first["revision"])
    assert project.up().code == 0
    assert google.deployed(name).serving() == {first["revision"]: 100}

    run = project.destroy()
    assert run.code == 0, run.text
    assert (google.cloud_run.services, google.iam.accounts) == ({}, {})


def check_the_service(google: "Google", service: Any, outputs: dict[str, Any]) -> None:
    (container,) = service.template.containers
    assert container.image == outputs["image"]
    assert container.startup_probe.http_get.path == container.liveness_probe.http_get.path == "/healthz"
    (variable,) = container.env
    reference = variable.value_source.secret_key_ref
    assert (variable.name, reference.secret[:8], reference.version) == ("SIGNING_SECRET", "signing-", "1")
    (interface,) = service.template.vpc_access.network_interfaces
    assert "/subnetworks/subnetwork-" in interface.subnetwork
    assert service.template.service_account == outputs["service_account_email"]
    path = f"projects/{PROJECT}/locations/europe-west1/services/{outputs['service_name']}"
    (binding,) = google.service_policies.get(path).bindings
    assert (binding.role, list(binding.members)) == ("roles/run.invoker", ["user:me@example.com"])


def test_the_application_signs_texts() -> None:
    spec = importlib.util.spec_from_file_location("cloud_run_app", EXAMPLE / "app/app.py")
    assert spec is not None
    assert spec.loader is not None
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    # RFC 4231, test case 2
    assert app.signature("Jefe", "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
