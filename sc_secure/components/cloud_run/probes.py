"""Health checks: https://cloud.google.com/run/docs/configuring/healthchecks, `Probe` of the Cloud Run Admin API v2."""

from collections.abc import Mapping
from typing import Any

from sc_secure.components._problems import Problems
from sc_secure.components.cloud_run.limits import MAX_PORT

STARTUP_KINDS = ("http", "grpc", "tcp")
LIVENESS_KINDS = ("http", "grpc")

_STARTUP_SECONDS = 240
"""The longest delay, the longest period, and the longest that a container may take to start."""

_LIVENESS_SECONDS = 3600
_PERIOD, _TIMEOUT, _THRESHOLD = 10, 1, 3
"""Google's defaults."""

_BELONGS_TO = {"path": "http", "headers": "http", "service": "grpc"}


def check_probes(problems: Problems, prefix: str, container: Mapping[str, Any], *, http2: bool | None) -> None:
    """A container's probes.

    Args:
        problems: where to say what is wrong.
        prefix: the container's path, with its dot.
        container: its arguments.
        http2: whether its port speaks HTTP/2 only; None: it has no port.
    """
    kinds = (("startup_probe", STARTUP_KINDS, _STARTUP_SECONDS), ("liveness_probe", LIVENESS_KINDS, _LIVENESS_SECONDS))
    for key, allowed, longest in kinds:
        if key not in container:
            continue
        path, probe = f"{prefix}{key}", container[key]
        _check_kind(problems, path, probe, allowed, http2=http2)
        _check_times(problems, path, probe, longest)
    startup = container.get("startup_probe", {})
    whole = startup.get("period_seconds", _PERIOD) * startup.get("failure_threshold", _THRESHOLD)
    if whole > _STARTUP_SECONDS:
        reason = f"period_seconds times failure_threshold is {whole} seconds; at most {_STARTUP_SECONDS}"
        problems.add(f"{prefix}startup_probe.failure_threshold", reason)


def _check_kind(
    problems: Problems, path: str, probe: Mapping[str, Any], allowed: tuple[str, ...], *, http2: bool | None
) -> None:
    problems.one_of(f"{path}.kind", probe["kind"], allowed)
    for key, kind in _BELONGS_TO.items():
        if key in probe and probe["kind"] != kind:
            problems.add(f"{path}.{key}", f"belongs to a probe of the kind {kind}")
    if not probe.get("path", "/").startswith("/"):
        problems.add(f"{path}.path", "a path starts with /")
    problems.within(f"{path}.port", probe.get("port"), 1, MAX_PORT)
    if "port" in probe:
        return
    if http2 is None:
        problems.add(f"{path}.port", "missing: a sidecar has no port of its own that could be meant")
    elif http2 and probe["kind"] == "http":
        problems.add(f"{path}.kind", "Cloud Run probes by HTTP/1, but http2 is on: use grpc or tcp, or another port")


def _check_times(problems: Problems, path: str, probe: Mapping[str, Any], longest: int) -> None:
    problems.within(f"{path}.initial_delay_seconds", probe.get("initial_delay_seconds"), 0, longest, "seconds")
    problems.within(f"{path}.period_seconds", probe.get("period_seconds"), 1, longest, "seconds")
    period = probe.get("period_seconds", _PERIOD)
    if not 1 <= probe.get("timeout_seconds", _TIMEOUT) <= period:
        problems.add(f"{path}.timeout_seconds", f"between 1 second and period_seconds, which is {period}")
    if probe.get("failure_threshold", _THRESHOLD) < 1:
        problems.add(f"{path}.failure_threshold", "at least 1")


def probe_args(probe: Mapping[str, Any] | None, port: int) -> Any:
    """A checked probe, as the arguments of the resource: the start-up and the liveness probe have classes of their own.

    Google's defaults are written out, so that a setting that is taken away again is undone.

    Args:
        probe: the arguments; None: there is no probe.
        port: the service's port.
    """
    if probe is None:
        return None
    kind = probe["kind"]
    action: dict[str, Any] = {"port": probe.get("port", port)}
    if kind == "http":
        action["path"] = probe.get("path", "/")
        headers = probe.get("headers", {})
        if headers:
            action["http_headers"] = [{"name": name, "value": value} for name, value in sorted(headers.items())]
    elif kind == "grpc" and "service" in probe:
        action["service"] = probe["service"]
    return {
        {"http": "http_get", "grpc": "grpc", "tcp": "tcp_socket"}[kind]: action,
        "initial_delay_seconds": probe.get("initial_delay_seconds", 0),
        "period_seconds": probe.get("period_seconds", _PERIOD),
        "timeout_seconds": probe.get("timeout_seconds", _TIMEOUT),
        "failure_threshold": probe.get("failure_threshold", _THRESHOLD),
    }
