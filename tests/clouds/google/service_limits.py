"""The limits of a Cloud Run service and its revision template, apart from those of one container.

https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services and …/RevisionTemplate. A check tells
what is wrong as those of `container_limits` do.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.clouds.google import container_limits, resource_limits
from tests.clouds.google.container_limits import DNS_LABEL, Problems, mode_bits, secret_reference, secret_version
from tests.clouds.google.errors import invalid
from tests.clouds.google.labels import check_labels

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_MOST_NAME = 49
_MOST_REVISION_NAME = 63
_MOST_DESCRIPTION = 512
_MOST_CONTAINERS = 10  # https://cloud.google.com/run/docs/deploying#sidecars
_MOST_CONCURRENCY = 1000
_MOST_TIMEOUT = 3600
_ALL_TRAFFIC = 100
_LATEST, _REVISION = 1, 2
_SYSTEM = ("run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev")
_ACCOUNT = re.compile(r"[^@\s]+@[^@\s]+\.gserviceaccount\.com")
_KEY = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")
_CONNECTOR = re.compile(r"projects/[^/]+/locations/[^/]+/connectors/[^/]+")
_POLICY = re.compile(r"projects/[^/]+/platforms/cloudRun/(policies/)?[^/]+")
_TAG = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_MOST_TAG = 46  # https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration#tags
_STAGES = ("LAUNCH_STAGE_UNSPECIFIED", "ALPHA", "BETA", "GA")
_BELOW_SERVICE = "service."


def check_service_id(service_id: str) -> None:
    """Refuse a name that a service can't have."""
    if not _NAME.fullmatch(service_id) or len(service_id) > _MOST_NAME:
        text = (
            "only lowercase, digits, and hyphens; must begin with letter, and cannot end with hyphen; "
            "must be less than 50 characters"
        )
        raise invalid(f"Violation in CreateServiceRequest.service_id: {text}", "service_id")


def check_service(service: Any, service_id: str, request: str) -> None:
    """Refuse what Cloud Run refuses, with the first thing that is wrong. `request` is `CreateServiceRequest`, say."""
    if not service.HasField("template"):
        raise invalid(f"Violation in {request}.service.template: should be set.", "service.template")
    for path, labels in (("service.labels", service.labels), ("service.template.labels", service.template.labels)):
        _no_system_keys(labels, path, "labels")
        check_labels(labels, path)
    annotations = (service.annotations, service.template.annotations)
    for path, each in zip(("service.annotations", "service.template.annotations"), annotations, strict=True):
        _no_system_keys(each, path, "annotations")
    for checks in (_service(service), _template(service.template, service_id), _traffic(service.traffic)):
        for path, text in checks:
            violation = f"Violation in {request}." if path.startswith(_BELOW_SERVICE) else ""
            raise invalid(f"{violation}{path}: {text}", path)


def _no_system_keys(values: Mapping[str, str], path: str, kind: str) -> None:
    for key in values:
        namespace = key.partition("/")[0]
        if "/" in key and namespace.endswith(_SYSTEM):
            raise invalid(f"{path}: system {kind} are not supported: {key}", path)


def _service(service: Any) -> Problems:
    if len(service.description) > _MOST_DESCRIPTION:
        yield "service.description", f"at most {_MOST_DESCRIPTION} characters are allowed"
    stages = service.DESCRIPTOR.fields_by_name["launch_stage"].enum_type.values_by_number
    if stages[service.launch_stage].name not in _STAGES:
        yield "service.launch_stage", "only ALPHA, BETA, GA, or unspecified are supported"
    if service.HasField("binary_authorization"):
        yield from _binary_authorization(service.binary_authorization)
    yield from _scaling(service.scaling, "service.scaling")
    for index, audience in enumerate(service.custom_audiences):
        if not audience.strip():
            yield f"service.custom_audiences[{index}]", "must not be empty"


def _binary_authorization(settings: Any) -> Problems:
    path = "service.binary_authorization"
    method = settings.WhichOneof("binauthz_method")
    if method is None:
        yield path, "one of use_default and policy must be set"
    if method == "policy" and not _POLICY.fullmatch(settings.policy):
        yield f"{path}.policy", "must be in form projects/{project}/platforms/cloudRun/{policy}"
    if settings.breakglass_justification and not (settings.use_default or settings.policy):
        yield f"{path}.breakglass_justification", "must be empty unless use_default is true or policy is set"


def _scaling(scaling: Any, path: str) -> Problems:
    low, high = scaling.min_instance_count, scaling.max_instance_count
    for name, value in (("min_instance_count", low), ("max_instance_count", high)):
        if value < 0:
            yield f"{path}.{name}", "must be greater than or equal to zero"
    if high and high < low:
        yield f"{path}.max_instance_count", "must be greater than or equal to min_instance_count"


def _template(template: Any, service_id: str) -> Problems:
    path = "service.template"
    if template.revision:
        yield from _revision_name(template.revision, service_id)
    if not 0 <= template.max_instance_request_concurrency <= _MOST_CONCURRENCY:
        text = f"Must be a number between 0 and {_MOST_CONCURRENCY}"
        yield f"{path}.max_instance_request_concurrency", text
    if template.timeout.ToNanoseconds() < 0:
        yield f"{path}.timeout", "must not be negative"
    if template.timeout.ToNanoseconds() > _MOST_TIMEOUT * 10**9:
        yield f"{path}.timeout", "maximum allowed time is one hour"
    if template.service_account and not _ACCOUNT.fullmatch(template.service_account):
        yield f"{path}.service_account", f"Unsupported service account {template.service_account}"
    if template.encryption_key and not _KEY.fullmatch(template.encryption_key):
        form = "projects/{project}/locations/{location}/keyRings/{keyRing}/cryptoKeys/{key}"
        yield f"{path}.encryption_key", f"must conform to {form}"
    yield from _scaling(template.scaling, f"{path}.scaling")
    if template.HasField("vpc_access"):
        yield from _vpc(template.vpc_access)
    yield from _containers(template)
    yield from _volumes(template)
    yield from resource_limits.problems(template)


def _revision_name(revision: str, service_id: str) -> Problems:
    path = "service.template.revision"
    if not _NAME.fullmatch(revision) or len(revision) > _MOST_REVISION_NAME:
        text = "only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; "
        yield path, f"{text}must be less than {_MOST_REVISION_NAME + 1} characters"
    if not revision.startswith(f"{service_id}-"):
        yield path, "The revision name must be prefixed by the name of the enclosing Service with a trailing -"


def _vpc(access: Any) -> Problems:
    path = "service.template.vpc_access"
    if bool(access.connector) == bool(access.network_interfaces):
        yield path, "one and only one of connector and network_interfaces must be set"
    if access.connector and not _CONNECTOR.fullmatch(access.connector):
        form = "projects/{project}/locations/{location}/connectors/{connector}"
        yield f"{path}.connector", f"must be in form {form}"
    if len(access.network_interfaces) > 1:
        yield f"{path}.network_interfaces", "only 1 network interface is allowed"
    for interface in access.network_interfaces:
        if not interface.network and not interface.subnetwork:
            yield f"{path}.network_interfaces[0]", "at least one of network or subnetwork should not be empty"


def _volumes(template: Any) -> Problems:
    path = "service.template.volumes"
    names = Counter(volume.name for volume in template.volumes)
    mounted = {mount.name for container in template.containers for mount in container.volume_mounts}
    for name, count in names.items():
        if count > 1:
            yield path, f"Duplicate volume name {name}"
        if name not in mounted:
            yield path, f"Volume {name} is not mounted by any container"
    for index, volume in enumerate(template.volumes):
        here = f"{path}[{index}]"
        kind = volume.WhichOneof("volume_type")
        if not DNS_LABEL.fullmatch(volume.name):
            yield f"{here}.name", "must conform to RFC 1123 DNS label standard"
        if kind is None:
            yield here, "exactly one volume source must be set"
        if kind == "secret":
            yield from _secret_volume(volume.secret, f"{here}.secret")


def _secret_volume(secret: Any, path: str) -> Problems:
    yield from secret_reference(secret.secret, f"{path}.secret")
    yield from mode_bits(secret.default_mode, f"{path}.default_mode")
    for index, item in enumerate(secret.items):
        here = f"{path}.items[{index}]"
        if not item.path:
            yield f"{here}.path", "must be set"
        yield from secret_version(item.version, f"{here}.version")
        yield from mode_bits(item.mode, f"{here}.mode")


def _containers(template: Any) -> Problems:
    path = "service.template.containers"
    containers = template.containers
    if not containers:
        yield path, "must contain at least one container"
    if len(containers) > _MOST_CONTAINERS:
        yield path, f"must contain at most {_MOST_CONTAINERS} containers"
    names = Counter(each.name for each in containers if each.name)
    for name in [name for name, count in names.items() if count > 1]:
        yield path, f"has duplicate container names: {name}"
    if len(containers) > 1 and sum(bool(each.ports) for each in containers) != 1:
        yield path, "should contain exactly one container with an exposed port"
    volumes = frozenset(volume.name for volume in template.volumes)
    for index, container in enumerate(containers):
        yield from container_limits.problems(container, f"template.containers[{index}]", volumes)
        for other in container.depends_on:
            if other not in names:
                yield f"{path}[{index}].depends_on", f"container {other} does not exist"


def _traffic(targets: Any) -> Problems:
    total = 0
    for index, target in enumerate(targets):
        here = f"service.traffic[{index}]"
        if not 0 <= target.percent <= _ALL_TRAFFIC:
            yield f"{here}.percent", f"must be a number between 0 and {_ALL_TRAFFIC}"
        if bool(target.revision) != (target.type_ == _REVISION):
            kind = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
            yield f"{here}.revision", f"must be specified if and only if traffic type is {kind}"
        if target.type_ not in (_LATEST, _REVISION):
            yield f"{here}.type", "must be specified"
        if target.tag and (not _TAG.fullmatch(target.tag) or len(target.tag) > _MOST_TAG):
            text = "only lowercase letters, digits and hyphens; must begin with a letter"
            yield f"{here}.tag", f"{text}; at most {_MOST_TAG} characters"
        total += target.percent
    if targets and total != _ALL_TRAFFIC:
        yield "service.traffic", f"the sum of percent is {total}, but should be {_ALL_TRAFFIC}"
    for tag, count in Counter(target.tag for target in targets if target.tag).items():
        if count > 1:
            yield "service.traffic", f"may not contain a duplicate tag: {tag}"
