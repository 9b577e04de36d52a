"""What a Cloud Run service is made of besides what its user wrote: defaults, revisions, readiness, addresses."""

import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.clouds.google import resource_limits
from tests.clouds.google.errors import ApiError
from tests.clouds.google.messages import new
from tests.clouds.google.secret_manager import SecretManager
from tests.plugins.gcp.libraries import library

_run = library("run_v2")

_FAILED, _SUCCEEDED = 3, 4
_ERROR = 1
_LATEST, _REVISION = 1, 2
_LETTERS = "bcdfghjklmnpqrstvwxz"  # no vowels, so no words


@dataclass
class Revision:
    """A revision: its template, and why it isn't ready, if it isn't."""

    template: Any
    problem: str = ""


@dataclass
class Deployed:
    """A service with its revisions, in the order in which they were made."""

    service: Any
    revisions: dict[str, Revision] = field(default_factory=dict)

    @property
    def latest_ready(self) -> str:
        """The last revision that became ready, or nothing."""
        return next((name for name, each in reversed(self.revisions.items()) if not each.problem), "")

    def problem_of(self, *names: str) -> str:
        """Say what keeps the first of these revisions that isn't ready from serving, or nothing."""
        for name in names:
            if name and self.revisions[name].problem:
                return f"Revision '{name}' is not ready and cannot serve traffic. {self.revisions[name].problem}"
        return ""

    def serving(self) -> dict[str, int]:
        """Return the share of the traffic, in percent, that each revision gets."""
        shares: dict[str, int] = {}
        for status in self.service.traffic_statuses:
            name = status.revision or self.latest_ready
            if status.percent:
                shares[name] = shares.get(name, 0) + status.percent
        return shares


def fill_defaults(service: Any, number: str) -> None:
    """Set what Cloud Run sets when it isn't given."""
    service.ingress = service.ingress or 1
    service.launch_stage = service.launch_stage or 4  # GA
    if not service.traffic:
        service.traffic.add(type_=_LATEST, percent=100)
    template = service.template
    fraction = resource_limits.total(template, "cpu") < 1
    template.max_instance_request_concurrency = template.max_instance_request_concurrency or (1 if fraction else 80)
    template.service_account = template.service_account or f"{number}-compute@developer.gserviceaccount.com"
    if not template.HasField("timeout"):
        template.timeout.seconds = 300
    template.scaling.max_instance_count = template.scaling.max_instance_count or 100
    if template.HasField("vpc_access"):
        template.vpc_access.egress = template.vpc_access.egress or 2  # private ranges only
    for container in template.containers:
        _container_defaults(container, alone=len(template.containers) == 1)


def _container_defaults(container: Any, *, alone: bool) -> None:
    if not container.HasField("resources"):
        container.resources.cpu_idle = True
    for name, value in resource_limits.DEFAULTS.items():
        if name not in container.resources.limits:
            container.resources.limits[name] = value
    if alone and not container.ports:
        container.ports.add()
    for port in container.ports:
        port.name = port.name or "http1"
        port.container_port = port.container_port or 8080
    serving = container.ports[0].container_port if container.ports else 0
    # https://cloud.google.com/run/docs/configuring/healthchecks#tcp-startup-probe: the default one
    if serving and not container.HasField("startup_probe"):
        probe = container.startup_probe
        probe.timeout_seconds = probe.period_seconds = 240
        probe.failure_threshold = 1
        probe.tcp_socket.port = serving
    for kind in ("startup_probe", "liveness_probe"):
        if container.HasField(kind):
            _probe_defaults(getattr(container, kind), serving)


def _probe_defaults(probe: Any, port: int) -> None:
    probe.timeout_seconds = probe.timeout_seconds or 1
    probe.period_seconds = probe.period_seconds or 10
    probe.failure_threshold = probe.failure_threshold or 3
    target = getattr(probe, probe.WhichOneof("probe_type"))
    target.port = target.port or port
    if probe.HasField("http_get"):
        probe.http_get.path = probe.http_get.path or "/"


def revise(deployed: Deployed, service_id: str, find_problem: Callable[[], str]) -> str:
    """Make a revision of the service's template and return its name.

    A template that makes what the last revision already is makes no further one; if that one isn't ready, it is tried
    again. `find_problem` says why a revision of the template can't become ready, or nothing.
    """
    service, template = deployed.service, deployed.service.template
    known = deployed.revisions
    wanted = template.revision
    if wanted in known and known[wanted].template != template:
        raise ApiError("ALREADY_EXISTS", f"Revision named '{wanted}' with different configuration already exists.")
    last = service.latest_created_revision.rpartition("/")[2]
    name = last if last and known[last].template == template else wanted
    name = name or f"{service_id}-{service.generation:05}-{''.join(secrets.choice(_LETTERS) for _ in range(3))}"
    if name not in known or known[name].problem:
        copy = new(_run.RevisionTemplate)
        copy.CopyFrom(template)
        known[name] = Revision(copy, find_problem())
    service.latest_created_revision = f"{service.name}/revisions/{name}"
    return name


def secrets_problem(template: Any, project: str, secret_manager: SecretManager) -> str:
    """Say which of its secrets the revision can't read, or nothing.

    https://cloud.google.com/run/docs/configuring/services/secrets: checked on deployment, for variables and volumes.
    """
    for path, secret, version in _secrets(template):
        problem = secret_manager.accessible(project, secret, version, template.service_account)
        if problem:
            return f"{path}: {problem}"
    return ""


def _secrets(template: Any) -> list[tuple[str, str, str]]:
    found = []
    for index, container in enumerate(template.containers):
        for place, variable in enumerate(container.env):
            if variable.WhichOneof("values") == "value_source":
                path = f"spec.template.spec.containers[{index}].env[{place}].value_from.secret_key_ref.name"
                reference = variable.value_source.secret_key_ref
                found.append((path, reference.secret, reference.version))
    for index, volume in enumerate(template.volumes):
        if volume.WhichOneof("volume_type") == "secret":
            for place, version in enumerate([item.version for item in volume.secret.items] or ["latest"]):
                path = f"spec.template.spec.volumes[{index}].secret.items[{place}].key"
                found.append((path, volume.secret.secret, version))
    return found


def conclude(deployed: Deployed, problem: str) -> None:
    """Write down whether the service serves what was asked for. If it doesn't, what served before goes on serving."""
    service = deployed.service
    ready = service.terminal_condition
    ready.Clear()
    ready.type_ = "Ready"
    ready.state = _FAILED if problem else _SUCCEEDED
    ready.message = problem
    ready.severity = _ERROR if problem else 0
    ready.last_transition_time.GetCurrentTime()
    del service.conditions[:]
    for kind in ("RoutesReady", "ConfigurationsReady"):
        condition = service.conditions.add()
        condition.CopyFrom(ready)
        condition.type_ = kind
    service.latest_ready_revision = deployed.latest_ready and f"{service.name}/revisions/{deployed.latest_ready}"
    if problem:
        return
    service.observed_generation = service.generation
    del service.traffic_statuses[:]
    for target in service.traffic:
        status = service.traffic_statuses.add(type_=target.type_, percent=target.percent, tag=target.tag)
        status.revision = target.revision
        if target.tag:
            status.uri = service.uri.replace("://", f"://{target.tag}---", 1)


def give_addresses(service: Any, service_id: str, number: str, location: str) -> None:
    """Set the service's URLs: of both forms that Cloud Run has."""
    del service.urls[:]
    service.uri = ""
    if service.default_uri_disabled:
        return
    area, _, place = location.partition("-")
    digest = f"{zlib.crc32(number.encode()):08x}"
    service.uri = f"https://{service_id}-{digest}-{area[0]}{place[0]}.a.run.app"
    service.urls.extend([f"https://{service_id}-{number}.{location}.run.app", service.uri])
