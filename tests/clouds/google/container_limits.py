"""The limits of one Cloud Run container: what the API refuses, in the API's words where they are known.

Each check yields `(path, text)`. A path that begins with `service.` is told as a violation of the request.
The limits are those of https://cloud.google.com/run/docs/reference/rest/v2/Container and of the pages named below.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

Problems = Iterator[tuple[str, str]]

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_RFC_1123 = "must conform to RFC 1123 DNS label standard: lowercase letters, digits and -, at most 63 characters"
_HOST = r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:\d+)?"
_COMPONENT = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(rf"({_HOST}/)?{_COMPONENT}(/{_COMPONENT})*(:\w[\w.-]{{0,127}})?(@sha256:[0-9a-f]{{64}})?")
# https://cloud.google.com/run/docs/container-contract#env-vars
_RESERVED = ("K_SERVICE", "K_REVISION", "K_CONFIGURATION", "PORT")
# https://cloud.google.com/run/docs/configuring/services/overview-environment-variables#reserved
_RESERVED_PREFIX = "X_GOOGLE_"
_MOST_VARIABLES = 1000
_LONGEST_VALUE = 32768
_SECRET = re.compile(r"(projects/[^/]+/secrets/)?[A-Za-z0-9_-]{1,255}")
_SECRET_VERSION = re.compile(r"[A-Za-z0-9_-]+")
# https://cloud.google.com/run/docs/configuring/services/secrets#disallowed_paths_and_limitations
_DISALLOWED = ("/dev", "/proc", "/sys")
_PORTS = range(1, 65536)
_HEADER = re.compile(r"[A-Za-z0-9-_]+")
_MOST_MODE = 0o777


def problems(container: Any, path: str, volumes: frozenset[str]) -> Problems:
    """Check what one container says on its own; `path` is its place in the service."""
    full = f"service.{path}"
    if not container.image:
        yield f"{full}.image", "must provide an image name to deploy"
    elif not _IMAGE.fullmatch(container.image):
        yield f"{full}.image", "must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]"
    if container.name and not DNS_LABEL.fullmatch(container.name):
        yield f"{full}.name", _RFC_1123
    yield from _ports(container, full)
    yield from _environment(container, path)
    yield from _mounts(container, full, volumes)
    for kind in ("startup_probe", "liveness_probe", "readiness_probe"):
        if container.HasField(kind):
            yield from _probe(getattr(container, kind), kind, f"{full}.{kind}")


def secret_reference(secret: str, path: str) -> Problems:
    """Check the name of a secret."""
    if not _SECRET.fullmatch(secret):
        yield path, "may only be {secret_name} or projects/{project}/secrets/{secret_name}"


def secret_version(version: str, path: str) -> Problems:
    """Check the version of a secret; Google's own check lets an empty one through, and then fails when it deploys."""
    if not _SECRET_VERSION.fullmatch(version):
        yield path, "should have only alphanumeric characters, _ and -, as in latest or 3"


def mode_bits(mode: int, path: str) -> Problems:
    """Check the permissions of a file."""
    if not 0 <= mode <= _MOST_MODE:
        yield path, "if present, must be a supported unix chmod bitmask between 01 and 0777 (octal)"


def _ports(container: Any, full: str) -> Problems:
    if len(container.ports) > 1:
        yield f"{full}.ports", "ports should contain 0 or 1 port"
    for port in container.ports:
        if port.container_port and port.container_port not in _PORTS:
            yield f"{full}.ports[0].container_port", "must be 0 (unspecified) or between 1 and 65535"
        if port.name not in ("", "http1", "h2c"):
            yield f"{full}.ports[0].name", "must be one of empty, 'http1' or 'h2c'"


def _environment(container: Any, path: str) -> Problems:
    full = f"service.{path}.env"
    names = [variable.name for variable in container.env]
    if len(names) > _MOST_VARIABLES:
        yield full, f"exceeds the limit on EnvVars across all containers: {len(names)} of {_MOST_VARIABLES}"
    reserved = [name for name in names if name in _RESERVED]
    if reserved:
        text = f"The following reserved env names were provided: {', '.join(reserved)}."
        yield f"{path}.env", f"{text} These values are automatically set by the system."
    # The API takes the last of two and says nothing, which is never what was meant.
    for name in [name for name, count in Counter(names).items() if count > 1]:
        yield full, f"duplicate environment variable {name}"
    for index, variable in enumerate(container.env):
        here = f"{full}[{index}]"
        if not variable.name or "=" in variable.name or variable.name.startswith(_RESERVED_PREFIX):
            yield f"{here}.name", f"must not be empty, contain '=' or start with {_RESERVED_PREFIX}: {variable.name!r}"
        if max(len(variable.name), len(variable.value.encode())) > _LONGEST_VALUE:
            yield f"{here}.value", f"length cannot exceed {_LONGEST_VALUE}"
        if variable.WhichOneof("values") == "value_source":
            reference = variable.value_source.secret_key_ref
            yield from secret_reference(reference.secret, f"{here}.value_source.secret_key_ref.secret")
            yield from secret_version(reference.version, f"{here}.value_source.secret_key_ref.version")


def _mounts(container: Any, full: str, volumes: frozenset[str]) -> Problems:
    for index, mount in enumerate(container.volume_mounts):
        here = f"{full}.volume_mounts[{index}]"
        if not mount.mount_path.startswith("/") or ":" in mount.mount_path:
            yield f"{here}.mount_path", "must be a valid unix absolute path"
        elif any(mount.mount_path == each or mount.mount_path.startswith(f"{each}/") for each in _DISALLOWED):
            listed = ", ".join(_DISALLOWED)
            yield f"{here}.mount_path", f"{mount.mount_path} are in one of disallowed mount points: {listed}"
        if mount.name not in volumes:
            yield f"{full}.volume_mounts", f"has volume mounts [{mount.name}] which were not found in volumes list"
    paths = Counter(mount.mount_path for mount in container.volume_mounts)
    for path in [path for path, count in paths.items() if count > 1]:
        yield f"{full}.volume_mounts", f"{path} is mounted more than once"


def _probe(probe: Any, kind: str, full: str) -> Problems:
    # https://cloud.google.com/run/docs/reference/rest/v2/Container#probe
    longest = 240 if kind == "startup_probe" else 3600
    action = probe.WhichOneof("probe_type")
    if action is None:
        yield full, "Exactly one probe action must be set"
    elif action == "tcp_socket" and kind != "startup_probe":
        yield full, f"does not support TCP socket in {kind.replace('_', ' ')}"
    for name in ("timeout_seconds", "period_seconds"):
        if not 0 <= getattr(probe, name) <= longest:
            yield f"{full}.{name}", f"{name} must be a number between 0 and {longest}"
    if not 0 <= probe.initial_delay_seconds <= longest:
        yield f"{full}.initial_delay_seconds", f"initial_delay_seconds must be a number between 0 and {longest}"
    if probe.failure_threshold < 0:
        yield f"{full}.failure_threshold", "Must be a positive number if set"
    if (probe.timeout_seconds or 1) > (probe.period_seconds or 10):
        yield f"{full}.timeout_seconds", "must not be greater than period_seconds"
    if action is not None:
        target = getattr(probe, action)
        if target.port and target.port not in _PORTS:
            yield f"{full}.{action}.port", "if specified, must be between 1 and 65535"
    for header in probe.http_get.http_headers:
        if not _HEADER.fullmatch(header.name):
            text = "a valid HTTP header must consist of alphanumeric characters, - and _"
            yield f"{full}.http_get.http_headers", f"{text}: {header.name!r}"
