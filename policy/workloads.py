"""Which resources run containers, and where each one names its images."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Properties = Mapping[str, Any]


def _listed(containers: Any) -> Iterator[Any]:
    for container in containers or []:
        yield container.get("image")


def _as_json(properties: Properties) -> Iterator[Any]:
    yield from _listed(json.loads(properties.get("containerDefinitions") or "[]"))


def _native(properties: Properties) -> Iterator[Any]:
    yield from _listed(properties.get("containerDefinitions"))


def _template(properties: Properties) -> Iterator[Any]:
    yield from _listed((properties.get("template") or {}).get("containers"))


def _job(properties: Properties) -> Iterator[Any]:
    yield from _template(properties.get("template") or {})


def _knative(properties: Properties) -> Iterator[Any]:
    yield from _listed(((properties.get("template") or {}).get("spec") or {}).get("containers"))


WORKLOADS: dict[str, tuple[str, Callable[[Properties], Iterator[Any]]]] = {
    "aws:ecs/taskDefinition:TaskDefinition": ("containerDefinitions", _as_json),
    "aws-native:ecs:TaskDefinition": ("containerDefinitions", _native),
    "gcp:cloudrunv2/service:Service": ("template", _template),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template", _template),
    "gcp:cloudrunv2/job:Job": ("template", _job),
    "gcp:cloudrun/service:Service": ("template", _knative),
}
"""Resource type → the property that holds its containers, and how to read each container's image from it."""


def images(kind: str, properties: Properties) -> list[Any]:
    """The images that a resource of this type runs; empty for one that runs none.

    Raises:
        UnknownValueError: one isn't known, in a preview.
        ValueError: the containers can't be read.
    """
    if kind not in WORKLOADS:
        return []
    try:
        return list(WORKLOADS[kind][1](properties))
    except (AttributeError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{WORKLOADS[kind][0]} can't be read as a list of containers: {error}") from error
