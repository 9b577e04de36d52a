"""What the fake Cloud Run refuses and what it takes, told to it by Google's own client library."""

from typing import Any

import pytest
from google.api_core import exceptions

from tests.clouds.google.server import PROJECT, Google
from tests.clouds.google_client import LATEST, PARENT, container, create, run, template

HTTP = {"http_get": {"path": "/"}}


def limits(cpu: str = "1", memory: str = "512Mi", **changes: Any) -> dict[str, Any]:
    return container(resources={"limits": {"cpu": cpu, "memory": memory}, "cpu_idle": True} | changes)


def environment(*variables: dict[str, Any]) -> dict[str, Any]:
    return template(container(env=list(variables)))


def startup(**changes: Any) -> dict[str, Any]:
    return template(container(startup_probe=HTTP | changes))


def liveness(**changes: Any) -> dict[str, Any]:
    return template(container(liveness_probe=HTTP | changes))


def mounted(path: str, *more: dict[str, Any], volume: str = "keys") -> dict[str, Any]:
    mount = {"name": volume, "mount_path": path}
    return template(container(volume_mounts=[mount, *more]), volumes=[{"name": "keys", "secret": {"secret": "keys"}}])


def traffic(*targets: dict[str, Any]) -> dict[str, Any]:
    return template() | {"traffic": list(targets)}


def network(**access: Any) -> dict[str, Any]:
    return template(vpc_access=access)


def sidecar(**changes: Any) -> dict[str, Any]:
    return template(container(ports=[{"container_port": 8080}]), container(**changes))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no template": ({}, "service.template: should be set"),
    "no container": ({"template": {"containers": []}}, "must contain at least one container"),
    "eleven containers": (template(*[container(name=f"c{n}") for n in range(11)]), "at most 10 containers"),
    "no image": (template({"name": "app"}), r"containers\[0\].image: must provide an image name"),
    "image in upper case": (template({"image": "Host/App"}), "must be a container image path in the form"),
    "container's name": (template(container(name="My_App")), "must conform to RFC 1123"),
    "two containers of a name": (
        template(container(name="app", ports=[{}]), container(name="app")),
        "has duplicate container names: app",
    ),
    "sidecar without a serving container": (
        template(container(), container()),
        "exactly one container with an exposed",
    ),
    "two ports": (template(container(ports=[{"container_port": 1}, {"container_port": 2}])), "0 or 1 port"),
    "port": (template(container(ports=[{"container_port": 65536}])), "between 1 and 65535"),
    "port's name": (template(container(ports=[{"name": "http2"}])), "'http1' or 'h2c'"),
    "cpu between": (template(limits(cpu="1.5")), r"Must be equal to one of \[.08-1\], 1.0, 2.0"),
    "three cpus": (template(limits(cpu="3")), "Must be equal to one of"),
    "cpu below all": (template(limits(cpu="0.07")), "Must be equal to one of"),
    "cpu in thousandths": (template(limits(cpu="0.505")), "Must be equal to one of"),
    "cpu in words": (template(limits(cpu="one")), "limits.cpu: Could not parse Quantity"),
    "memory in MB": (template(limits(memory="512MB")), "limits.memory: Could not parse Quantity"),
    "another limit": (template(container(resources={"limits": {"disk": "1"}})), "limits are supported"),
    "memory for 1 cpu": (
        template(limits(memory="4097Mi")),
        "For 1.0 CPU, memory must be between 128Mi and 4Gi inclusive",
    ),
    "memory for 2 cpus": (template(limits("2", "9Gi")), "For 2.0 CPU, memory must be between 128Mi and 8Gi"),
    "memory for 4 cpus": (template(limits("4", "1Gi")), "For 4.0 CPU, memory must be between 2Gi and 16Gi"),
    "memory for 6 cpus": (template(limits("6", "2Gi")), "For 6.0 CPU, memory must be between 4Gi and 24Gi"),
    "memory for 8 cpus": (template(limits("8", "33Gi")), "For 8.0 CPU, memory must be between 4Gi and 32Gi"),
    "memory for a part of a cpu": (template(limits("0.4", "1Gi")), "For 0.4 CPU, memory must be between"),
    "part of a cpu, concurrent": (
        template(limits("0.5"), max_instance_request_concurrency=2),
        "Total cpu < 1 is not supported with concurrency > 1",
    ),
    "part of a cpu, always": (template(limits("0.5", cpu_idle=False)), "not supported with cpu always allocated"),
    "part of a cpu, gen2": (
        template(limits("0.5"), execution_environment="EXECUTION_ENVIRONMENT_GEN2"),
        "Total cpu < 1 is not supported with gen2",
    ),
    "little memory, gen2": (
        template(limits(memory="256Mi"), execution_environment="EXECUTION_ENVIRONMENT_GEN2"),
        "Total memory < 512 Mi is not supported with gen2",
    ),
    "little memory, always": (template(limits(memory="256Mi", cpu_idle=False)), "Total memory < 512 Mi"),
    "concurrency": (template(max_instance_request_concurrency=1001), "Must be a number between 0 and 1000"),
    "timeout": (template(timeout="3601s"), "template.timeout: maximum allowed time is one hour"),
    "negative scaling": (template(scaling={"min_instance_count": -1}), "greater than or equal to zero"),
    "scaling upside down": (
        template(scaling={"min_instance_count": 3, "max_instance_count": 2}),
        "must be greater than or equal to min_instance_count",
    ),
    "reserved variable": (
        environment({"name": "PORT", "value": "1"}, {"name": "K_SERVICE", "value": "a"}),
        r"containers\[0\].env: The following reserved env names were provided: PORT, K_SERVICE.",
    ),
    "variable's prefix": (environment({"name": "X_GOOGLE_A", "value": "a"}), "start with X_GOOGLE_"),
    "variable's sign": (environment({"name": "A=B", "value": "a"}), "contain '='"),
    "two variables of a name": (environment({"name": "A", "value": "1"}, {"name": "A", "value": "2"}), "duplicate"),
    "long variable": (environment({"name": "A", "value": "a" * 32769}), "length cannot exceed 32768"),
    "many variables": (
        environment(*({"name": f"A{n}", "value": "a"} for n in range(1001))),
        "limit on EnvVars across all containers",
    ),
    "secret's name": (
        environment({"name": "A", "value_source": {"secret_key_ref": {"secret": "a/b", "version": "1"}}}),
        r"secret_key_ref.secret: may only be \{secret_name\} or",
    ),
    "secret without a version": (
        environment({"name": "A", "value_source": {"secret_key_ref": {"secret": "a"}}}),
        "secret_key_ref.version: should have only alphanumeric",
    ),
    "probe of nothing": (template(container(startup_probe={"period_seconds": 5})), "Exactly one probe action"),
    "liveness by TCP": (template(container(liveness_probe={"tcp_socket": {}})), "does not support TCP socket"),
    "slow start-up probe": (startup(period_seconds=241), "period_seconds must be a number between 0 and 240"),
    "slow liveness probe": (liveness(period_seconds=3601), "period_seconds must be a number between 0 and 3600"),
    "late start-up probe": (startup(initial_delay_seconds=241), "initial_delay_seconds must be a number between"),
    "probe longer than its period": (startup(timeout_seconds=11), "must not be greater than period_seconds"),
    "probe's failures": (liveness(failure_threshold=-1), "Must be a positive number if set"),
    "probe's port": (template(container(startup_probe={"grpc": {"port": 70000}})), "if specified, must be between"),
    "probe's header": (
        startup(http_get={"http_headers": [{"name": "a b", "value": "c"}]}),
        "a valid HTTP header must consist of",
    ),
    "relative mount": (mounted("keys"), "must be a valid unix absolute path"),
    "mount with a colon": (mounted("/a:b"), "must be a valid unix absolute path"),
    "mount in /proc": (mounted("/proc/keys"), "in one of disallowed mount points"),
    "mount twice": (mounted("/keys", {"name": "keys", "mount_path": "/keys"}), "mounted more than once"),
    "mount of nothing": (mounted("/keys", volume="kyes"), r"\[kyes\] which were not found in volumes list"),
    "volume not mounted": (template(volumes=[{"name": "keys", "secret": {"secret": "keys"}}]), "is not mounted by any"),
    "file's mode": (
        template(
            container(volume_mounts=[{"name": "keys", "mount_path": "/keys"}]),
            volumes=[{"name": "keys", "secret": {"secret": "keys", "default_mode": 0o1777}}],
        ),
        "must be a supported unix chmod bitmask",
    ),
    "file without a version": (
        template(
            container(volume_mounts=[{"name": "keys", "mount_path": "/keys"}]),
            volumes=[{"name": "keys", "secret": {"secret": "keys", "items": [{"path": "key"}]}}],
        ),
        r"items\[0\].version: should have only alphanumeric",
    ),
    "service account": (template(service_account="app"), "Unsupported service account"),
    "key": (template(encryption_key="key"), "encryption_key: must conform to"),
    "two ways to a network": (
        network(connector=f"{PARENT}/connectors/a", network_interfaces=[{"network": "a"}]),
        "one and only one of connector and network_interfaces must be set",
    ),
    "no way to a network": (network(egress="ALL_TRAFFIC"), "one and only one of connector"),
    "connector": (network(connector="a"), "connector: must be in form projects/"),
    "interface of nothing": (network(network_interfaces=[{}]), "at least one of network or subnetwork"),
    "unknown dependency": (sidecar(name="b", depends_on=["nobody"]), "container nobody does not exist"),
    "revision of another service": (
        template(revision="other-1"),
        "must be prefixed by the name of the enclosing Service",
    ),
    "label": (template() | {"labels": {"Team": "a"}}, "Label keys must start with a lowercase letter"),
    "label's value": (template(labels={"team": "A"}), "Label values can contain only lowercase"),
    "many labels": (template() | {"labels": {f"a{n}": "" for n in range(65)}}, "at most 64 labels"),
    "system annotation": (
        template() | {"annotations": {"run.googleapis.com/ingress": "all"}},
        "system annotations are not supported",
    ),
    "launch stage": (template() | {"launch_stage": "EARLY_ACCESS"}, "only ALPHA, BETA, GA, or unspecified"),
    "description": (template() | {"description": "a" * 513}, "at most 512 characters"),
    "ingress": (template() | {"ingress": 9}, "Invalid value at 'service.ingress'"),
    "binary authorization of nothing": (template() | {"binary_authorization": {}}, "one of use_default and policy"),
    "breakglass without a policy": (
        template() | {"binary_authorization": {"use_default": False, "breakglass_justification": "urgent"}},
        "must be empty unless use_default is true",
    ),
    "traffic's sum": (traffic(LATEST | {"percent": 99}), "the sum of percent is 99, but should be 100"),
    "traffic's share": (traffic(LATEST | {"percent": 101}), "percent: must be a number between 0 and 100"),
    "traffic's revision": (traffic(LATEST | {"percent": 100, "revision": "app-1"}), "if and only if traffic type"),
    "traffic's tags": (
        traffic(LATEST | {"percent": 100, "tag": "a"}, LATEST | {"tag": "a"}),
        "may not contain a duplicate tag: a",
    ),
    "traffic to nobody": (
        traffic({"type_": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "app-9", "percent": 100}),
        "Revision named 'app-9' was not found",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_cloud_run_refuses(case: str, cloud_run: Any, google: Google) -> None:
    service, message = REFUSED[case]
    with pytest.raises(exceptions.BadRequest, match=message) as error:
        create(cloud_run, service)
    assert error.value.details or "traffic" in message
    assert not google.cloud_run.services


ACCEPTED: dict[str, dict[str, Any]] = {
    "as little as possible": template(),
    "a part of a cpu": template(limits("0.08", "128Mi")),
    "as much as possible": template(limits("8", "32Gi")),
    "in thousandths": template(limits("4000m", "2Gi")),
    "sidecar on a part of a cpu": template(
        container(name="app", ports=[{}]), limits("0.2", "64Mi") | {"name": "proxy", "depends_on": ["app"]}
    ),
    "tag and digest": template({"image": f"ghcr.io/a/b:v1@sha256:{'b' * 64}"}),
    "port in the registry's address": template({"image": f"127.0.0.1:5000/a/b@sha256:{'b' * 64}"}),
    "policy": template() | {"binary_authorization": {"policy": f"projects/{PROJECT}/platforms/cloudRun/strict"}},
    "longest probes": template(
        container(
            startup_probe={"tcp_socket": {}, "period_seconds": 240, "timeout_seconds": 240},
            liveness_probe={"grpc": {}, "period_seconds": 3600, "timeout_seconds": 3600},
        )
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_cloud_run_accepts(case: str, cloud_run: Any) -> None:
    assert create(cloud_run, ACCEPTED[case]).terminal_condition.state == run.Condition.State.CONDITION_SUCCEEDED


@pytest.mark.parametrize("name", ["App", "1app", "app-", "a" * 50, "", "a.b"])
def test_cloud_run_refuses_a_name(name: str, cloud_run: Any) -> None:
    with pytest.raises(exceptions.ClientError, match=r"must be less than 50 characters"):
        create(cloud_run, template(), name)
