"""CPU and memory, by Google's table: of each container, and of an instance.

https://cloud.google.com/run/docs/configuring/services/cpu and …/services/memory-limits
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sc_secure.components._problems import Problems
from sc_secure.components.cloud_run.instance import Container

DEFAULT_CPU = "1"
DEFAULT_MEMORY = "512Mi"

GENERATIONS = ("EXECUTION_ENVIRONMENT_GEN1", "EXECUTION_ENVIRONMENT_GEN2")
"""The first and the second generation; the second is the default."""

_CPU = re.compile(r"[0-9]+(?:\.[0-9]{1,3})?|[0-9]+m")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(Ki|Mi|Gi|k|M|G)")
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 10**3, "M": 10**6, "G": 10**9}
_MI, _GI = 2**20, 2**30

_LEAST_CPU = Decimal("0.08")
_MEMORY = {
    Decimal(1): (128 * _MI, 4 * _GI),
    Decimal(2): (128 * _MI, 8 * _GI),
    Decimal(4): (2 * _GI, 16 * _GI),
    Decimal(6): (4 * _GI, 24 * _GI),
    Decimal(8): (4 * _GI, 32 * _GI),
}
"""How many CPUs -> the least and the most memory of a container, in bytes."""
_HALF = Decimal("0.5")
_MOST_CPU, _MOST_MEMORY = 8, 32 * _GI
"""What an instance has at most."""

_UNTHROTTLED = 512 * _MI
"""What an instance of the second generation, or without idle CPU, has at least, in bytes."""


def cpus(text: str) -> Decimal | None:
    """How many CPUs these are: `2`, `0.5` or `500m`; None: no such number."""
    if not _CPU.fullmatch(text):
        return None
    return Decimal(text[:-1]) / 1000 if text.endswith("m") else Decimal(text)


def memory_bytes(text: str) -> int | None:
    """How many bytes these are: `512Mi`, `2Gi`, `1G`; None: no such size."""
    match = _SIZE.fullmatch(text)
    return int(Decimal(match[1]) * _UNITS[match[2]]) if match else None


def check_compute(problems: Problems, given: Mapping[str, Any], containers: Sequence[Container]) -> None:
    """CPU and memory of each container and of an instance, and what depends on them.

    Args:
        problems: where to say what is wrong.
        given: the service's arguments.
        containers: all containers of an instance.
    """
    problems.one_of("execution_environment", given.get("execution_environment"), GENERATIONS)
    sizes = [_checked(problems, container) for container in containers]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return
    cpu, memory = sum((size[0] for size in known), Decimal(0)), sum(size[1] for size in known)
    together = "" if len(sizes) == 1 else " for all containers together"
    if cpu > _MOST_CPU:
        problems.add("cpu", f"at most {_MOST_CPU}{together}")
    if memory > _MOST_MEMORY:
        problems.add("memory", f"at most {_text(_MOST_MEMORY)}{together}")
    _check_instance(problems, given, cpu, memory)


def _checked(problems: Problems, container: Container) -> tuple[Decimal, int] | None:
    """A container's CPUs and bytes; None: one of them won't do."""
    cpu = cpus(container.given.get("cpu", DEFAULT_CPU))
    memory = memory_bytes(container.given.get("memory", DEFAULT_MEMORY))
    if memory is None:
        problems.add(f"{container.prefix}memory", "a number with Mi, Gi, M or G is needed, as 512Mi")
    if cpu is None or not (_LEAST_CPU <= cpu < 1 or cpu in _MEMORY):
        problems.add(f"{container.prefix}cpu", "between 0.08 and 1 (in steps of 0.001), or one of 2, 4, 6, 8")
        return None
    if memory is None:
        return None
    least, most = _MEMORY.get(cpu, (0, _GI if cpu >= _HALF else 512 * _MI))
    if not least <= memory <= most:
        bounds = f"between {_text(least)} and {_text(most)}" if least else f"at most {_text(most)}"
        problems.add(f"{container.prefix}memory", f"{bounds} with {cpu} CPU{'' if cpu <= 1 else 's'}")
        return None
    return cpu, memory


def _check_instance(problems: Problems, given: Mapping[str, Any], cpu: Decimal, memory: int) -> None:
    second, throttled = (
        given.get("execution_environment", GENERATIONS[1]) == GENERATIONS[1],
        given.get("cpu_idle", True),
    )
    if memory < _UNTHROTTLED and second:
        reason = f"at least {_text(_UNTHROTTLED)} in {GENERATIONS[1]}, the default; {GENERATIONS[0]} takes less"
        problems.add("memory", reason)
    if memory < _UNTHROTTLED and not throttled:
        problems.add("cpu_idle", f"without idle CPU an instance has at least {_text(_UNTHROTTLED)} of memory")
    if memory < _MEMORY[Decimal(1)][0]:
        problems.add("memory", f"at least {_text(_MEMORY[Decimal(1)][0])}")
    if cpu >= 1:
        return
    if second:
        problems.add("execution_environment", f"below one CPU it has to be {GENERATIONS[0]}")
    if given.get("concurrency", 1) != 1:
        problems.add("concurrency", "below one CPU it has to be 1")
    if not throttled:
        problems.add("cpu_idle", "below one CPU it has to be on")


def _text(count: int) -> str:
    return f"{count // _GI}Gi" if count % _GI == 0 else f"{count // _MI}Mi"
