"""The containers of an instance: the main one, which gets the requests, and the sidecars."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from sc_secure.components._problems import Problems
from sc_secure.components._wholes import made_of
from sc_secure.components.cloud_run.compute import DEFAULT_CPU, DEFAULT_MEMORY
from sc_secure.components.cloud_run.instance import DEFAULT_PORT, MAIN, Container
from sc_secure.components.cloud_run.limits import CONTAINER_NAME, MAX_CONTAINERS, check_command
from sc_secure.components.cloud_run.probes import check_probes, probe_args
from sc_secure.components.cloud_run.secrets import check_secrets, version_of
from sc_secure.components.cloud_run.volumes import check_volumes, mounts_of


def check_containers(problems: Problems, containers: Sequence[Container]) -> None:
    """Names, commands, variables, probes, volumes, and which waits for which."""
    if len(containers) > MAX_CONTAINERS:
        problems.add("sidecars", f"at most {MAX_CONTAINERS - 1}: an instance has at most {MAX_CONTAINERS} containers")
    seen = {MAIN}
    for container in containers:
        if not container.main:
            name_reason = "at most 63 lower-case letters, digits and hyphens, with no hyphen at either end"
            problems.matches(f"{container.prefix}name", container.name, CONTAINER_NAME, name_reason)
            if container.name in seen:
                problems.add(f"{container.prefix}name", f"another container is called {container.name}")
            seen.add(container.name)
        http2 = bool(container.given.get("http2")) if container.main else None
        check_command(problems, container.prefix, container.given)
        check_probes(problems, container.prefix, container.given, http2=http2)
    check_secrets(problems, containers)
    check_volumes(problems, containers)
    _check_order(problems, containers)


def _check_order(problems: Problems, containers: Sequence[Container]) -> None:
    """Containers wait only for others that there are, and not for one another."""
    waits: dict[str, list[str]] = {}
    for container in containers:
        others = {other.name for other in containers} - {container.name}
        waits[container.name] = container.given.get("depends_on", [])
        for index, name in enumerate(waits[container.name]):
            if name not in others:
                known = ", ".join(sorted(others)) or "there is no other"
                problems.add(f"{container.prefix}depends_on[{index}]", f"the name of another container: {known}")
    while startable := [name for name, before in waits.items() if not set(before) & waits.keys()]:
        for name in startable:
            del waits[name]
    for container in containers:
        if container.name in waits and container.name not in container.given.get("depends_on", []):
            problems.add(f"{container.prefix}depends_on", f"{', '.join(sorted(waits))} wait for one another")
            return


def container_args(
    container: Container, image: pulumi.Output[str], service: Mapping[str, Any]
) -> gcp.cloudrunv2.ServiceTemplateContainerArgs:
    """A container of the revision.

    Args:
        container: what was asked for, checked.
        image: its image, once it has passed.
        service: the service's arguments.
    """
    given, port = container.given, service.get("port", DEFAULT_PORT)
    limits = {"cpu": given.get("cpu", DEFAULT_CPU), "memory": given.get("memory", DEFAULT_MEMORY)}
    return gcp.cloudrunv2.ServiceTemplateContainerArgs(
        name=container.name,
        image=image,
        commands=given.get("command"),
        args=given.get("args"),
        working_dir=given.get("working_directory"),
        envs=made_of(given.get("environment", {}), lambda known: _variables(known, given) or None),
        resources=gcp.cloudrunv2.ServiceTemplateContainerResourcesArgs(
            limits=limits,
            cpu_idle=service.get("cpu_idle", True),
            startup_cpu_boost=service.get("startup_cpu_boost", False) if container.main else None,
        ),
        ports=gcp.cloudrunv2.ServiceTemplateContainerPortsArgs(
            name="h2c" if service.get("http2") else "http1", container_port=port
        )
        if container.main
        else None,
        volume_mounts=mounts_of(container) or None,
        startup_probe=probe_args(given.get("startup_probe"), port),
        liveness_probe=probe_args(given.get("liveness_probe"), port),
        depends_ons=sorted(given["depends_on"]) if given.get("depends_on") else None,
    )


def _variables(
    environment: Mapping[str, Any], given: Mapping[str, Any]
) -> list[gcp.cloudrunv2.ServiceTemplateContainerEnvArgs]:
    """The variables, those from secrets too, in the order of the names: the order in which it is written means nothing.

    Args:
        environment: the plain ones.
        given: the container's arguments.
    """
    variables = {
        name: gcp.cloudrunv2.ServiceTemplateContainerEnvArgs(name=name, value=value)
        for name, value in environment.items()
    }
    for name, secret in given.get("secrets", {}).items():
        reference = gcp.cloudrunv2.ServiceTemplateContainerEnvValueSourceSecretKeyRefArgs(
            secret=secret["secret"], version=version_of(secret)
        )
        source = gcp.cloudrunv2.ServiceTemplateContainerEnvValueSourceArgs(secret_key_ref=reference)
        variables[name] = gcp.cloudrunv2.ServiceTemplateContainerEnvArgs(name=name, value_source=source)
    return [variables[name] for name in sorted(variables)]
