"""What AWS documents of a task's containers' limits. See `limits` for how problems are told.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sc_secure.components._wholes import now
from sc_secure.components.ecs.arns import parse_arn
from sc_secure.components.ecs.containers import Container
from sc_secure.components.ecs.limits import Problems, arn_form, in_range, one_of

MAX_CONTAINERS = 10
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""

CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")

ULIMITS = (
    *("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice"),
    *("nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"),
)
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html"""

CAPABILITIES = (
    *("ALL", "AUDIT_CONTROL", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER"),
    *("FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD"),
    *("NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID"),
    *("SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO"),
    *("SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM"),
)
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html"""

_HEALTH_CHECK = {
    "interval_seconds": (5, 300),
    "timeout_seconds": (2, 60),
    "retries": (1, 10),
    "start_period_seconds": (0, 300),
}
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html"""

MIN_CONTAINER_MEMORY = 6
"""The least, in MiB, that Docker reserves for a container."""

_CONTAINER_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,254}$")
_VARIABLE = re.compile(r"^[^=\0\s]+$")
_USER = re.compile(r"^[^:\s]+(:[^:\s]+)?$")


def container_problems(containers: Sequence[Container], cpu: int, memory: int, execute_command: bool) -> Problems:
    """What won't do of the containers, each alone and all together.

    Args:
        containers: all of the task's.
        cpu: the task's CPU units.
        memory: the task's memory in MiB.
        execute_command: whether ECS Exec is on.
    """
    yield from _together(containers, cpu, memory)
    for container in containers:
        yield from _alone(container, execute_command)
    yield from _dependencies(containers)


def _together(containers: Sequence[Container], cpu: int, memory: int) -> Problems:
    if len(containers) > MAX_CONTAINERS:
        yield "sidecars", f"at most {MAX_CONTAINERS - 1}: a task has up to {MAX_CONTAINERS} containers"
    seen: set[str] = set()
    for container in containers:
        if container.name in seen:
            yield f"{container.path}name", "each container's name once; the main container's is the component's"
        seen.add(container.name)
    sidecars = [each.args for each in containers if each.path]
    for key, whole in (("cpu", cpu), ("memory", memory)):
        if sum(each.get(key, 0) for each in sidecars) >= whole:
            yield "sidecars", f"their {key} together is less than the task's {whole}: the main container needs some"
    ports: set[int] = set()
    for container in containers:
        port = container.args.get("port")
        if port in ports:
            yield f"{container.path}port", "each port once: a task's containers share one network interface"
        ports |= {port} if port is not None else set()


def _alone(container: Container, execute_command: bool) -> Problems:
    args, path = container.args, container.path
    if container.path:
        if not _CONTAINER_NAME.match(container.name):
            yield f"{path}name", "letters, digits, _ and -, at most 255"
        yield from in_range(f"{path}port", args.get("port"), 1, 65535)
        yield from in_range(f"{path}cpu", args.get("cpu"), 2, 2**31 - 1)
        yield from in_range(f"{path}memory", args.get("memory"), MIN_CONTAINER_MEMORY, 2**31 - 1)
    yield from in_range(f"{path}stop_timeout_seconds", args.get("stop_timeout_seconds"), 2, 120)
    yield from _variables(args, path)
    yield from _files(args, path, execute_command)
    if "health_check" in args:
        check = args["health_check"]
        if check["command"][:1] not in (["CMD"], ["CMD-SHELL"]) or not check["command"][1:]:
            yield f"{path}health_check.command", "CMD and a program, or CMD-SHELL and a shell's command"
        for key, limits in _HEALTH_CHECK.items():
            yield from in_range(f"{path}health_check.{key}", check.get(key), *limits)
    for index, limit in enumerate(args.get("ulimits", [])):
        where = f"{path}ulimits[{index}]"
        yield from one_of(f"{where}.name", limit["name"], ULIMITS)
        yield from in_range(f"{where}.hard", limit["hard"], 0, 2**31 - 1)
        yield from in_range(f"{where}.soft", limit["soft"], 0, limit["hard"])
    for index, capability in enumerate(args.get("drop_capabilities", [])):
        yield from one_of(f"{path}drop_capabilities[{index}]", capability, CAPABILITIES)
    if not _USER.match(args.get("user", "0")):
        yield f"{path}user", "a user's name or number, and a group's after a colon, as 1000:1000"


def _variables(args: Mapping[str, Any], path: str) -> Problems:
    environment: Mapping[str, Any] = now(args.get("environment"), {})
    secrets: Mapping[str, Any] = now(args.get("secrets"), {})
    yield from environment_problems(path, environment)
    yield from secret_problems(path, secrets)
    yield from doubled_problems(path, environment, secrets)
    credentials = args.get("registry_credentials_arn")
    yield from arn_form(f"{path}registry_credentials_arn", credentials, "secretsmanager", "secret:", "a secret's")


def environment_problems(path: str, environment: Iterable[str]) -> Problems:
    """What won't do of a container's variables."""
    yield from _name_problems(f"{path}environment", environment)


def secret_problems(path: str, secrets: Mapping[str, Any]) -> Problems:
    """What won't do of a container's variables from secrets."""
    yield from _name_problems(f"{path}secrets", secrets)
    for name, value in secrets.items():
        yield from _secret(f"{path}secrets.{name}", value)


def doubled_problems(path: str, environment: Iterable[str], secrets: Iterable[str]) -> Problems:
    """A variable that is given in both ways."""
    for name in sorted(set(environment) & set(secrets)):
        yield f"{path}secrets.{name}", "is in environment as well; keep one of them"


def _name_problems(path: str, names: Iterable[str]) -> Problems:
    for name in names:
        if not _VARIABLE.match(name):
            yield f"{path}.{name}", "a variable's name has no = and no spaces"


def _secret(path: str, value: Any) -> Problems:
    if not isinstance(value, str):
        return
    arn = parse_arn(value)
    kinds = (("secretsmanager", "secret:"), ("ssm", "parameter/"))
    if arn is None or not any(arn.service == service and arn.resource.startswith(kind) for service, kind in kinds):
        yield path, "an ARN is needed, of a Secrets Manager secret or an SSM parameter: the role is given rights to it"


def _files(args: Mapping[str, Any], path: str, execute_command: bool) -> Problems:
    read_only, writable = args.get("read_only_root_filesystem", False), args.get("writable_paths", [])
    if read_only and execute_command:
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
        reason = "excludes enable_execute_command: ECS Exec's agent must write to the container's files"
        yield f"{path}read_only_root_filesystem", reason
    if writable and not read_only:
        yield f"{path}writable_paths", "has no meaning without read_only_root_filesystem"
    for index, folder in enumerate(writable):
        if not folder.startswith("/") or folder == "/" or writable.index(folder) != index:
            yield f"{path}writable_paths[{index}]", "an absolute path below /, each once"
    if not args.get("working_directory", "/").startswith("/"):
        yield f"{path}working_directory", "an absolute path"


def _dependencies(containers: Sequence[Container]) -> Problems:
    named = {each.name: each for each in containers}
    waits: dict[str, set[str]] = {}
    for container in containers:
        waits[container.name] = set()
        for index, each in enumerate(container.args.get("depends_on", [])):
            path, other = f"{container.path}depends_on[{index}]", named.get(each["container"])
            yield from one_of(f"{path}.condition", each["condition"], CONDITIONS)
            if other is None or other is container:
                yield f"{path}.container", f"another container of the task: {_others(named, container.name)}"
                continue
            waits[container.name].add(other.name)
            if each["condition"] == "HEALTHY" and "health_check" not in other.args:
                yield f"{path}.condition", f"HEALTHY needs a health_check of {other.name}"
            if each["condition"] in ("COMPLETE", "SUCCESS") and other.essential:
                yield f"{path}.condition", f"{each['condition']} needs {other.name} not to be essential: it is to end"
    circle = _circle(waits)
    if circle:
        yield "depends_on", f"these containers wait for each other: {' -> '.join(circle)}"


def _others(named: Mapping[str, Container], name: str) -> str:
    return ", ".join(sorted(set(named) - {name})) or "there is no other"


def _circle(waits: Mapping[str, set[str]]) -> list[str]:
    """Containers that wait for each other, the first one again at the end; empty: there are none."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(waits[name]):
            if circle := visit(other, [*way, name]):
                return circle
        done.add(name)
        return []

    for name in sorted(waits):
        if circle := visit(name, []):
            return circle
    return []
