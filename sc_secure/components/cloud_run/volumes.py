"""Volumes: secrets as files, and folders in memory that containers share."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi_gcp as gcp

from sc_secure.components._problems import Problems
from sc_secure.components.cloud_run.compute import memory_bytes
from sc_secure.components.cloud_run.instance import Container
from sc_secure.components.cloud_run.limits import CONTAINER_NAME

FORBIDDEN_FOLDERS = ("/dev", "/proc", "/sys")
"""https://cloud.google.com/run/docs/configuring/services/secrets#disallowed_paths"""

MAX_MODE = 0o777
DEFAULT_MODE = 0o444
DEFAULT_FILE_NAME = "value"
_FILE_NAME = re.compile(r"(?!\.\.?$)[^/:\0]+")


def check_volumes(problems: Problems, containers: Sequence[Container]) -> None:
    """Where volumes are mounted, and that containers agree about the shared ones."""
    sizes: dict[str, str] = {}
    for container in containers:
        mounted: set[str] = set()
        for path, volume in (*container.items("secret_volumes"), *container.items("memory_volumes")):
            _check_folder(problems, f"{path}.mount_path", volume["mount_path"], mounted)
        for path, volume in container.items("secret_volumes"):
            problems.matches(f"{path}.file_name", volume.get("file_name"), _FILE_NAME, "a file's name, without folders")
            problems.within(f"{path}.mode", volume.get("mode"), 1, MAX_MODE)
        for path, volume in container.items("memory_volumes"):
            _check_memory(problems, path, volume, sizes)


def _check_folder(problems: Problems, path: str, folder: str, mounted: set[str]) -> None:
    plain = folder.rstrip("/")
    if not plain.startswith("/") or ":" in plain or any(part in ("", ".", "..") for part in plain.split("/")[1:]):
        problems.add(path, "an absolute path of a folder is needed, without : and ..")
    elif any(plain == forbidden or plain.startswith(f"{forbidden}/") for forbidden in FORBIDDEN_FOLDERS):
        problems.add(path, f"not in {', '.join(FORBIDDEN_FOLDERS)}")
    elif plain in mounted:
        problems.add(path, "another volume is mounted there, and would be hidden")
    mounted.add(plain)


def _check_memory(problems: Problems, path: str, volume: Mapping[str, Any], sizes: dict[str, str]) -> None:
    name, size = volume["name"], volume.get("size_limit", "")
    name_reason = "at most 56 lower-case letters, digits and hyphens, with no hyphen at the end"
    problems.matches(f"{path}.name", _memory_volume_name(name), CONTAINER_NAME, name_reason)
    if size and memory_bytes(size) is None:
        problems.add(f"{path}.size_limit", "a number with Mi, Gi, M or G is needed, as 64Mi")
    if sizes.setdefault(name, size) != size:
        problems.add(f"{path}.size_limit", f"another container gives the volume {name} another one")


def secret_volume_name(container: Container, volume: Mapping[str, Any]) -> str:
    """The name of the volume with a secret: the same however many others come or go before it."""
    where = f"{container.name}:{volume['mount_path']}"
    return f"secret-{hashlib.sha256(where.encode()).hexdigest()[:8]}"


def _memory_volume_name(name: str) -> str:
    return f"memory-{name}"


def volumes_of(containers: Sequence[Container]) -> list[gcp.cloudrunv2.ServiceTemplateVolumeArgs]:
    """The volumes of an instance, in the order of their names."""
    volumes: dict[str, gcp.cloudrunv2.ServiceTemplateVolumeArgs] = {}
    for container in containers:
        for _, volume in container.items("secret_volumes"):
            name = secret_volume_name(container, volume)
            volumes[name] = gcp.cloudrunv2.ServiceTemplateVolumeArgs(name=name, secret=_secret_source(volume))
        for _, volume in container.items("memory_volumes"):
            name = _memory_volume_name(volume["name"])
            folder = gcp.cloudrunv2.ServiceTemplateVolumeEmptyDirArgs(
                medium="MEMORY", size_limit=volume.get("size_limit")
            )
            volumes[name] = gcp.cloudrunv2.ServiceTemplateVolumeArgs(name=name, empty_dir=folder)
    return [volumes[name] for name in sorted(volumes)]


def _secret_source(volume: Mapping[str, Any]) -> gcp.cloudrunv2.ServiceTemplateVolumeSecretArgs:
    item = gcp.cloudrunv2.ServiceTemplateVolumeSecretItemArgs(
        path=volume.get("file_name", DEFAULT_FILE_NAME),
        version=volume.get("version", "latest"),
        mode=volume.get("mode", DEFAULT_MODE),
    )
    return gcp.cloudrunv2.ServiceTemplateVolumeSecretArgs(secret=volume["secret"], items=[item])


def mounts_of(container: Container) -> list[gcp.cloudrunv2.ServiceTemplateContainerVolumeMountArgs]:
    """Where a container has its volumes, in the order of the folders."""
    mounts = {
        volume["mount_path"]: secret_volume_name(container, volume) for _, volume in container.items("secret_volumes")
    }
    mounts |= {
        volume["mount_path"]: _memory_volume_name(volume["name"]) for _, volume in container.items("memory_volumes")
    }
    return [
        gcp.cloudrunv2.ServiceTemplateContainerVolumeMountArgs(name=name, mount_path=folder)
        for folder, name in sorted(mounts.items())
    ]
