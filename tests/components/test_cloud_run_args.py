"""Arguments that Google wouldn't take: each is refused with its path and what is allowed, before anything is made."""

from typing import Any

import pulumi
import pytest

from sc_secure import SecuredCloudRunService
from tests.components.google import BASE, declared, google
from tests.components.mocked import REFERENCE, run

SIDECAR = {"name": "proxy", "image": REFERENCE}
SECRET = {"secret": "s"}
NUMBERS: list[tuple[dict[str, Any], str]] = [
    ({"port": 0}, "port: between 1 and 65535"),
    ({"port": 65536}, "port: between 1 and 65535"),
    ({"timeout_seconds": 3601}, "timeout_seconds: between 1 and 3600 seconds"),
    ({"concurrency": 1001}, "concurrency: between 1 and 1000"),
    ({"concurrency": 0}, "concurrency: between 1 and 1000"),
    ({"min_instances": -1}, "min_instances: between 0 and"),
    ({"max_instances": 0}, "max_instances: between 1 and"),
    ({"min_instances": 101}, "min_instances: more than max_instances, which is 100"),
    ({"cpu": "3"}, "cpu: between 0.08 and 1 (in steps of 0.001), or one of 2, 4, 6, 8"),
    ({"cpu": "1500m"}, "cpu: between 0.08 and 1"),
    ({"cpu": "0.07"}, "cpu: between 0.08 and 1"),
    ({"cpu": "one"}, "cpu: between 0.08 and 1"),
    ({"memory": "512"}, "memory: a number with Mi, Gi, M or G is needed"),
    ({"memory": "5Gi"}, "memory: between 128Mi and 4Gi with 1 CPU"),
    ({"cpu": "2", "memory": "9Gi"}, "memory: between 128Mi and 8Gi with 2 CPUs"),
    ({"cpu": "4", "memory": "1Gi"}, "memory: between 2Gi and 16Gi with 4 CPUs"),
    ({"cpu": "6", "memory": "3Gi"}, "memory: between 4Gi and 24Gi with 6 CPUs"),
    ({"cpu": "8", "memory": "33Gi"}, "memory: between 4Gi and 32Gi with 8 CPUs"),
    (
        {"memory": "256Mi"},
        "memory: at least 512Mi in EXECUTION_ENVIRONMENT_GEN2, the default; EXECUTION_ENVIRONMENT_GEN1",
    ),
    (
        {"memory": "64Mi", "execution_environment": "EXECUTION_ENVIRONMENT_GEN1"},
        "memory: between 128Mi and 4Gi with 1 CPU\n",
    ),
    (
        {"cpu": "0.5", "memory": "64Mi", "execution_environment": "EXECUTION_ENVIRONMENT_GEN1"},
        "memory: at least 128Mi\n",
    ),
    ({"cpu": "0.5"}, "execution_environment: below one CPU it has to be EXECUTION_ENVIRONMENT_GEN1"),
    ({"cpu": "0.5", "concurrency": 2}, "concurrency: below one CPU it has to be 1"),
    ({"cpu": "0.5", "cpu_idle": False}, "cpu_idle: below one CPU it has to be on"),
    ({"cpu": "0.1", "memory": "600Mi"}, "memory: at most 512Mi with 0.1 CPU"),
    (
        {"cpu_idle": False, "memory": "256Mi", "execution_environment": "EXECUTION_ENVIRONMENT_GEN1"},
        "cpu_idle: without idle CPU an instance has at least 512Mi",
    ),
    ({"execution_environment": "GEN2"}, "execution_environment: one of EXECUTION_ENVIRONMENT_GEN1"),
    ({"cpu": "8", "memory": "4Gi", "sidecars": [SIDECAR]}, "cpu: at most 8 for all containers together"),
    ({"cpu": "8", "memory": "32Gi", "sidecars": [SIDECAR]}, "memory: at most 32Gi for all containers together"),
    ({"sidecars": [{**SIDECAR, "cpu": "0.5", "memory": "2Gi"}]}, "sidecars[0].memory: at most 1Gi with 0.5 CPU"),
    ({"sidecars": [{**SIDECAR, "cpu": "3"}]}, "sidecars[0].cpu: between 0.08 and 1"),
]
NAMES: list[tuple[dict[str, Any], str]] = [
    ({"location": "Europe"}, "location: a region's name is needed"),
    ({"service_name": "Web"}, "service_name: at most 49 lower-case letters"),
    ({"service_name": "w" * 50}, "service_name: at most 49 lower-case letters"),
    ({"service_name": "web-"}, "service_name: at most 49 lower-case letters"),
    ({"description": "d" * 513}, "description: at most 512 characters"),
    ({"labels": {"Team": "a"}}, "labels.Team: a key is at most 63 lower-case letters"),
    ({"labels": {"team": "A b"}}, "labels.team: a value is at most 63 lower-case letters"),
    ({"labels": {f"l{number}": "" for number in range(65)}}, "labels: at most 64"),
    ({"annotations": {"run.googleapis.com/x": ""}}, "annotations.run.googleapis.com/x: Google keeps this namespace"),
    ({"ingress": "all"}, "ingress: one of INGRESS_TRAFFIC_ALL"),
    ({"service_account": "me@example.com"}, "service_account: the e-mail address of a service account"),
    ({"encryption_key": "my-key"}, "encryption_key: a key's full name is needed"),
    ({"image": "registry.example/app:1"}, "image: a digest reference is needed"),
    ({"verify": None}, "verify: missing: say who must have signed"),
    ({"verify": {}}, "verify.key: missing: say who must have signed"),
    ({"invokers": {"all": "allUsers"}}, "invokers.all: allUsers is everybody"),
    ({"invokers": {"all": "allAuthenticatedUsers"}}, "invokers.all: allAuthenticatedUsers is everybody"),
    ({"invokers": {"me": "me@example.com"}}, "invokers.me: an IAM member is needed"),
]
CONTAINERS: list[tuple[dict[str, Any], str]] = [
    ({"environment": {"PORT": "1"}}, "environment.PORT: Cloud Run sets this variable itself"),
    ({"environment": {"K_SERVICE": "1"}}, "environment.K_SERVICE: Cloud Run sets"),
    ({"environment": {"A=B": "1"}}, "environment.A=B: a variable's name isn't empty, has no ="),
    ({"environment": {"X_GOOGLE_A": "1"}}, "environment.X_GOOGLE_A: a variable's name"),
    ({"environment": {"A": "x" * 32769}}, "environment.A: at most 32768 bytes"),
    ({"environment": {f"V{number}": "" for number in range(1001)}}, "environment: at most 1000 variables"),
    ({"environment": {"A": ""}, "secrets": {"A": SECRET}}, "secrets.A: is in environment too"),
    ({"secrets": {"A": {"secret": "s/versions/3"}}}, "secrets.A.secret: a secret's id is needed"),
    ({"secrets": {"A": {"secret": "s", "version": "0"}}}, "secrets.A.version: a number, an alias or latest"),
    ({"args": ["x"] * 1001}, "args: at most 1000"),
    ({"working_directory": "srv"}, "working_directory: an absolute path"),
    ({"sidecars": [{**SIDECAR, "name": "Proxy"}]}, "sidecars[0].name: at most 63 lower-case letters"),
    ({"sidecars": [{**SIDECAR, "name": "app"}]}, "sidecars[0].name: another container is called app"),
    ({"sidecars": [SIDECAR, SIDECAR]}, "sidecars[1].name: another container is called proxy"),
    ({"sidecars": [{**SIDECAR, "name": f"s{n}", "cpu": "0.1"} for n in range(10)]}, "sidecars: at most 9"),
    ({"sidecars": [{**SIDECAR, "image": "proxy:1"}]}, "sidecars[0].image: a digest reference is needed"),
    ({"sidecars": [{**SIDECAR, "verify": {}}]}, "sidecars[0].verify.key: missing"),
    ({"sidecars": [{**SIDECAR, "port": 1}]}, "sidecars[0].port: unknown argument"),
    ({"depends_on": ["proxy"]}, "depends_on[0]: the name of another container: there is no other"),
    (
        {"sidecars": [{**SIDECAR, "depends_on": ["proxy"]}]},
        "sidecars[0].depends_on[0]: the name of another container: app",
    ),
    (
        {"depends_on": ["proxy"], "sidecars": [{**SIDECAR, "depends_on": ["app"]}]},
        "depends_on: app, proxy wait for one another",
    ),
]
PROBES: list[tuple[dict[str, Any], str]] = [
    ({"liveness_probe": {"kind": "tcp"}}, "liveness_probe.kind: one of http, grpc"),
    ({"startup_probe": {"kind": "exec"}}, "startup_probe.kind: one of http, grpc, tcp"),
    ({"startup_probe": {"kind": "tcp", "path": "/"}}, "startup_probe.path: belongs to a probe of the kind http"),
    ({"startup_probe": {"kind": "http", "service": "s"}}, "startup_probe.service: belongs to a probe of the kind grpc"),
    ({"startup_probe": {"kind": "http", "path": "x"}}, "startup_probe.path: a path starts with /"),
    ({"startup_probe": {"kind": "tcp", "port": 0}}, "startup_probe.port: between 1 and 65535"),
    ({"startup_probe": {"kind": "http"}, "http2": True}, "startup_probe.kind: Cloud Run probes by HTTP/1"),
    ({"startup_probe": {"kind": "tcp", "initial_delay_seconds": 241}}, "initial_delay_seconds: between 0 and 240"),
    ({"liveness_probe": {"kind": "http", "period_seconds": 3601}}, "liveness_probe.period_seconds: between 1 and 3600"),
    ({"startup_probe": {"kind": "tcp", "timeout_seconds": 11}}, "between 1 second and period_seconds, which is 10"),
    ({"startup_probe": {"kind": "tcp", "failure_threshold": 0}}, "startup_probe.failure_threshold: at least 1"),
    ({"startup_probe": {"kind": "tcp", "failure_threshold": 25}}, "is 250 seconds; at most 240"),
    ({"sidecars": [{**SIDECAR, "startup_probe": {"kind": "tcp"}}]}, "sidecars[0].startup_probe.port: missing"),
]
VOLUMES: list[tuple[dict[str, Any], str]] = [
    (
        {"secret_volumes": [{"mount_path": "etc", **SECRET}]},
        "secret_volumes[0].mount_path: an absolute path of a folder",
    ),
    ({"secret_volumes": [{"mount_path": "/", **SECRET}]}, "secret_volumes[0].mount_path: an absolute path of a folder"),
    ({"secret_volumes": [{"mount_path": "/a/../b", **SECRET}]}, "secret_volumes[0].mount_path: an absolute path"),
    ({"secret_volumes": [{"mount_path": "/a:b", **SECRET}]}, "secret_volumes[0].mount_path: an absolute path"),
    (
        {"secret_volumes": [{"mount_path": "/proc/x", **SECRET}]},
        "secret_volumes[0].mount_path: not in /dev, /proc, /sys",
    ),
    (
        {"secret_volumes": [{"mount_path": "/a", **SECRET}, {"mount_path": "/a/", **SECRET}]},
        "secret_volumes[1].mount_path: another volume is mounted there",
    ),
    (
        {"secret_volumes": [{"mount_path": "/a", **SECRET, "file_name": "../x"}]},
        "file_name: a file's name, without folders",
    ),
    ({"secret_volumes": [{"mount_path": "/a", **SECRET, "mode": 512}]}, "secret_volumes[0].mode: between 1 and 511"),
    ({"secret_volumes": [{"mount_path": "/a", "secret": "a b"}]}, "secret_volumes[0].secret: a secret's id is needed"),
    ({"memory_volumes": [{"name": "A", "mount_path": "/a"}]}, "memory_volumes[0].name: at most 56 lower-case letters"),
    (
        {"memory_volumes": [{"name": "a", "mount_path": "/a", "size_limit": "9"}]},
        "memory_volumes[0].size_limit: a number",
    ),
    (
        {
            "memory_volumes": [{"name": "a", "mount_path": "/a"}],
            "sidecars": [{**SIDECAR, "memory_volumes": [{"name": "a", "mount_path": "/a", "size_limit": "1Mi"}]}],
        },
        "sidecars[0].memory_volumes[0].size_limit: another container gives the volume a another one",
    ),
]
ROUTES: list[tuple[dict[str, Any], str]] = [
    ({"traffic": []}, "traffic: the percents add up to 0"),
    ({"traffic": [{"percent": 99, "latest": True}]}, "traffic: the percents add up to 99, and have to be 100"),
    ({"traffic": [{"percent": 100}]}, "traffic[0]: either latest: true or the name of a revision"),
    ({"traffic": [{"percent": 100, "latest": True, "revision": "r"}]}, "traffic[0]: either latest: true or"),
    ({"traffic": [{"percent": 100, "revision": "a/b"}]}, "traffic[0].revision: a revision's short name"),
    ({"traffic": [{"percent": 100, "latest": True}, {"percent": 0, "revision": "r"}]}, "traffic[1].percent: 0 is for"),
    ({"traffic": [{"percent": 100, "latest": True, "tag": "v1"}]}, "traffic[0].tag: at least 3 lower-case letters"),
    (
        {"traffic": [{"percent": 100, "latest": True, "tag": "t" * 36}]},
        "traffic[0].tag: with the service's name (11 characters) at most 46 characters",
    ),
    (
        {"traffic": [{"percent": part, "latest": True, "tag": "new"} for part in (40, 60)]},
        "traffic: the tag new is given more than once",
    ),
    ({"vpc": {}}, "vpc: a network or a subnetwork is needed, or a connector"),
    ({"vpc": {"network": "n", "egress": "all"}}, "vpc.egress: one of PRIVATE_RANGES_ONLY, ALL_TRAFFIC"),
    ({"vpc": {"network": "n", "tags": ["Web"]}}, "vpc.tags[0]: at most 63 lower-case letters"),
    ({"vpc": {"connector": "c"}}, "vpc.connector: a connector's id is needed"),
    (
        {"vpc": {"connector": "projects/p/locations/l/connectors/c", "network": "n"}},
        "vpc.network: excludes vpc.connector",
    ),
    ({"binary_authorization": {}}, "binary_authorization: either use_default: true or a policy"),
    ({"binary_authorization": {"use_default": True, "policy": "p"}}, "binary_authorization: either use_default"),
    ({"binary_authorization": {"use_default": False}}, "binary_authorization.use_default: true, or leave"),
    ({"binary_authorization": {"policy": "strict"}}, "binary_authorization.policy: a policy's full name"),
    (
        {"binary_authorization": {"use_default": True, "breakglass_justification": " "}},
        "binary_authorization.breakglass_justification: say why",
    ),
]
BAD = [*NUMBERS, *NAMES, *CONTAINERS, *PROBES, *VOLUMES, *ROUTES]


def refusal(args: dict[str, Any]) -> str:
    mocks = google()
    given = {key: value for key, value in (BASE | args).items() if value is not None}
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: SecuredCloudRunService("web", given).urn, mocks)  # type: ignore[arg-type]
    assert mocks.resources == {}
    return str(raised.value)


@pytest.mark.parametrize(("args", "said"), BAD, ids=[said[:60] for _, said in BAD])
def test_refused_before_anything_is_registered(args: dict[str, Any], said: str) -> None:
    refused = refusal(args) + "\n"
    assert refused.startswith("SecuredCloudRunService: the arguments aren't valid")
    assert f"  {said}" in refused or said in refused.split("\n")[1], refused


def test_every_problem_is_told_at_once() -> None:
    args = {
        "image": "app:1",
        "verify": {"key": "k", "attestations": ["none"]},
        "port": 0,
        "vpc": {},
        "sidecars": [{**SIDECAR, "image": "proxy:1"}],
        "traffic": [{"percent": 1, "latest": True}],
        "invokers": {"a": "allUsers", "b": "b"},
    }
    paths = [line.split(": ")[0].strip() for line in refusal(args).splitlines()[1:]]
    expected = ["image", "sidecars[0].image", "port", "vpc", "traffic", "invokers.a", "invokers.b"]
    assert paths == expected


GOOD: list[dict[str, Any]] = [
    {"cpu": "0.08", "memory": "512Mi", "execution_environment": "EXECUTION_ENVIRONMENT_GEN1", "concurrency": 1},
    {"cpu": "500m", "memory": "1Gi", "execution_environment": "EXECUTION_ENVIRONMENT_GEN1"},
    {"cpu": "8", "memory": "32Gi"},
    {"cpu": "4", "memory": "2Gi"},
    {"cpu": "1", "memory": "4G"},
    {"concurrency": 1000, "timeout_seconds": 3600, "port": 65535, "min_instances": 3, "max_instances": 3},
    {"cpu": "0.5", "sidecars": [{**SIDECAR, "cpu": "0.5"}], "concurrency": 80},
    {"startup_probe": {"kind": "http", "port": 9090}, "http2": True},
    {"startup_probe": {"kind": "tcp", "failure_threshold": 24}},
    {"liveness_probe": {"kind": "http", "period_seconds": 3600, "timeout_seconds": 3600}},
    {"traffic": [{"percent": 100, "revision": "r"}, {"percent": 0, "latest": True, "tag": "t" * 35}]},
    {"secret_volumes": [{"mount_path": "/processes", "secret": "s", "version": "prod", "mode": 1}]},
    {"labels": {"équipe": "à-1"}, "location": "us"},
    {"invokers": {"pool": "principalSet://iam.googleapis.com/projects/1/locations/global/x"}},
]


@pytest.mark.parametrize("args", GOOD, ids=str)
def test_what_google_takes_is_taken(args: dict[str, Any]) -> None:
    declared(**args)


def test_whole_floats_from_other_languages_are_whole_numbers() -> None:
    mocks = declared(port=8081.0, traffic=[{"percent": 100.0, "latest": True}])
    (service,) = [inputs for key, inputs in mocks.of("gcp:cloudrunv2").items() if key == "Service web"]
    assert repr(service["template"]["containers"][0]["ports"]["containerPort"]) in ("8081", "8081.0")
    assert service["template"]["containers"][0]["ports"]["containerPort"] == 8081
