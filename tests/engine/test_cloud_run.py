"""`SecuredCloudRunService` through the real engine, from the program to what Google's API stores."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.secured_project import SecuredProject
from tests.images import CLEAN, push_image

if TYPE_CHECKING:
    from tests.clouds.google.server import Google

pytestmark = pytest.mark.engine
NewProject = Callable[..., SecuredProject]

PROJECT = "projects/sc-secure-tests"
PARENT = f"{PROJECT}/locations/europe-west1"
TOKEN = "t0ken-sentinel"
PROGRAM = f"""
import json
import pulumi
import pulumi_gcp as gcp
from sc_secure import SecuredCloudRunService, SecuredImage

config = pulumi.Config()
security = {{
    "scan": {{"fail_on": config.get("failOn") or "critical", "attest": False}},
    "signing": {{"key": "cosign.key", "password_env": "SIGNING_PASSWORD", "verify": {{"key": "cosign.pub"}}}},
}}
secret = gcp.secretmanager.Secret("token", secret_id="token", replication={{"auto": {{}}}})
version = gcp.secretmanager.SecretVersion("token-1", secret=secret.id, secret_data=pulumi.Output.secret("{TOKEN}"))
unused = gcp.secretmanager.Secret("unused", secret_id="unused", replication={{"auto": {{}}}})
image = SecuredImage("image", {{
    "image_name": config.require("registry") + "/app:1",
    "build": {{"context": "app", "dockerfile": "app/Dockerfile"}},
    "security": security,
}})
args = {{
    "image": config.get("image") or image.deployable_ref,
    "location": "europe-west1",
    "verify": {{"security": security}},
    "environment": {{"MODE": "live"}},
    "secrets": {{"TOKEN": {{"secret": secret.secret_id, "version": version.version}}}},
    "startup_probe": {{"kind": "http", "path": "/healthz"}},
    "labels": {{"team": "shop"}},
    "deletion_protection": False,
}}
args |= json.loads(config.get("more") or "{{}}")
service = SecuredCloudRunService("web", args)
for output in ("url", "service_name", "revision", "image", "service_account_email"):
    pulumi.export(output, getattr(service, output))
"""

CONTAINER: dict[str, Any] = {
    "name": "app",
    "ports": [{"name": "http1", "container_port": 8080}],
    "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "cpu_idle": True, "startup_cpu_boost": False},
    "env": [
        {"name": "MODE", "value": "live"},
        {"name": "TOKEN", "value_source": {"secret_key_ref": {"secret": "token", "version": "1"}}},
    ],
    "startup_probe": {
        "http_get": {"path": "/healthz", "port": 8080},
        "initial_delay_seconds": 0,
        "timeout_seconds": 1,
        "period_seconds": 10,
        "failure_threshold": 3,
    },
}


def filled(value: Any) -> Any:
    """A message's content, without what is empty."""
    if isinstance(value, dict):
        kept = {key: filled(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item and not str(item).endswith("_UNSPECIFIED")}
    return [filled(item) for item in value] if isinstance(value, list) else value


def stored(google: "Google", project: SecuredProject) -> dict[str, Any]:
    """The service as Google has it, without what it alone decides."""
    service = google.service(project.stack_outputs()["service_name"])
    content = filled(type(service).to_dict(service, use_integers_for_enums=False))
    own = ("uid", "etag", "generation", "observed_generation", "create_time", "update_time", "creator", "last_modifier")
    status = ("conditions", "terminal_condition", "traffic_statuses", "uri", "urls")
    revisions = ("latest_ready_revision", "latest_created_revision")
    return {key: value for key, value in content.items() if key not in (*own, *status, *revisions)}


def test_from_the_first_preview_to_destroy(new_project: NewProject, google: "Google") -> None:
    project = new_project(PROGRAM)
    project.environment |= google.environment
    check_a_preview_calls_nobody_and_warns(google, project)
    run = project.up()
    assert run.code == 0, run.text
    check_what_google_has(google, project)
    assert set(project.up().steps.values()) == {"same"}

    check_a_new_version_is_one_update(google, project)
    check_refusals_leave_the_old_revision(google, project)
    check_going_back_to_a_revision(google, project)

    run = project.destroy()
    assert run.code == 0, run.text
    assert google.cloud_run.services == {}
    assert google.iam.accounts == {}


def check_a_preview_calls_nobody_and_warns(google: "Google", project: SecuredProject) -> None:
    """With verifying off by name, which each plan says."""
    project.configure("more", json.dumps({"verify": {"enabled": False}}))
    run = project.preview()
    assert run.code == 0, run.text
    assert google.calls() == []
    warned = [message["message"] for message in run.messages if message["severity"] == "warning"]
    assert any("image: verifying is switched off" in message for message in warned), run.text
    project.configure("more", "{}")


def check_what_google_has(google: "Google", project: SecuredProject) -> None:
    outputs = project.stack_outputs()
    account = outputs["service_account_email"]
    assert stored(google, project) == filled(
        {
            "name": service_path(outputs),
            "labels": {"goog-pulumi-provisioned": "true", "team": "shop"},
            "ingress": "INGRESS_TRAFFIC_ALL",
            "launch_stage": "GA",
            "template": {
                "containers": [{**CONTAINER, "image": outputs["image"]}],
                "service_account": account,
                "scaling": {"max_instance_count": 100},
                "timeout": "300s",
                "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
                "max_instance_request_concurrency": 80,
            },
            "traffic": [{"type_": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
        }
    )
    deployed = google.deployed(outputs["service_name"])
    assert outputs["url"] == deployed.service.uri
    assert deployed.serving() == {outputs["revision"]: 100}
    accessor = {"roles/secretmanager.secretAccessor": [f"serviceAccount:{account}"]}
    assert rights(google.secret_policies, *secrets_paths(google, "token", "unused")) == [accessor, {}]
    assert rights(google.service_policies, service_path(outputs)) == [{}]
    resources = json.loads(project.export())["deployment"]["resources"]
    assert TOKEN not in json.dumps(resources)
    (service,) = [each for each in resources if each["type"] == "gcp:cloudrunv2/service:Service"]
    waits = {urn.split("::")[-1] for urn in service["dependencies"]}
    assert {"image-verify", "web-verify", "web-account", "web-secret-of-app-TOKEN"} <= waits


def rights(policies: Any, *resources: str) -> list[dict[str, list[str]]]:
    """Role -> members, of each resource."""
    found = [policies.get(resource).bindings for resource in resources]
    return [{binding.role: list(binding.members) for binding in bindings} for bindings in found]


def check_a_new_version_is_one_update(google: "Google", project: SecuredProject) -> None:
    before = project.stack_outputs()
    project.write_app(content="version 2")
    changed = project.changed()
    assert {"image-image", "image-sign", "web-verify", "web"} <= set(changed)
    assert changed["web"]["op"] == changed["web-verify"]["op"] == "update"
    google.requests.clear()
    run = project.up()
    assert run.code == 0, run.text
    after = project.stack_outputs()
    assert after["image"] != before["image"]
    assert after["revision"] != before["revision"]
    assert google.calls("PATCH") == [f"PATCH /v2/{service_path(after)}"]
    assert google.calls("POST") == google.calls("DELETE") == []
    happened = run.begun_and_ended
    assert happened.index(("ended", "web-verify")) < happened.index(("begun", "web"))
    deployed = google.deployed(after["service_name"])
    assert list(deployed.revisions) == [before["revision"], after["revision"]]
    assert deployed.serving() == {after["revision"]: 100}


def secrets_paths(google: "Google", *names: str) -> list[str]:
    """Secret Manager names its secrets by the project's number."""
    number = google.projects.number("sc-secure-tests")
    return [f"projects/{number}/secrets/{name}" for name in names]


def service_path(outputs: dict[str, Any]) -> str:
    return f"{PARENT}/services/{outputs['service_name']}"


def check_refusals_leave_the_old_revision(google: "Google", project: SecuredProject) -> None:
    """A closed gate, a tag, an unsigned image: nothing is made or changed, and the error says why."""
    outputs = project.stack_outputs()
    serving = google.deployed(outputs["service_name"]).serving()
    unsigned = push_image(project.environment, project.folder.parent, f"{project.registry}/other", CLEAN)
    google.requests.clear()

    project.write_app(content="version 3")
    project.configure("failOn", "high")
    refused(project.up(), "image-scan", "GHSA-2m57-hf25-phgg")
    project.configure("failOn", "critical")
    project.write_app(content="version 2")

    project.configure("image", f"{project.registry}/app:1")
    run = project.preview()
    refused(run, "SecuredCloudRunService: the arguments", "image: a digest reference is needed")
    assert "Traceback" not in run.text, run.text

    project.configure("image", unsigned)
    run = project.up()
    refused(run, "web-verify", "not by this key: signature")
    assert run.steps.get("web") != "update"
    project.configure("image", "")

    assert [call for call in google.calls() if not call.startswith("GET")] == []
    assert google.deployed(outputs["service_name"]).serving() == serving


def refused(run: Any, *said: str) -> None:
    assert run.code != 0, run.text
    assert all(each in run.text for each in said), run.text


def check_going_back_to_a_revision(google: "Google", project: SecuredProject) -> None:
    outputs = project.stack_outputs()
    name = outputs["service_name"]
    old = next(iter(google.deployed(name).revisions))
    back = [{"percent": 100, "revision": old}, {"percent": 0, "latest": True, "tag": "next"}]
    project.configure("more", json.dumps({"traffic": back}))
    run = project.up()
    assert run.code == 0, run.text
    assert {name for name, op in run.steps.items() if op == "update"} == {"web-verify", "web"}
    assert google.deployed(name).serving() == {old: 100}
    assert len(google.deployed(name).revisions) == 2
    project.configure("more", "{}")
    assert project.up().code == 0
    assert google.deployed(name).serving() == {outputs["revision"]: 100}


YAML = """
name: trial
runtime: yaml
resources:
  web:
    type: sc-secure:SecuredCloudRunService
    properties:
      image: IMAGE
      location: europe-west1
      verify: {key: cosign.pub}
      minInstances: 1
      deletionProtection: false
      secretVolumes:
        - {mountPath: /etc/tls, secret: tls, fileName: tls.pem, mode: 256}
      livenessProbe: {kind: grpc, periodSeconds: 30}
      sidecars:
        - {name: proxy, image: SIDECAR, cpu: "0.5", dependsOn: [app]}
      invokers: {shop: "group:shop@example.com"}
outputs:
  url: ${web.url}
  image: ${web.image}
  service_name: ${web.serviceName}
  service_account_email: ${web.serviceAccountEmail}
"""


def test_from_yaml(new_project: NewProject, google: "Google", plugin: Path) -> None:
    """Across the provider boundary: arguments, outputs, secrets of other resources, and each container's gate."""
    project = new_project()
    (project.folder / "__main__.py").unlink()
    project.environment |= google.environment | {"PATH": f"{plugin}:{project.environment['PATH']}"}
    call(google, "secrets?secretId=tls", {"replication": {"automatic": {}}})
    call(google, "secrets/tls:addVersion", {"payload": {"data": "cGVt"}})
    image, sidecar = (
        push_image(project.environment, project.folder.parent, f"{project.registry}/{name}", CLEAN)
        for name in ("app", "proxy")
    )
    sign(project, image)
    project.write("Pulumi.yaml", YAML.replace("IMAGE", image).replace("SIDECAR", sidecar))
    refused(project.up(), "web-verify-proxy", "not by this key: signature")
    assert google.cloud_run.services == {}

    sign(project, sidecar)
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert outputs["image"] == image
    service = stored(google, project)
    app, proxy = service["template"]["containers"]
    assert service["template"]["scaling"]["min_instance_count"] == 1
    assert app["liveness_probe"]["grpc"] == {"port": 8080}
    assert (proxy["image"], proxy["depends_on"]) == (sidecar, ["app"])
    (volume,) = service["template"]["volumes"]
    assert volume["secret"] == {"secret": "tls", "items": [{"path": "tls.pem", "version": "latest", "mode": 256}]}
    assert app["volume_mounts"] == [{"name": volume["name"], "mount_path": "/etc/tls"}]
    account = f"serviceAccount:{outputs['service_account_email']}"
    accessor = {"roles/secretmanager.secretAccessor": [account]}
    assert rights(google.secret_policies, *secrets_paths(google, "tls")) == [accessor]
    assert rights(google.service_policies, service_path(outputs)) == [{"roles/run.invoker": ["group:shop@example.com"]}]
    assert set(project.up().steps.values()) == {"same"}


def call(google: "Google", path: str, body: dict[str, Any]) -> None:
    """What somebody else has made in the project before."""
    headers = {"Authorization": "Bearer other", "Content-Type": "application/json"}
    url = f"{google.address}/v1/{PROJECT}/{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - http on loopback
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def sign(project: SecuredProject, image: str) -> None:
    words = ("image", "sign", "--image", image, "--key", "cosign.key", "--no-transparency-log")
    done = project.run("sc-secure", *words, "--password-env", "SIGNING_PASSWORD")
    assert done.returncode == 0, done.stderr


TRANSFORMED = """
import pulumi
import pulumi_gcp as gcp
from sc_secure import SecuredCloudRunService

def relabel(args):
    if args.type_ == "gcp:cloudrunv2/service:Service":
        return pulumi.ResourceTransformResult({**args.props, "labels": {"by": "transform"}}, args.opts)

elsewhere = gcp.Provider("elsewhere", project="other-project")
service = SecuredCloudRunService(
    "web",
    {
        "image": pulumi.Config().require("image"),
        "location": "europe-west4",
        "verify": {"key": "cosign.pub"},
        "invokers": {"shop": "group:shop@example.com"},
    },
    pulumi.ResourceOptions(provider=elsewhere, protect=True, transforms=[relabel]),
)
pulumi.export("service_name", service.service_name)
pulumi.export("email", service.service_account_email)
"""


def test_options_reach_the_children(new_project: NewProject, google: "Google") -> None:
    project = new_project(TRANSFORMED)
    project.environment |= google.environment
    image = push_image(project.environment, project.folder.parent, f"{project.registry}/app", CLEAN)
    sign(project, image)
    project.configure("image", image)
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    name = outputs["service_name"]
    deployed = google.deployed(name, "other-project", "europe-west4")
    assert deployed.service.labels["by"] == "transform"
    assert outputs["email"].endswith("@other-project.iam.gserviceaccount.com")
    path = f"projects/other-project/locations/europe-west4/services/{name}"
    assert rights(google.service_policies, path) == [{"roles/run.invoker": ["group:shop@example.com"]}]
    refused(project.destroy(), "protected")
    assert google.deployed(name, "other-project", "europe-west4").serving() == {deployed.latest_ready: 100}
