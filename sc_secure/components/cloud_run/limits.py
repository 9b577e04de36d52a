"""What Google documents as Cloud Run's limits on a service's numbers and names; looked at before anything is made.

Limits that Google raises on request (instances a region, services a project) are left to Google.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sc_secure.components._google import KMS_KEY, KMS_KEY_REASON, check_labels, check_location
from sc_secure.components._problems import Problems
from sc_secure.components._wholes import now

MAX_SERVICE_NAME = 49
"""Characters. https://cloud.google.com/run/docs/deploying: "49 characters or less"."""

SERVICE_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?")

CONTAINER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""A DNS label of RFC 1123: `Container.name` of the Cloud Run Admin API v2."""

MAX_CONTAINERS = 10
"""https://cloud.google.com/run/docs/deploying#sidecars"""

MAX_PORT = 65535
MAX_CONCURRENCY = 1000
"""https://cloud.google.com/run/docs/configuring/concurrency"""

MAX_TIMEOUT = 3600
"""Seconds. https://cloud.google.com/run/docs/configuring/request-timeout"""

MAX_INSTANCES = 2**31 - 1
"""How many a region gives is a quota; the field is a signed integer."""

MAX_DESCRIPTION = 512
"""Characters: `Service.description` of the Cloud Run Admin API v2."""

MAX_VARIABLES = 1000
"""A container. https://cloud.google.com/run/docs/configuring/services/environment-variables"""

MAX_VARIABLE = 32768
"""Bytes of a name or a value: `EnvVar` of the Cloud Run Admin API v2."""

RESERVED_VARIABLES = ("PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION")
"""https://cloud.google.com/run/docs/container-contract#env-vars"""

MAX_ARGUMENTS = 1000
"""A container. https://cloud.google.com/run/docs/configuring/services/containers"""

RESERVED_NAMESPACES = ("run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev")
"""Of annotations: `Service.annotations` of the Cloud Run Admin API v2."""

EGRESS = ("PRIVATE_RANGES_ONLY", "ALL_TRAFFIC")
INGRESS = ("INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER")

SERVICE_ACCOUNT = re.compile(r"[^@\s]+@[^@\s]+\.gserviceaccount\.com")


def check_service(problems: Problems, given: Mapping[str, Any]) -> None:
    """What is said of the service as a whole."""
    check_location(problems, given["location"])
    name_reason = "at most 49 lower-case letters, digits and hyphens, from a letter to no hyphen"
    problems.matches("service_name", given.get("service_name"), SERVICE_NAME, name_reason)
    if len(given.get("description", "")) > MAX_DESCRIPTION:
        problems.add("description", f"at most {MAX_DESCRIPTION} characters")
    check_labels(problems, given.get("labels"))
    for path, reason in annotation_problems(now(given.get("annotations"), {})):
        problems.add(path, reason)
    problems.one_of("ingress", given.get("ingress"), INGRESS)
    account_reason = "the e-mail address of a service account is needed"
    problems.matches("service_account", given.get("service_account"), SERVICE_ACCOUNT, account_reason)
    problems.matches("encryption_key", given.get("encryption_key"), KMS_KEY, KMS_KEY_REASON)


def annotation_problems(annotations: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Annotations that Google makes itself."""
    for key in annotations:
        if any(key.split("/")[0].endswith(reserved) for reserved in RESERVED_NAMESPACES):
            yield f"annotations.{key}", "Google keeps this namespace for itself, and has an argument in its place"


def check_scaling(problems: Problems, given: Mapping[str, Any]) -> None:
    """How many requests and instances there are, and for how long."""
    problems.within("port", given.get("port"), 1, MAX_PORT)
    problems.within("timeout_seconds", given.get("timeout_seconds"), 1, MAX_TIMEOUT, "seconds")
    problems.within("concurrency", given.get("concurrency"), 1, MAX_CONCURRENCY)
    problems.within("min_instances", given.get("min_instances"), 0, MAX_INSTANCES)
    problems.within("max_instances", given.get("max_instances"), 1, MAX_INSTANCES)
    least, most = given.get("min_instances", 0), given.get("max_instances", 100)
    if least > most:
        problems.add("min_instances", f"more than max_instances, which is {most}")


def check_command(problems: Problems, prefix: str, given: Mapping[str, Any]) -> None:
    """What a container runs, and with which variables."""
    for key in ("command", "args"):
        if len(now(given.get(key), [])) > MAX_ARGUMENTS:
            problems.add(f"{prefix}{key}", f"at most {MAX_ARGUMENTS}")
    if not given.get("working_directory", "/").startswith("/"):
        problems.add(f"{prefix}working_directory", "an absolute path is needed")
    plain: Mapping[str, Any] = now(given.get("environment"), {})
    secret: Mapping[str, Any] = given.get("secrets", {})
    if len(plain) + len(secret) > MAX_VARIABLES:
        problems.add(f"{prefix}environment", f"at most {MAX_VARIABLES} variables a container, secrets included")
    for key in sorted(plain.keys() & secret.keys()):
        problems.add(f"{prefix}secrets.{key}", f"is in {prefix}environment too; keep one of them")
    for section, variables in (("environment", plain), ("secrets", secret)):
        for key, value in variables.items():
            _check_variable(problems, f"{prefix}{section}.{key}", key, value)


def _check_variable(problems: Problems, path: str, key: str, value: Any) -> None:
    if not key or "=" in key or key.startswith("X_GOOGLE_"):
        problems.add(path, "a variable's name isn't empty, has no =, and doesn't start with X_GOOGLE_")
    if key in RESERVED_VARIABLES:
        problems.add(path, "Cloud Run sets this variable itself; the port is the argument port")
    if max(len(key.encode()), len(value.encode()) if isinstance(value, str) else 0) > MAX_VARIABLE:
        problems.add(path, f"at most {MAX_VARIABLE} bytes")
