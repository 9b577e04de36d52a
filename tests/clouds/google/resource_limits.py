"""CPU and memory of a Cloud Run revision.

https://cloud.google.com/run/docs/configuring/services/cpu and …/memory-limits; the texts are the API's own.
"""

import re
from decimal import Decimal
from typing import Any

from tests.clouds.google.container_limits import Problems

_MIB = 1024**2
_GIB = 1024**3
_UNITS = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 1024, "Mi": _MIB, "Gi": _GIB, "Ti": 1024**4,
}  # fmt: skip
_QUANTITY = re.compile(r"(?P<number>\d+(\.\d+)?|\.\d+)(?P<unit>m|k|[KMGT]i|[MGT])?")
_WHOLE_CPUS = {
    1: (128 * _MIB, 4 * _GIB),
    2: (128 * _MIB, 8 * _GIB),
    4: (2 * _GIB, 16 * _GIB),
    6: (4 * _GIB, 24 * _GIB),
    8: (4 * _GIB, 32 * _GIB),
}
"""CPUs, with the least and the most memory for them."""
_SUPPORTED = ("cpu", "memory", "nvidia.com/gpu")
_LEAST_CPU = Decimal("0.08")
_MORE_MEMORY_FROM = Decimal("0.5")
_STEP = Decimal("0.01")
_UNTHROTTLED_OR_GEN2 = 512 * _MIB
_GEN2 = 2

DEFAULTS = {"cpu": "1000m", "memory": "512Mi"}


def quantity(text: str) -> Decimal | None:
    """Read a Kubernetes quantity; None if it isn't one."""
    found = _QUANTITY.fullmatch(text)
    if not found:
        return None
    unit = found["unit"] or ""
    return Decimal(found["number"]) * (Decimal("0.001") if unit == "m" else _UNITS[unit])


def problems(template: Any) -> Problems:
    """Check the limits of each container, and then what all of them make together."""
    before = 0
    for index, container in enumerate(template.containers):
        for problem in _container(container, f"template.containers[{index}].resources.limits"):
            before += 1
            yield problem
    if not before:
        yield from _together(template)


def total(template: Any, name: str) -> Decimal:
    """Add up one limit over all containers, defaults included; the limits must be readable."""
    return sum((quantity(_limit(each, name)) or Decimal(0) for each in template.containers), Decimal(0))


def _limit(container: Any, name: str) -> str:
    return container.resources.limits.get(name) or DEFAULTS[name]


def _container(container: Any, path: str) -> Problems:
    for name in container.resources.limits:
        if name not in _SUPPORTED:
            yield f"service.{path}", f"only {', '.join(_SUPPORTED)} limits are supported, got {name}"
    cpu, memory = (quantity(_limit(container, name)) for name in ("cpu", "memory"))
    for name, value in (("cpu", cpu), ("memory", memory)):
        if value is None:
            yield f"service.{path}.{name}", f"Could not parse Quantity {_limit(container, name)!r}"
    if cpu is None or memory is None:
        return
    fraction = _LEAST_CPU <= cpu < 1 and cpu % _STEP == 0
    if cpu not in _WHOLE_CPUS and not fraction:
        text = "Invalid value specified for container cpu. Must be equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0"
        yield f"{path}.cpu", text
        return
    if fraction:
        # With a sidecar beside it, a container may have less than an instance must have.
        low, high = 0, (_GIB if cpu >= _MORE_MEMORY_FROM else 512 * _MIB)
    else:
        low, high = _WHOLE_CPUS[int(cpu)]
    if not low <= memory <= high:
        text = f"For {float(cpu)} CPU, memory must be between {_size(low)} and {_size(high)} inclusive."
        yield f"{path}.memory", f"Invalid value specified for container memory. {text}"


def _together(template: Any) -> Problems:
    cpu, memory = total(template, "cpu"), total(template, "memory")
    gen2 = template.execution_environment == _GEN2
    # Absent resources mean that CPU is allocated during requests only; present ones mean what they say.
    unthrottled = any(each.HasField("resources") and not each.resources.cpu_idle for each in template.containers)
    wrong_cpu = "template.containers.resources.limits.cpu"
    wrong_memory = "template.containers.resources.limits.memory"
    if cpu < 1:
        text = "Invalid value specified for cpu. Total cpu < 1 is not supported with"
        if template.max_instance_request_concurrency > 1:
            yield wrong_cpu, f"{text} concurrency > 1."
        if unthrottled:
            yield wrong_cpu, f"{text} cpu always allocated."
        if gen2:
            yield wrong_cpu, f"{text} gen2 execution environment."
    if memory < _UNTHROTTLED_OR_GEN2:
        text = "Invalid value specified for memory. Total memory < 512 Mi is not supported with"
        # https://cloud.google.com/run/docs/configuring/billing-settings
        if unthrottled:
            yield wrong_memory, f"{text} cpu always allocated."
        if gen2:
            yield wrong_memory, f"{text} gen2 execution environment."
    if memory < _WHOLE_CPUS[1][0]:
        yield wrong_memory, "Invalid value specified for memory. Total memory must be at least 128Mi."
    most_cpu, most_memory = max(_WHOLE_CPUS), _WHOLE_CPUS[max(_WHOLE_CPUS)][1]
    if cpu > most_cpu or memory > most_memory:
        text = f"Total cpu must be at most {most_cpu} and total memory at most {_size(most_memory)}."
        yield wrong_cpu, f"Invalid value specified for cpu and memory. {text}"


def _size(value: int) -> str:
    return f"{value // _GIB}Gi" if value and value % _GIB == 0 else f"{value // _MIB}Mi"
