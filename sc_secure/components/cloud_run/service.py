"""`SecuredCloudRunService`: verifies the images, then makes or changes a Cloud Run service that runs them by digest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from sc_secure.components._deployment import RANDOM_SUFFIX, DeployedImage, Deployment, deployed_image, physical_name
from sc_secure.components._google import cloud_name, members
from sc_secure.components._problems import Problems
from sc_secure.components._validate import validated
from sc_secure.components.cloud_run.args import SecuredCloudRunServiceArgs
from sc_secure.components.cloud_run.authorization import authorization_args, check_authorization
from sc_secure.components.cloud_run.compute import GENERATIONS, check_compute
from sc_secure.components.cloud_run.containers import check_containers, container_args
from sc_secure.components.cloud_run.instance import Container, containers_of
from sc_secure.components.cloud_run.limits import INGRESS, MAX_SERVICE_NAME, SERVICE_NAME, check_scaling, check_service
from sc_secure.components.cloud_run.network import check_vpc, vpc_args
from sc_secure.components.cloud_run.secrets import grant_access
from sc_secure.components.cloud_run.traffic import check_traffic, traffic_args
from sc_secure.components.cloud_run.volumes import volumes_of
from sc_secure.components.cloud_run.wholes import checked_wholes

COMPONENT = "SecuredCloudRunService"

DEFAULT_MAX_INSTANCES = 100
"""Google's own default: `RevisionScaling` of the Cloud Run Admin API v2."""

DEFAULT_TIMEOUT = 300
"""Seconds; Google's own default."""

MAX_ACCOUNT_ID = 30
"""Characters. https://cloud.google.com/iam/docs/service-accounts-create"""

INVOKER = "roles/run.invoker"


class SecuredCloudRunService(pulumi.ComponentResource):
    """A Cloud Run service whose images are verified just before it is made or changed, and run by digest.

    It runs as a service account of its own that may read exactly the secrets that it is given. Nobody may call it but
    those who are named, unless `allow_unauthenticated` says that anybody may.
    """

    url: pulumi.Output[str]
    """The service's address."""
    service_name: pulumi.Output[str]
    """The service's name."""
    revision: pulumi.Output[str]
    """The name of the newest revision that is ready: where `traffic` can send requests back to."""
    image: pulumi.Output[str]
    """The main container's image by digest, once it has been verified."""
    service_account_email: pulumi.Output[str]
    """The service account that the service runs as: grant it what else the service needs."""

    def __init__(self, name: str, args: SecuredCloudRunServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = checked_wholes(COMPONENT, validated(COMPONENT, SecuredCloudRunServiceArgs, args))
        plan = _planned(name, given)
        super().__init__("sc-secure:index:SecuredCloudRunService", name, {}, opts)
        breakglass = given.get("binary_authorization", {}).get("breakglass_justification")
        if breakglass is not None:
            said = (
                "binary_authorization.breakglass_justification: what Binary Authorization's policy forbids is deployed"
            )
            pulumi.log.warn(said, self)
        deployment = Deployment(name, plan.images, given, parent=self, opts=opts)
        self.image = deployment.image(plan.containers[0].verify_name(name))
        self.service_account_email, rights = _identity(name, given, plan.containers, deployment.child_opts)
        template = gcp.cloudrunv2.ServiceTemplateArgs(
            containers=[
                container_args(container, deployment.image(container.verify_name(name)), given)
                for container in plan.containers
            ],
            volumes=volumes_of(plan.containers) or None,
            service_account=self.service_account_email,
            scaling=gcp.cloudrunv2.ServiceTemplateScalingArgs(
                min_instance_count=given.get("min_instances", 0),
                max_instance_count=given.get("max_instances", DEFAULT_MAX_INSTANCES),
            ),
            max_instance_request_concurrency=given.get("concurrency"),
            timeout=f"{given.get('timeout_seconds', DEFAULT_TIMEOUT)}s",
            execution_environment=given.get("execution_environment", GENERATIONS[1]),
            session_affinity=given.get("session_affinity"),
            vpc_access=vpc_args(given.get("vpc")),
            encryption_key=given.get("encryption_key"),
        )
        service = gcp.cloudrunv2.Service(
            name,
            name=plan.service_name,
            location=given["location"],
            project=given.get("project"),
            description=given.get("description"),
            labels=given.get("labels"),
            annotations=given.get("annotations"),
            ingress=given.get("ingress", INGRESS[0]),
            custom_audiences=given.get("custom_audiences"),
            binary_authorization=authorization_args(given.get("binary_authorization")),
            deletion_protection=given.get("deletion_protection", True),
            template=template,
            traffics=traffic_args(given.get("traffic")),
            opts=pulumi.ResourceOptions.merge(deployment.child_opts, pulumi.ResourceOptions(depends_on=rights)),
        )
        _admit(name, service, plan.invokers, deployment.child_opts)
        self.url = service.uri
        self.service_name = service.name
        self.revision = service.latest_ready_revision.apply(_short_name)
        self.register_outputs(
            {
                "url": self.url,
                "serviceName": self.service_name,
                "revision": self.revision,
                "image": self.image,
                "serviceAccountEmail": self.service_account_email,
            }
        )


@dataclass(frozen=True)
class _Plan:
    """The arguments, checked, with nothing registered yet."""

    service_name: str | None
    """None: Pulumi's automatic name will do."""
    containers: list[Container]
    images: dict[str, DeployedImage]
    """The name of what verifies an image -> the image."""
    invokers: dict[str, pulumi.Output[str]]
    """What a right is called -> who may call the service."""


def _planned(name: str, given: Mapping[str, Any]) -> _Plan:
    """Checks everything that is known when the program runs.

    Raises:
        InvalidArgs: every problem at once.
    """
    problems = Problems(COMPONENT)
    containers = containers_of(given)
    images = _images(problems, name, given, containers)
    check_service(problems, given)
    check_scaling(problems, given)
    check_compute(problems, given, containers)
    check_containers(problems, containers)
    check_vpc(problems, given.get("vpc"))
    check_authorization(problems, given.get("binary_authorization"))
    service_name = given.get("service_name", _service_name(name))
    name_length = len(service_name) if service_name else len(name) + RANDOM_SUFFIX
    check_traffic(problems, given.get("traffic"), name_length)
    invokers: dict[str, pulumi.Output[str]] = {}
    with problems.gathered():
        invokers = {
            f"invoker-{key}": who for key, who in members(COMPONENT, "invokers", given.get("invokers", {})).items()
        }
    if given.get("allow_unauthenticated"):
        invokers["public"] = pulumi.Output.from_input("allUsers")
    problems.stop_if_any()
    return _Plan(service_name, containers, images, invokers)


def _images(
    problems: Problems, name: str, given: Mapping[str, Any], containers: Sequence[Container]
) -> dict[str, DeployedImage]:
    """Each container's image: a sidecar's is verified as the service's unless it says otherwise."""
    images: dict[str, DeployedImage] = {}
    inherited = given.get("verify")
    for container in containers:
        verify, verify_name = container.given.get("verify", inherited), container.verify_name(name)
        with problems.gathered():
            images[verify_name] = deployed_image(COMPONENT, container.given["image"], verify, container.prefix)
        if container.main and verify_name not in images:
            inherited = {"enabled": False}  # what is wrong with the service's is said once
    return images


def _service_name(logical: str) -> str | None:
    """The service's name; None: Pulumi's automatic one will do."""
    if SERVICE_NAME.fullmatch(logical) and physical_name(logical, MAX_SERVICE_NAME) is None:
        return None
    return cloud_name(logical, MAX_SERVICE_NAME)


def _identity(
    name: str, given: Mapping[str, Any], containers: Sequence[Container], opts: pulumi.ResourceOptions
) -> tuple[pulumi.Output[str], list[gcp.secretmanager.SecretIamMember]]:
    """The e-mail address of the account that the service runs as, and its rights to read secrets."""
    email: pulumi.Output[str]
    if "service_account" in given:
        email = pulumi.Output.from_input(given["service_account"])
    else:
        email = gcp.serviceaccount.Account(
            f"{name}-account",
            account_id=cloud_name(name, MAX_ACCOUNT_ID),
            display_name=f"Cloud Run service {name}",
            project=given.get("project"),
            opts=opts,
        ).email
    if not given.get("grant_secret_access", "service_account" not in given):
        return email, []
    return email, grant_access(name, containers, email, given.get("project"), opts)


def _admit(
    name: str, service: gcp.cloudrunv2.Service, who: Mapping[str, pulumi.Output[str]], opts: pulumi.ResourceOptions
) -> None:
    """Declares the right of each to call the service."""
    for key, member in who.items():
        gcp.cloudrunv2.ServiceIamMember(
            f"{name}-{key}",
            name=service.name,
            location=service.location,
            project=service.project,
            role=INVOKER,
            member=member,
            opts=opts,
        )


def _short_name(revision: str) -> str:
    return revision.rpartition("/")[2]
