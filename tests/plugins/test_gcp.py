"""What the `gcp` plugin does, on the real engine and the fake Google. Plain pulumi_gcp programs, none of ours."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.clouds.google.server import PROJECT, REGION, Google
from tests.project import Project, Run

pytestmark = pytest.mark.engine

# Services come from a file, so that a test can change them.
PROGRAM = """
import json
from pathlib import Path
import pulumi
import pulumi_gcp as gcp

number, region = gcp.organizations.get_project().number, gcp.organizations.get_client_config().region
account = gcp.serviceaccount.Account("runner", account_id="app-runner", display_name="Runs the app")
secret = gcp.secretmanager.Secret("token", secret_id="token", replication={"auto": {}}, labels={"team": "a"})
version = gcp.secretmanager.SecretVersion("token-1", secret=secret.id, secret_data=pulumi.Output.secret("hush"))
reader = gcp.secretmanager.SecretIamMember(
    "reader", secret_id=secret.id, role="roles/secretmanager.secretAccessor", member=account.member
)
repository = gcp.artifactregistry.Repository(
    "images",
    repository_id="images",
    format="DOCKER",
    description=f"{number} {region}",
    docker_config={"immutable_tags": True},
    cleanup_policies=[{"id": "old", "action": "DELETE", "condition": {"older_than": "30d"}}],
)
puller = gcp.artifactregistry.RepositoryIamMember(
    "puller", repository=repository.name, role="roles/artifactregistry.reader", member=account.member
)
gcp.projects.IAMMember("logger", project="sc-secure-tests", role="roles/logging.logWriter", member=account.member)
for name, args in json.loads(Path("services.json").read_text()).items():
    if args.get("template", {}).pop("own_account", False):
        args["template"]["service_account"] = account.email
    service = gcp.cloudrunv2.Service(
        name, **args, location="europe-west1", opts=pulumi.ResourceOptions(depends_on=[version, reader])
    )
    if name == "app":
        gcp.cloudrunv2.ServiceIamMember("invoker", name=service.name, role="roles/run.invoker", member="allUsers")
"""
IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/images/app@sha256:"
TOKEN = {"name": "TOKEN", "value_source": {"secret_key_ref": {"secret": "token", "version": "1"}}}
PARENT = f"projects/{PROJECT}/locations/{REGION}"


def container(digit: str = "a", **changes: Any) -> dict[str, Any]:
    return {"image": IMAGE + digit * 64} | changes


def service(*containers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"template": {"containers": list(containers) or [container()]}} | changes


APP = {
    "template": {
        "own_account": True,
        "vpc_access": {"network_interfaces": [{"subnetwork": "inner"}], "egress": "ALL_TRAFFIC"},
        "containers": [
            container(
                envs=[TOKEN],
                ports={"container_port": 9000},
                resources={"limits": {"cpu": "1", "memory": "1Gi"}, "cpu_idle": True, "startup_cpu_boost": True},
                liveness_probe={"http_get": {"path": "/healthy"}},
            )
        ],
        "timeout": "30s",
    },
    "labels": {"team": "a"},
    "description": "the app",
    "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY",
}
FIRST = {"app": APP, "kept": service(name="kept")}


@dataclass
class Phase:
    """A run, what it asked of Google, and what the state held after it."""

    run: Run
    calls: list[str]
    resources: dict[str, dict[str, Any]]
    revisions: dict[str, str] = field(default_factory=dict)
    """The last ready revision of each service."""

    def outputs(self, name: str) -> dict[str, Any]:
        return self.resources[name]["outputs"]


class Stack:
    """A project with a Google of its own, which lives as long as this module's tests."""

    def __init__(self, project: Project, google: Google) -> None:
        self.project = project
        self.google = google

    def phase(self, services: dict[str, Any], *options: str, command: str = "up") -> Phase:
        self.project.write("services.json", services)
        self.google.requests.clear()
        run = getattr(self.project, command)(*options)
        deployed = self.google.cloud_run.services.items()
        ready = {name.rpartition("/")[2]: each.latest_ready for name, each in deployed}
        return Phase(run, self.google.calls(), self.project.resources(), ready)

    def named(self, name: str) -> str:
        """Return the name in the cloud of a service."""
        return next(key.rpartition("/")[2] for key in self.google.cloud_run.services if f"/{name}" in key)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, pulumi_env: dict[str, str]) -> Iterator[Stack]:
    google = Google()
    yield Stack(Project(tmp_path_factory.mktemp("gcp"), pulumi_env | google.environment, PROGRAM), google)
    google.close()


@pytest.fixture(scope="module")
def refused(stack: Stack) -> Phase:
    """A preview of what Google's API doesn't have."""
    wrong = [container(image_pull_policy="Always"), container(envs="A=B"), {"name": "app"}]
    return stack.phase({"wrong": service(*wrong)}, command="preview")


@pytest.fixture(scope="module")
def previewed(stack: Stack, refused: Phase) -> Phase:
    return stack.phase(FIRST, command="preview")


@pytest.fixture(scope="module")
def created(stack: Stack, previewed: Phase) -> Phase:
    return stack.phase(FIRST)


@pytest.fixture(scope="module")
def unchanged(stack: Stack, created: Phase) -> Phase:
    return stack.phase(FIRST, "--refresh")


NEXT = APP | {"template": APP["template"] | {"timeout": "60s"}, "deletion_protection": False, "description": "changed"}


@pytest.fixture(scope="module")
def changed(stack: Stack, unchanged: Phase) -> Phase:
    first = unchanged.revisions[stack.named("app")]
    pinned = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": first, "percent": 90}
    latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 10, "tag": "next"}
    return stack.phase(FIRST | {"app": NEXT | {"traffics": [pinned, latest]}})


@pytest.fixture(scope="module")
def without_traffic(stack: Stack, changed: Phase) -> Phase:
    return stack.phase(FIRST | {"app": NEXT}, command="preview")


TOO_MUCH = FIRST | {"app": NEXT | {"template": NEXT["template"] | {"max_instance_request_concurrency": 2000}}}


@pytest.fixture(scope="module")
def failed(stack: Stack, without_traffic: Phase) -> Phase:
    return stack.phase(TOO_MUCH)


@pytest.fixture(scope="module")
def repeated(stack: Stack, failed: Phase) -> Phase:
    return stack.phase(TOO_MUCH)


@pytest.fixture(scope="module")
def recreated(stack: Stack, repeated: Phase) -> Phase:
    """Up, after somebody has deleted things by hand."""
    stack.google.cloud_run.services.clear()
    del stack.google.artifact_registry.repositories[f"{PARENT}/repositories/images"]
    return stack.phase(FIRST | {"app": NEXT}, "--refresh")


@pytest.fixture(scope="module")
def protected(stack: Stack, recreated: Phase) -> Phase:
    return stack.phase(FIRST | {"app": NEXT}, command="destroy")


@pytest.fixture(scope="module")
def destroyed(stack: Stack, protected: Phase) -> Phase:
    opened = stack.phase({"kept": service(name="kept", deletion_protection=False)}, "--target", "**kept")
    assert opened.run.code == 0, opened.run.text
    return stack.phase({}, command="destroy")


def test_a_preview_refuses_what_the_schema_does_not_have(refused: Phase) -> None:
    assert refused.run.code != 0
    for at, name in enumerate(("image_pull_policy", "envs", "image")):
        assert f"template.containers[{at}].{name}" in refused.run.text


def test_a_preview_writes_nothing(refused: Phase, previewed: Phase) -> None:
    assert previewed.run.code == 0, previewed.run.text
    assert set(previewed.run.steps.values()) == {"create"}
    for phase in (refused, previewed):
        assert set(phase.calls) <= {f"GET /v1/projects/{PROJECT}"}


def test_a_service_is_what_the_program_says(stack: Stack, created: Phase) -> None:
    assert created.run.code == 0, created.run.text
    made = stack.google.service(stack.named("app"))
    only = made.template.containers[0]
    assert only.image == IMAGE + "a" * 64
    assert only.env[0].value_source.secret_key_ref.secret == "token"
    assert only.ports[0].container_port == 9000
    assert dict(only.resources.limits) == {"cpu": "1", "memory": "1Gi"}
    assert only.resources.startup_cpu_boost
    assert only.liveness_probe.http_get.path == "/healthy"
    assert only.liveness_probe.period_seconds == 10
    assert made.template.timeout.seconds == 30
    assert made.template.service_account == f"app-runner@{PROJECT}.iam.gserviceaccount.com"
    assert made.template.vpc_access.network_interfaces[0].subnetwork == "inner"
    assert made.labels == {"team": "a", "goog-pulumi-provisioned": "true"}
    assert made.ingress.name == "INGRESS_TRAFFIC_INTERNAL_ONLY"


def test_outputs_of_a_service(stack: Stack, created: Phase) -> None:
    outputs = created.outputs("app")
    made = stack.google.service(outputs["name"])
    assert created.resources["app"]["id"] == f"{PARENT}/services/{outputs['name']}"
    assert outputs["name"].startswith("app-")
    assert created.outputs("kept")["name"] == "kept"
    assert (outputs["uri"], outputs["urls"]) == (made.uri, list(made.urls))
    assert outputs["latestReadyRevision"] == outputs["latestCreatedRevision"] == made.latest_ready_revision
    assert (outputs["generation"], outputs["observedGeneration"]) == ("1", "1")
    assert outputs["terminalConditions"][0]["state"] == "CONDITION_SUCCEEDED"
    assert outputs["project"] == PROJECT
    assert outputs["labels"] == {"team": "a"}
    # Secret, since the SDK says so: a provider's labels might be.
    assert all("ciphertext" in outputs[name] for name in ("effectiveLabels", "pulumiLabels"))
    assert outputs["traffics"][0]["percent"] == 100
    assert outputs["deletionProtection"] is True


def test_the_other_resources(stack: Stack, created: Phase) -> None:
    google, number = stack.google, stack.google.projects.number(PROJECT)
    account = created.outputs("runner")
    assert account["member"] == f"serviceAccount:{account['email']}"
    assert google.iam.accounts[account["email"]].display_name == "Runs the app"
    secret, version = created.outputs("token"), created.outputs("token-1")
    assert created.resources["token"]["id"] == f"projects/{PROJECT}/secrets/token"
    assert secret["name"] == f"projects/{number}/secrets/token"
    assert version["name"] == created.resources["token-1"]["id"] == f"{secret['name']}/versions/1"
    assert google.secrets.versions[secret["name"]][0][1] == b"hush"
    assert "hush" not in str(created.resources)
    granted = google.secret_policies.get(secret["name"]).bindings
    assert [(each.role, list(each.members)) for each in granted] == [
        ("roles/secretmanager.secretAccessor", [account["member"]])
    ]
    repository = google.artifact_registry.repositories[f"{PARENT}/repositories/images"]
    assert repository.docker_config.immutable_tags
    assert repository.cleanup_policies["old"].condition.older_than.seconds == 30 * 86400
    assert created.outputs("images")["registryUri"] == f"{REGION}-docker.pkg.dev/{PROJECT}/images"
    assert created.outputs("puller")["repository"] == f"{PARENT}/repositories/images"
    assert google.project_policies.grants(f"projects/{PROJECT}", "roles/logging.logWriter", account["member"])
    assert google.service_policies.grants(created.resources["app"]["id"], "roles/run.invoker", "allUsers")


def test_functions(stack: Stack, created: Phase) -> None:
    assert created.outputs("images")["description"] == f"{stack.google.projects.number(PROJECT)} {REGION}"


def test_nothing_changed_is_no_change_even_after_a_look(unchanged: Phase) -> None:
    assert unchanged.run.code == 0, unchanged.run.text
    assert set(unchanged.run.steps.values()) == {"same"}
    assert {call.partition(" ")[0] for call in unchanged.calls if ":getIamPolicy" not in call} == {"GET"}


def test_an_update_makes_a_revision_and_splits_the_traffic(stack: Stack, unchanged: Phase, changed: Phase) -> None:
    assert changed.run.code == 0, changed.run.text
    assert {name for name, step in changed.run.steps.items() if step != "same"} == {"app"}
    name = stack.named("app")
    first, second = unchanged.revisions[name], changed.revisions[name]
    assert first != second
    assert sum(call.startswith("PATCH") for call in changed.calls) == 1
    assert changed.outputs("app")["latestReadyRevision"].endswith(second)
    assert changed.outputs("app")["trafficStatuses"][1]["uri"].startswith("https://next---")
    assert changed.outputs("app")["description"] == "changed"


def test_traffic_that_the_program_stops_giving_stays(without_traffic: Phase) -> None:
    assert without_traffic.run.code == 0, without_traffic.run.text
    assert set(without_traffic.run.steps.values()) == {"same"}


def test_a_refused_update_leaves_what_served(stack: Stack, changed: Phase, failed: Phase) -> None:
    assert failed.run.code != 0
    assert "googleapi: Error 400: Violation in UpdateServiceRequest.service.template" in failed.run.text
    assert failed.revisions == changed.revisions
    inputs = failed.resources["app"]["inputs"]
    assert "maxInstanceRequestConcurrency" not in inputs["template"]


def test_a_refused_update_is_not_tried_again_without_a_look(repeated: Phase) -> None:
    """Officially, too: https://github.com/pulumi/pulumi/issues/21458."""
    assert repeated.run.code == 0, repeated.run.text
    assert repeated.run.steps["app"] == "update"
    assert not [call for call in repeated.calls if call.startswith("PATCH")]


def test_what_was_deleted_by_hand_is_made_again(stack: Stack, recreated: Phase) -> None:
    assert recreated.run.code == 0, recreated.run.text
    again = {name for name, step in recreated.run.steps.items() if step == "create"}
    assert again == {"app", "kept", "invoker", "images", "puller"}
    assert len(recreated.revisions) == 2


def test_a_protected_service_is_not_destroyed(protected: Phase) -> None:
    assert protected.run.code != 0
    assert "cannot destroy service without setting deletion_protection=false" in protected.run.text
    assert "kept" in protected.revisions


def test_everything_else_is_destroyed(stack: Stack, destroyed: Phase) -> None:
    assert destroyed.run.code == 0, destroyed.run.text
    assert not destroyed.resources
    google = stack.google
    for left in (google.cloud_run.services, google.secrets.secrets, google.iam.accounts):
        assert not left
    assert not google.project_policies.get(f"projects/{PROJECT}").bindings
