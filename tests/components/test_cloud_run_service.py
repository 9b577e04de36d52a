"""What `SecuredCloudRunService` declares: each resource with all of its inputs."""

import hashlib
from typing import Any

import pulumi
import pytest

from sc_secure import SecuredCloudRunService
from tests.components.google import BASE, EMAIL, declared, google, service_of
from tests.components.mocked import REFERENCE, run

OTHER = f"registry.example/team/proxy@sha256:{'b' * 64}"
KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"


def unique(logical: str) -> str:
    """The name that a resource gets where Pulumi makes none, in the project and stack of the mocks."""
    return f"{logical}-{hashlib.sha256(f'trial/dev/{logical}'.encode()).hexdigest()[:7]}"


def test_a_service_with_little_said() -> None:
    mocks = declared()
    assert mocks.of("gcp:") == {
        "Account web-account": {"accountId": unique("web"), "displayName": "Cloud Run service web"},
        "Service web": {
            "location": "europe-west1",
            "ingress": "INGRESS_TRAFFIC_ALL",
            "deletionProtection": True,
            "template": {
                "containers": [
                    {
                        "name": "app",
                        "image": REFERENCE,
                        "ports": {"name": "http1", "containerPort": 8080},
                        "resources": {
                            "limits": {"cpu": "1", "memory": "512Mi"},
                            "cpuIdle": True,
                            "startupCpuBoost": False,
                        },
                    }
                ],
                "serviceAccount": EMAIL,
                "scaling": {"minInstanceCount": 0, "maxInstanceCount": 100},
                "timeout": "300s",
                "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
            },
            "traffics": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
        },
    }
    verify = ".sc/bin/sc-secure image verify --image"
    assert mocks.commands() == {
        "web-verify": f"{verify} {REFERENCE} --key cosign.pub --no-transparency-log --output json"
    }


def test_a_service_with_everything_said() -> None:
    mocks = declared(
        project="b-project",
        service_name="shop",
        description="The shop",
        labels={"team": "shop"},
        annotations={"example.com/owner": "shop"},
        port=3000,
        http2=True,
        cpu="2",
        memory="4Gi",
        cpu_idle=False,
        startup_cpu_boost=True,
        execution_environment="EXECUTION_ENVIRONMENT_GEN1",
        min_instances=1,
        max_instances=7,
        concurrency=40,
        timeout_seconds=60,
        session_affinity=True,
        command=["/run"],
        args=["--fast"],
        working_directory="/srv",
        environment={"MODE": "live", "A": "1"},
        startup_probe={"kind": "grpc", "service": "shop", "period_seconds": 5, "failure_threshold": 20},
        liveness_probe={"kind": "http", "path": "/healthz", "port": 3001, "headers": {"X-Probe": "1"}},
        service_account=EMAIL,
        ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
        vpc={"network": "n", "subnetwork": "s", "tags": ["web"], "egress": "ALL_TRAFFIC"},
        custom_audiences=["https://shop.example"],
        encryption_key=KEY,
        traffic=[{"percent": 90, "revision": "shop-00001-abc"}, {"percent": 10, "latest": True, "tag": "next"}],
        binary_authorization={"use_default": True},
        deletion_protection=False,
    )
    assert mocks.of("gcp:") == {
        "Service web": {
            "name": "shop",
            "location": "europe-west1",
            "project": "b-project",
            "description": "The shop",
            "labels": {"team": "shop"},
            "annotations": {"example.com/owner": "shop"},
            "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY",
            "customAudiences": ["https://shop.example"],
            "binaryAuthorization": {"useDefault": True},
            "deletionProtection": False,
            "template": {
                "containers": [
                    {
                        "name": "app",
                        "image": REFERENCE,
                        "commands": ["/run"],
                        "args": ["--fast"],
                        "workingDir": "/srv",
                        "envs": [{"name": "A", "value": "1"}, {"name": "MODE", "value": "live"}],
                        "ports": {"name": "h2c", "containerPort": 3000},
                        "resources": {
                            "limits": {"cpu": "2", "memory": "4Gi"},
                            "cpuIdle": False,
                            "startupCpuBoost": True,
                        },
                        "startupProbe": {
                            "grpc": {"port": 3000, "service": "shop"},
                            "initialDelaySeconds": 0,
                            "periodSeconds": 5,
                            "timeoutSeconds": 1,
                            "failureThreshold": 20,
                        },
                        "livenessProbe": {
                            "httpGet": {
                                "path": "/healthz",
                                "port": 3001,
                                "httpHeaders": [{"name": "X-Probe", "value": "1"}],
                            },
                            "initialDelaySeconds": 0,
                            "periodSeconds": 10,
                            "timeoutSeconds": 1,
                            "failureThreshold": 3,
                        },
                    }
                ],
                "serviceAccount": EMAIL,
                "scaling": {"minInstanceCount": 1, "maxInstanceCount": 7},
                "maxInstanceRequestConcurrency": 40,
                "timeout": "60s",
                "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN1",
                "sessionAffinity": True,
                "vpcAccess": {
                    "egress": "ALL_TRAFFIC",
                    "networkInterfaces": [{"network": "n", "subnetwork": "s", "tags": ["web"]}],
                },
                "encryptionKey": KEY,
            },
            "traffics": [
                {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "shop-00001-abc", "percent": 90},
                {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 10, "tag": "next"},
            ],
        }
    }


def test_sidecars_have_a_gate_each_and_their_order_means_nothing() -> None:
    proxy = {
        "name": "proxy",
        "image": OTHER,
        "cpu": "0.5",
        "memory": "256Mi",
        "startup_probe": {"kind": "tcp", "port": 9000},
        "memory_volumes": [{"name": "socket", "mount_path": "/run/socket", "size_limit": "16Mi"}],
    }
    agent = {"name": "agent", "image": OTHER, "verify": {"key": "agent.pub"}, "depends_on": ["proxy"]}
    shared = [{"name": "socket", "mount_path": "/socket", "size_limit": "16Mi"}]
    mocks = declared(sidecars=[proxy, agent], memory_volumes=shared, depends_on=["proxy"])
    template = service_of(mocks)["template"]
    assert template["volumes"] == [{"name": "memory-socket", "emptyDir": {"medium": "MEMORY", "sizeLimit": "16Mi"}}]
    app, *sidecars = template["containers"]
    assert app["dependsOns"] == ["proxy"]
    assert app["volumeMounts"] == [{"name": "memory-socket", "mountPath": "/socket"}]
    assert sidecars == [
        {
            "name": "agent",
            "image": OTHER,
            "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "cpuIdle": True},
            "dependsOns": ["proxy"],
        },
        {
            "name": "proxy",
            "image": OTHER,
            "resources": {"limits": {"cpu": "0.5", "memory": "256Mi"}, "cpuIdle": True},
            "volumeMounts": [{"name": "memory-socket", "mountPath": "/run/socket"}],
            "startupProbe": {
                "tcpSocket": {"port": 9000},
                "initialDelaySeconds": 0,
                "periodSeconds": 10,
                "timeoutSeconds": 1,
                "failureThreshold": 3,
            },
        },
    ]
    commands = mocks.commands()
    assert set(commands) == {"web-verify", "web-verify-agent", "web-verify-proxy"}
    assert f"--image {OTHER} --key agent.pub" in commands["web-verify-agent"]
    assert f"--image {OTHER} --key cosign.pub" in commands["web-verify-proxy"]
    other_order = declared(sidecars=[agent, proxy], memory_volumes=shared, depends_on=["proxy"])
    assert service_of(other_order) == service_of(mocks)


def test_secrets_are_readable_by_the_account_and_no_others() -> None:
    mocks = declared(
        environment={"MODE": "live"},
        secrets={
            "TOKEN": {"secret": "token"},
            "KEY": {"secret": "projects/other/secrets/key", "version": "3"},
            "AGAIN": {"secret": "token", "version": "2"},
        },
        secret_volumes=[{"mount_path": "/etc/tls", "secret": "tls", "file_name": "tls.pem", "mode": 0o400}],
        sidecars=[
            {"name": "proxy", "image": OTHER, "secret_volumes": [{"mount_path": "/etc/tls", "secret": "tls"}]},
        ],
    )
    template = service_of(mocks)["template"]

    def reference(secret: str, version: str) -> dict[str, Any]:
        return {"secretKeyRef": {"secret": secret, "version": version}}

    app, proxy = template["containers"]
    assert app["envs"] == [
        {"name": "AGAIN", "valueSource": reference("token", "2")},
        {"name": "KEY", "valueSource": reference("projects/other/secrets/key", "3")},
        {"name": "MODE", "value": "live"},
        {"name": "TOKEN", "valueSource": reference("token", "latest")},
    ]
    items = {"tls.pem": {"path": "tls.pem", "version": "latest", "mode": 0o400}}
    items["value"] = {"path": "value", "version": "latest", "mode": 0o444}
    mounted = {mount["name"]: mount["mountPath"] for each in (app, proxy) for mount in each["volumeMounts"]}
    assert list(mounted.values()) == ["/etc/tls", "/etc/tls"]
    assert {volume["name"] for volume in template["volumes"]} == set(mounted)
    sources = sorted((volume["secret"] for volume in template["volumes"]), key=lambda it: it["items"][0]["path"])
    assert sources == [{"secret": "tls", "items": [items["tls.pem"]]}, {"secret": "tls", "items": [items["value"]]}]

    assert mocks.of("gcp:secretmanager") == {
        f"SecretIamMember web-secret-{label}": {
            "secretId": secret,
            "role": "roles/secretmanager.secretAccessor",
            "member": f"serviceAccount:{EMAIL}",
        }
        for label, secret in {"token": "token", "tls": "tls", "other-key": "projects/other/secrets/key"}.items()
    }


def test_secrets_of_other_resources_and_of_another_project() -> None:
    shared = pulumi.Output.from_input("made-here")
    secrets = {
        "A": {"secret": shared},
        "B": {"secret": shared},
        "C": {"secret": pulumi.Output.from_input("projects/p/secrets/c")},
        "D": {"secret": "named"},
    }
    rights = declared(project="b-project", secrets=secrets).of("gcp:secretmanager")
    assert {name.split()[1]: inputs["secretId"] for name, inputs in rights.items()} == {
        "web-secret-of-app-A": "projects/b-project/secrets/made-here",
        "web-secret-of-app-C": "projects/p/secrets/c",
        "web-secret-named": "projects/b-project/secrets/named",
    }


def test_a_given_account_gets_rights_only_when_asked() -> None:
    secrets = {"TOKEN": {"secret": "token"}}
    given = declared(service_account=EMAIL, secrets=secrets)
    assert set(given.of("gcp:")) == {"Service web"}
    asked = declared(service_account=EMAIL, secrets=secrets, grant_secret_access=True)
    assert set(asked.of("gcp:")) == {"Service web", "SecretIamMember web-secret-token"}
    own = declared(secrets=secrets, grant_secret_access=False)
    assert set(own.of("gcp:")) == {"Service web", "Account web-account"}


def test_only_who_is_named_may_call() -> None:
    member = pulumi.Output.from_input("serviceAccount:caller@p.iam.gserviceaccount.com")
    mocks = declared(invokers={"shop": member, "staff": "group:staff@example.com"}, allow_unauthenticated=True)
    right = {"name": "web-1234567", "location": "europe-west1", "project": "a-project", "role": "roles/run.invoker"}
    rights = {name: inputs for name, inputs in mocks.of("gcp:cloudrunv2").items() if "Iam" in name}
    assert rights == {
        "ServiceIamMember web-invoker-shop": right | {"member": "serviceAccount:caller@p.iam.gserviceaccount.com"},
        "ServiceIamMember web-invoker-staff": right | {"member": "group:staff@example.com"},
        "ServiceIamMember web-public": right | {"member": "allUsers"},
    }


def test_everybody_is_no_invoker_even_when_known_late() -> None:
    with pytest.raises(pulumi.RunError, match=r"invokers\.them: allUsers is everybody"):
        declared(invokers={"them": pulumi.Output.from_input("allUsers")})


@pytest.mark.parametrize("answer", [None, "", "not a result"])
@pytest.mark.parametrize("closed", ["web-verify", "web-verify-proxy"])
def test_a_closed_gate_declares_nothing(closed: str, answer: str | None) -> None:
    mocks = google({closed: answer})
    with pytest.raises(pulumi.RunError, match=closed):
        declared(
            mocks=mocks,
            sidecars=[{"name": "proxy", "image": OTHER}],
            secrets={"TOKEN": {"secret": "token"}},
            allow_unauthenticated=True,
        )
    assert mocks.of("gcp:") == {}


def test_verifying_switched_off_is_warned_of_and_deploys_by_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, _resource: warned.append(message))
    mocks = declared(verify={"enabled": False}, preview=True)
    assert mocks.commands() == {}
    assert service_of(mocks)["template"]["containers"][0]["image"] == REFERENCE
    assert warned == ["image: verifying is switched off: what has a digest is deployed, whoever signed it"]


def test_a_breakglass_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, _resource: warned.append(message))
    policy = "projects/p/platforms/cloudRun/strict"
    mocks = declared(binary_authorization={"policy": policy, "breakglass_justification": "outage 12"}, preview=True)
    assert service_of(mocks)["binaryAuthorization"] == {"policy": policy, "breakglassJustification": "outage 12"}
    assert len(warned) == 1
    assert "breakglass" in warned[0]


def test_outputs() -> None:
    def program() -> pulumi.Output[Any]:
        service = SecuredCloudRunService("web", BASE)  # type: ignore[arg-type]
        names = ("url", "service_name", "revision", "image", "service_account_email")
        return pulumi.Output.all(**{name: getattr(service, name) for name in names})

    assert run(program, google()) == {
        "url": "https://web-1234567-ab12cd34ef-ew.a.run.app",
        "service_name": "web-1234567",
        "revision": "web-1234567-00001-abc",
        "image": REFERENCE,
        "service_account_email": EMAIL,
    }


@pytest.mark.parametrize(
    ("logical", "name"),
    [
        ("web", None),
        ("Web", "web-HASH"),
        ("a" * 41, None),
        ("a" * 42, f"{'a' * 41}-HASH"),
        ("my_web.app", "my-web-app-HASH"),
        ("2nd", "snd-HASH"),
    ],
)
def test_names_are_such_as_google_takes(logical: str, name: str | None) -> None:
    assert service_of(declared(logical)).get("name") == (name and name.replace("HASH", unique(logical)[-7:]))


def test_account_names_stay_within_30_characters() -> None:
    accounts = declared("A_name-longer-than-an-account-may-be").of("gcp:serviceaccount").values()
    assert [account["accountId"] for account in accounts] == [
        f"a-name-longer-than-an--{unique('A_name-longer-than-an-account-may-be')[-7:]}"
    ]


def test_a_change_of_anything_verifies_again() -> None:
    def deployment(**args: Any) -> str:
        _, inputs = declared(**args).resources["command:local:Command::web-verify"]
        return inputs["environment"]["SC_SECURE_DEPLOYMENT"]

    assert deployment() == deployment()
    assert len({deployment(), deployment(port=8081), deployment(environment={"A": "1"})}) == 3
