"""How the fake Google behaves, seen through Google's own client libraries."""

from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.iam.v1 import iam_policy_pb2, policy_pb2

from tests.clouds.google.server import PROJECT, REGION, Google
from tests.clouds.google_client import IMAGE, LATEST, PARENT, client_of, container, create, run, template, update

ACCOUNT = f"app-runner@{PROJECT}.iam.gserviceaccount.com"
SECRET = {"name": "TOKEN", "value_source": {"secret_key_ref": {"secret": "token", "version": "latest"}}}


def short(name: str) -> str:
    return name.rpartition("/")[2]


def test_a_service_gets_its_defaults(cloud_run: Any) -> None:
    service = create(cloud_run, template())
    (only,) = service.template.containers
    assert dict(only.resources.limits) == {"cpu": "1000m", "memory": "512Mi"}
    assert only.resources.cpu_idle
    assert only.ports[0].container_port == only.startup_probe.tcp_socket.port == 8080
    assert service.template.max_instance_request_concurrency == 80
    assert service.template.service_account.endswith("-compute@developer.gserviceaccount.com")
    assert service.ingress == run.IngressTraffic.INGRESS_TRAFFIC_ALL
    assert [target.percent for target in service.traffic_statuses] == [100]
    assert service.uri in service.urls
    assert service.generation == service.observed_generation == 1


def test_resources_without_idle_cpu_are_always_allocated(cloud_run: Any) -> None:
    service = create(cloud_run, template(container(resources={"limits": {"memory": "1Gi"}})))
    assert not service.template.containers[0].resources.cpu_idle


def test_a_changed_template_makes_a_revision_and_another_change_none(cloud_run: Any, google: Google) -> None:
    first = create(cloud_run, template())
    described = update(cloud_run, template() | {"description": "new"})
    assert described.latest_created_revision == first.latest_created_revision
    assert described.generation == 2
    assert described.etag != first.etag
    changed = update(cloud_run, template(timeout="60s") | {"description": "new"})
    assert changed.latest_ready_revision == changed.latest_created_revision != first.latest_created_revision
    assert short(changed.latest_ready_revision).startswith("app-00003-")
    assert google.deployed("app").serving() == {short(changed.latest_ready_revision): 100}
    same = update(cloud_run, template(timeout="60s") | {"description": "new"})
    assert same.generation == changed.generation == 3
    assert len(google.deployed("app").revisions) == 2


def test_an_update_replaces_all_inputs_or_those_of_its_mask(cloud_run: Any) -> None:
    create(cloud_run, template(timeout="60s") | {"labels": {"a": "1"}, "description": "first"})
    masked = update(cloud_run, {"description": "second"}, "description")
    assert (masked.description, masked.labels["a"], masked.template.timeout.seconds) == ("second", "1", 60)
    replaced = update(cloud_run, template())
    assert (replaced.description, dict(replaced.labels), replaced.template.timeout.seconds) == ("", {}, 300)
    with pytest.raises(exceptions.BadRequest, match="'descriptoin' isn't a field"):
        update(cloud_run, {}, "descriptoin")


def test_traffic_stays_on_a_named_revision(cloud_run: Any, google: Google) -> None:
    create(cloud_run, template(revision="app-one"))
    pinned = {"type_": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "app-one", "percent": 90}
    shares = [pinned, LATEST | {"percent": 10, "tag": "next"}]
    service = update(cloud_run, template(revision="app-two", timeout="60s") | {"traffic": shares})
    assert google.deployed("app").serving() == {"app-one": 90, "app-two": 10}
    assert service.traffic_statuses[1].uri == service.uri.replace("https://", "https://next---")
    with pytest.raises(exceptions.Conflict, match="'app-one' with different configuration already exists"):
        update(cloud_run, template(revision="app-one", timeout="61s"))


def test_a_service_is_made_once_and_changed_only_from_its_version(cloud_run: Any) -> None:
    first = create(cloud_run, template())
    with pytest.raises(exceptions.Conflict, match="Resource 'app' already exists"):
        create(cloud_run, template())
    update(cloud_run, template() | {"etag": first.etag, "description": "a"})
    with pytest.raises(exceptions.Conflict, match="Conflict for resource 'app'"):
        update(cloud_run, template() | {"etag": first.etag, "description": "b"})


def test_validate_only_keeps_nothing(cloud_run: Any, google: Google) -> None:
    assert create(cloud_run, template(), validate_only=True).template.containers[0].image == IMAGE
    assert not google.cloud_run.services


def test_a_deleted_service_is_gone(cloud_run: Any) -> None:
    name = create(cloud_run, template()).name
    cloud_run.delete_service(name=name).result()
    with pytest.raises(exceptions.NotFound, match="Resource 'app' of kind 'SERVICE' in region"):
        cloud_run.get_service(name=name)


def test_a_revision_needs_its_service_account(cloud_run: Any, google: Google) -> None:
    with pytest.raises(exceptions.Forbidden, match=f"'iam.serviceaccounts.actAs' denied on service account {ACCOUNT}"):
        create(cloud_run, template(service_account=ACCOUNT))
    google.iam.add(PROJECT, "app-runner")
    assert create(cloud_run, template(service_account=ACCOUNT)).template.service_account == ACCOUNT


def grant(client: Any, resource: str, role: str, member: str) -> None:
    policy = client.get_iam_policy(request=iam_policy_pb2.GetIamPolicyRequest(resource=resource))
    policy.bindings.append(policy_pb2.Binding(role=role, members=[member]))
    client.set_iam_policy(request=iam_policy_pb2.SetIamPolicyRequest(resource=resource, policy=policy))


def make_secret(secret_manager: Any, name: str = "token") -> Any:
    replicated = {"replication": {"automatic": {}}}
    return secret_manager.create_secret(parent=f"projects/{PROJECT}", secret_id=name, secret=replicated)


@pytest.mark.parametrize("by", ["variable", "volume"])
def test_a_revision_needs_the_right_to_its_secrets(
    by: str, cloud_run: Any, secret_manager: Any, google: Google
) -> None:
    google.iam.add(PROJECT, "app-runner")
    plain = template(service_account=ACCOUNT)
    before = create(cloud_run, plain)
    if by == "variable":
        wanted = template(container(env=[SECRET]), service_account=ACCOUNT)
    else:
        mount = container(volume_mounts=[{"name": "token", "mount_path": "/token"}])
        volume = {"name": "token", "secret": {"secret": "token"}}
        wanted = template(mount, service_account=ACCOUNT, volumes=[volume])
    secret = make_secret(secret_manager)
    denied = rf"Permission denied on secret: {secret.name}/versions/latest for Revision service account {ACCOUNT}\."
    with pytest.raises(exceptions.FailedPrecondition, match=denied):
        update(cloud_run, wanted)
    grant(secret_manager, secret.name, "roles/secretmanager.secretAccessor", f"serviceAccount:{ACCOUNT}")
    with pytest.raises(exceptions.FailedPrecondition, match=f"Secret {secret.name}/versions/latest was not found"):
        update(cloud_run, wanted)

    failed = cloud_run.get_service(name=before.name)
    assert failed.terminal_condition.state == run.Condition.State.CONDITION_FAILED
    assert failed.latest_ready_revision == before.latest_ready_revision != failed.latest_created_revision
    assert google.deployed("app").serving() == {short(before.latest_ready_revision): 100}

    secret_manager.add_secret_version(parent=secret.name, payload={"data": b"hush"})
    assert update(cloud_run, wanted).latest_ready_revision == failed.latest_created_revision


def test_a_project_wide_right_to_secrets_is_enough(cloud_run: Any, secret_manager: Any, google: Google) -> None:
    google.iam.add(PROJECT, "app-runner")
    secret_manager.add_secret_version(parent=make_secret(secret_manager).name, payload={"data": b"hush"})
    role, member = "roles/secretmanager.secretAccessor", f"serviceAccount:{ACCOUNT}"
    wanted = policy_pb2.Policy(bindings=[policy_pb2.Binding(role=role, members=[member])])
    google.project_policies.set(f"projects/{PROJECT}", wanted)
    assert create(cloud_run, template(container(env=[SECRET]), service_account=ACCOUNT)).latest_ready_revision


def test_a_policy_is_written_only_over_the_one_that_was_read(secret_manager: Any, google: Google) -> None:
    secret = make_secret(secret_manager).name
    stale = secret_manager.get_iam_policy(request=iam_policy_pb2.GetIamPolicyRequest(resource=secret))
    grant(secret_manager, secret, "roles/viewer", "user:a@example.com")
    stale.bindings.append(policy_pb2.Binding(role="roles/viewer", members=["user:b@example.com"]))
    with pytest.raises(exceptions.Conflict, match="concurrent policy changes"):
        secret_manager.set_iam_policy(request=iam_policy_pb2.SetIamPolicyRequest(resource=secret, policy=stale))
    for member, message in (("a@example.com", "of an unknown type"), (f"serviceAccount:{ACCOUNT}", "does not exist")):
        with pytest.raises(exceptions.BadRequest, match=message):
            grant(secret_manager, secret, "roles/viewer", member)


def test_a_field_that_is_not_in_the_api_is_refused(google: Google, cloud_run: Any) -> None:
    session = cloud_run.transport._session
    url = f"{google.address}/v2/{PARENT}/services?serviceId=app"
    body = {"template": {"containers": [{"image": IMAGE, "imagePullPolicy": "Always"}]}}
    answer = session.post(url, json=body).json()["error"]
    assert answer["status"] == "INVALID_ARGUMENT"
    assert answer["message"] == (
        "Invalid JSON payload received. Unknown name \"imagePullPolicy\" at 'service.template.containers[0]': "
        "Cannot find field."
    )
    assert session.post(f"{google.address}/v2/{PARENT}/jobs", json={}).status_code == 404


def test_a_request_without_a_token_is_refused(google: Google) -> None:
    answer = requests.get(f"{google.address}/v2/{PARENT}/services/app", timeout=5)
    assert answer.status_code == 401
    assert "missing required authentication credential" in answer.json()["error"]["message"]


def test_secrets_and_versions(secret_manager: Any) -> None:
    for name, wanted, message in (
        ("a.b", {"replication": {"automatic": {}}}, "Secret ID is invalid"),
        ("a", {}, "Replication must be set"),
    ):
        with pytest.raises(exceptions.BadRequest, match=message):
            secret_manager.create_secret(parent=f"projects/{PROJECT}", secret_id=name, secret=wanted)
    secret = make_secret(secret_manager).name
    assert secret.split("/")[1].isdigit()
    for data in (b"one", b"two"):
        secret_manager.add_secret_version(parent=secret, payload={"data": data})
    assert (
        secret_manager.access_secret_version(name=f"projects/{PROJECT}/secrets/token/versions/1").payload.data == b"one"
    )
    secret_manager.disable_secret_version(name=f"{secret}/versions/2")
    with pytest.raises(exceptions.BadRequest, match="in DISABLED state"):
        secret_manager.access_secret_version(name=f"{secret}/versions/latest")


def test_repositories(google: Google) -> None:
    registry = client_of(google, "artifactregistry_v1", "artifact_registry", "ArtifactRegistryClient")

    def create_repository(name: str, **changes: Any) -> Any:
        wanted = {"format_": "DOCKER"} | changes
        return registry.create_repository(parent=PARENT, repository_id=name, repository=wanted).result()

    for name, changes, message in (
        ("Images", {}, "invalid repository_id"),
        ("images", {"format_": 0}, "format must be set"),
        ("images", {"kms_key_name": "key"}, "invalid kms_key_name"),
        ("images", {"mode": "REMOTE_REPOSITORY"}, "don't match"),
        (
            "images",
            {"cleanup_policies": {"old": {"id": "old", "action": "DELETE"}}},
            "one of condition and most_recent",
        ),
        (
            "images",
            {"cleanup_policies": {"keep": {"id": "keep", "action": "DELETE", "most_recent_versions": {}}}},
            "only be used with the action KEEP",
        ),
    ):
        with pytest.raises(exceptions.BadRequest, match=message):
            create_repository(name, **changes)
    made = create_repository("images", docker_config={"immutable_tags": True})
    assert made.registry_uri == f"{REGION}-docker.pkg.dev/{PROJECT}/images"
    with pytest.raises(exceptions.Conflict, match="already exists"):
        create_repository("images")


def test_networks(google: Google) -> None:
    networks = client_of(google, "compute_v1", "networks", "NetworksClient")
    subnetworks = client_of(google, "compute_v1", "subnetworks", "SubnetworksClient")
    path = f"projects/{PROJECT}/global/networks/main"
    wanted = {"name": "main", "auto_create_subnetworks": False}
    networks.insert(project=PROJECT, network_resource=wanted).result()
    inside = {"name": "run", "network": path, "ip_cidr_range": "10.0.0.0/26"}
    subnetworks.insert(project=PROJECT, region=REGION, subnetwork_resource=inside).result()
    for changes, message in (
        ({"name": "Other"}, "Must be a match of regex"),
        ({"name": "other"}, "conflicts with existing subnetwork"),
        ({"name": "other", "ip_cidr_range": "10.1.0.1/26"}, "Must be a valid IPv4 range"),
        ({"name": "other", "ip_cidr_range": "10.1.0.0/30"}, "prefix must be of"),
    ):
        other = {"ip_cidr_range": "10.1.0.0/26"} if changes == {"name": "Other"} else {}
        with pytest.raises(exceptions.BadRequest, match=message):
            subnetworks.insert(project=PROJECT, region=REGION, subnetwork_resource=inside | other | changes)
    with pytest.raises(exceptions.BadRequest, match="already being used by"):
        networks.delete(project=PROJECT, network="main")
    subnetworks.delete(project=PROJECT, region=REGION, subnetwork="run").result()
    networks.delete(project=PROJECT, network="main").result()
    assert not google.compute.networks
