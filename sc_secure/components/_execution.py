"""Where a step's command runs: on this machine, or on a build host by SSH. Its words are the same in both."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

import pulumi
from pulumi_command import local

from sc_secure.components._validate import KMS_SCHEMES, InvalidArgs
from sc_secure.components.execution_args import ExecutionArgs, RemoteArgs

if TYPE_CHECKING:
    from pulumi_command import remote

PROGRAM = "sc-secure"
"""What a build host has on its PATH."""
_RANGES: Mapping[str, tuple[int, int]] = {
    "port": (1, 65535),
    "dial_error_limit": (-1, 1000),
    "per_dial_timeout": (0, 3600),
}
_DEFAULTS: Mapping[str, Any] = {"port": 22, "user": "root", "dial_error_limit": 10, "per_dial_timeout": 15}
"""What the class of pulumi-command's connection takes for what isn't said, and not for what turns out to be nothing."""
_MISSING = (
    "sc-secure: not on the PATH of the build host\n  install it there, of the program's own version, for the user that "
    "logs in (pip install sc-secure), with the tools that its steps need (sc-secure doctor lists them)"
)
_SINGLE = ("key", "trusted_root", "signing_config")
_SEVERAL = ("keys", "vex")


@dataclass(frozen=True)
class Host:
    """A build host; checked, with nothing registered yet."""

    connection: RemoteArgs
    folder: str
    files: tuple[str, ...]

    def text(self, words: Sequence[str]) -> str:
        """What the host's login shell runs: the command, in its folder, where there is such a program.

        The command replaces the shell, so that its parent is the connection's own process: it ends with it.
        """
        missing = f"printf '%s\\n' {shlex.quote(_MISSING)} >&2; exit 5"
        folder = shlex.quote(self.folder)
        return "\n".join(
            [
                f"mkdir -p -- {folder} && cd -- {folder} || exit 6",
                f"command -v {PROGRAM} >/dev/null || {{ {missing}; }}",
                f"exec {shlex.join([PROGRAM, *words])}",
            ]
        )

    def has(self, file: str) -> bool:
        """Whether the file is said to be on the host."""
        path = PurePosixPath(file)
        return any(path.is_relative_to(PurePosixPath(each)) for each in self.files)


def checked_execution(component: str, given: Mapping[str, Any]) -> Host | None:
    """The build host of a component's arguments; None: its commands run here.

    Args:
        component: whose arguments they are.
        given: the arguments; `execution` matters.

    Raises:
        InvalidArgs: something of it won't do.
    """
    if "execution" not in given:
        return None
    execution = cast(ExecutionArgs, given["execution"])
    problems: list[tuple[str, str]] = []
    if "registry" in given and not (component == "SecuredImage" and "build" in given):
        reason = "a build host has credentials of its own (docker's configuration, the cloud's identity): leave it out"
        problems.append(("registry", reason))
    connection: dict[str, Any] = {**cast(RemoteArgs, execution["remote"])}
    problems += [(f"execution.remote.{name}", reason) for name, reason in _connection_problems(connection)]
    folder = execution.get("folder", f"{PROGRAM}/{pulumi.get_project()}")
    if not folder or not folder.isprintable() or folder.startswith("~"):
        reason = "a folder's path is expected: absolute, or relative to the user's home without `~`"
        problems.append(("execution.folder", reason))
    files = execution.get("files", [])
    for index, file in enumerate(files):
        if not file or PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
            problems.append((f"execution.files[{index}]", "a path within the host's folder is expected"))
    if problems:
        raise InvalidArgs(component, problems)
    connection["host_key"] = pulumi.Output.from_input(connection["host_key"]).apply(_not_empty(component))
    for name, default in _DEFAULTS.items():
        if isinstance(value := connection.get(name), pulumi.Output):
            connection[name] = cast("pulumi.Output[Any]", value).apply(_or_default(component, name, default))
    return Host(cast(RemoteArgs, connection), folder, tuple(files))


def _connection_problems(connection: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("host", "host_key"):
        if connection[name] == "":
            yield name, "is empty"
    for name in _RANGES:
        if isinstance(number := connection.get(name), int) and (reason := _range_problem(name, number)):
            yield name, reason
    key = connection.get("private_key")
    if isinstance(key, str) and not key.lstrip().startswith("-----BEGIN "):
        yield "private_key", "not a private key: its text is expected (-----BEGIN …), not its path"


def _range_problem(name: str, number: Any) -> str:
    least, most = _RANGES[name]
    if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number):
        return "a whole number is expected"
    return "" if least <= number <= most else f"between {least} and {most}"


def _or_default(component: str, name: str, default: Any) -> Any:
    """Of a connection that is an output as a whole nobody knows beforehand what it says."""

    def check(known: Any) -> Any:
        if name in _RANGES and known is not None and (reason := _range_problem(name, known)):
            raise InvalidArgs(component, [(f"execution.remote.{name}", reason)])
        return default if known is None else known

    return check


def _not_empty(component: str) -> Any:
    def check(host_key: str) -> str:
        if not host_key.strip():  # the plugin would take whoever answers
            raise InvalidArgs(component, [("execution.remote.host_key", "is empty")])
        return host_key

    return check


def named_files(given: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The files that arguments or a part of a policy name: each with its property's path.

    Args:
        given: the arguments, or the part, in snake_case.
        prefix: the path of these, with its dot; empty for a component's own.
    """
    found = [(f"{prefix}{name}", given[name]) for name in _SINGLE if given.get(name)]
    for name in _SEVERAL:
        found += [(f"{prefix}{name}[{index}]", file) for index, file in enumerate(given.get(name) or [])]
    return [(path, file) for path, file in found if not file.startswith(("env://", *KMS_SCHEMES))]


def require_files(component: str, host: Host | None, named: Sequence[tuple[str, str]]) -> None:
    """Refuses what a build host can't read, before anything is registered.

    Args:
        component: whose arguments they are.
        host: the build host; None: this machine has its own files.
        named: each property's path, and the file that it names.

    Raises:
        InvalidArgs: a file that isn't said to be on the host.
    """
    if host is None:
        return
    reason = (
        "a file of this machine, which the build host hasn't got: put it into the host's folder ({folder}) and name it "
        "in execution.files"
    )
    for_keys = ", or use a key in a KMS or in a variable of the host (env://NAME)"
    problems = [
        (path, reason.format(folder=host.folder) + (for_keys if "key" in path else ""))
        for path, file in named
        if not host.has(file)
    ]
    if problems:
        raise InvalidArgs(component, problems)


def require_provenance(
    component: str, host: Host | None, given: Mapping[str, Any], build: Mapping[str, Any] | None, prefix: str = ""
) -> None:
    """Refuses a provenance that a build host can't know: it would state what is true of another machine.

    Args:
        component: whose arguments they are.
        host: the build host; None: this machine.
        given: provenance's arguments, or that part of the policy.
        build: how the image was built.
        prefix: the path of `given`, with its dot; empty for `AttestCommand`'s own arguments.

    Raises:
        InvalidArgs: it needs a checkout or the CI job's name, and the host has neither.
    """
    if host is None:
        return
    problems: list[tuple[str, str]] = []
    if given.get("builder_id") is None:
        reason = "missing: a build host doesn't know which CI job this is, so say who builds"
        problems.append((f"{prefix}builder_id", reason))
    if given.get("include_git", True) and not host.has("."):
        reason = (
            "a build host without a checkout knows no commit: name `.` in execution.files if its folder is one, or "
            "set this to false"
        )
        problems.append((f"{prefix}include_git", reason))
    if problems:
        raise InvalidArgs(component, problems)
    named = [(f"build.{key}", str(build[key])) for key in ("context", "dockerfile") if build and key in build]
    require_files(component, host, named)


def declare(
    name: str,
    text: pulumi.Output[str],
    reruns_on: Mapping[str, pulumi.Input[str]],
    host: Host | None,
    opts: pulumi.ResourceOptions,
) -> "local.Command | remote.Command":
    """Declares a step's command.

    Args:
        name: the command's name.
        text: what is run.
        reruns_on: what decides a re-run besides, as names and values.
        host: where it runs; None: here.
        opts: its options.
    """
    if host is None:
        return local.Command(
            name,
            create=text,
            environment=reruns_on,
            logging=local.Logging.NONE,
            add_previous_output_in_env=False,
            opts=opts,
        )
    from pulumi_command import remote  # noqa: PLC0415 - for those who have a build host alone

    # Not in `environment`: sshd refuses variables that it isn't told to accept. Nobody reads this: it is compared.
    counted = pulumi.Output.all(**reruns_on).apply(stdin_of)
    return remote.Command(
        name,
        connection=remote.ConnectionArgs(**host.connection),
        create=text,
        stdin=counted,
        logging=remote.Logging.NONE,
        add_previous_output_in_env=False,
        opts=opts,
    )


def stdin_of(variables: Mapping[str, str]) -> str:
    """What decides a re-run besides the command, as the text of a remote command's stdin: `NAME=value`, one a line."""
    return "".join(f"{name}={value}\n" for name, value in variables.items())
