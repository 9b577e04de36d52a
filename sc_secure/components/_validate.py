"""Checks a constructor's arguments against their `TypedDict`, before anything is registered.

A component gets a plain dict, whatever the user's language. Errors name the property's path and what is allowed, never
the value.
"""

import re
import types
import typing
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar, cast

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.output import Unknown

from sc_secure.errors import ConfigError
from sc_secure.policy.security import Retry, near_miss, parse_security

T = TypeVar("T", bound=Mapping[str, Any])

DIGEST_REFERENCE = re.compile(r"^[^\s@]+@sha256:[0-9a-f]{64}$")
KMS_SCHEMES = ("awskms://", "gcpkms://", "azurekms://", "hashivault://", "k8s://", "pkcs11:")


class InvalidArgs(pulumi.RunError, InputPropertiesError):
    """Bad arguments. Pulumi prints it without a stack trace, in a program and across the provider boundary."""

    def __init__(self, component: str, problems: Sequence[tuple[str, str]]) -> None:
        lines = [f"  {path}: {reason}" if path else f"  {reason}" for path, reason in problems]
        details: list[InputPropertyErrorDetails] = [{"property_path": path, "reason": why} for path, why in problems]
        self.problems = list(problems)
        super().__init__(
            "\n".join([f"{component}: the arguments aren't valid, and nothing was changed", *lines]), details
        )


def validated(component: str, kind: type[T], args: Any) -> T:
    """The arguments, checked: no unknown key, none missing, each of its type. Whole floats become integers.

    Raises:
        InvalidArgs: every problem at once, each with its path.
    """
    problems: list[tuple[str, str]] = []
    checked = _check(component, args, kind, "", problems)
    if problems:
        raise InvalidArgs(component, problems)
    return cast(T, checked)


def policy_checked(component: str, section: str, values: Mapping[str, Any], names: Mapping[str, str]) -> Any:
    """A section of the policy made from a component's own arguments, checked by the policy's model.

    Args:
        component: whose arguments they are.
        section: the section's name in `Security`.
        values: the section, in snake_case.
        names: a section's key -> the argument that it came from, where they differ.

    Raises:
        InvalidArgs: with the arguments' paths.
    """
    extra: dict[str, Any] = {} if section == "signing" else {"signing": {"key": "any.key"}}
    try:
        return getattr(parse_security({section: dict(values), **extra}, root="", camel=False), section)
    except ConfigError as error:
        problems = [line.split(": ", 1) for line in error.message.splitlines()]
        paths = [(path.removeprefix(f".{section}").removeprefix("."), reason) for path, reason in problems]
        raise InvalidArgs(component, [(names.get(path, path), reason) for path, reason in paths]) from None


def retry_checked(component: str, given: Mapping[str, Any], path: str) -> Retry:
    """How a component's steps try again, checked by the policy's model.

    Raises:
        InvalidArgs: with the arguments' paths.
    """
    try:
        return parse_security({"retry": dict(given)}, root="", camel=False).retry
    except ConfigError as error:
        problems = [line.split(": ", 1) for line in error.message.splitlines()]
        raise InvalidArgs(component, [(f"{path}{at.removeprefix('.retry')}", why) for at, why in problems]) from None


def digest_reference(component: str, path: str, value: pulumi.Input[str]) -> pulumi.Output[str]:
    """The value as an output that is `repository@sha256:…`; a plain value that isn't is refused right away.

    Raises:
        InvalidArgs: it has no digest.
    """

    def check(reference: str) -> str:
        if not DIGEST_REFERENCE.match(reference):
            reason = "a digest reference is needed (repository@sha256:…), since a tag can be moved to another image"
            raise InvalidArgs(component, [(path, f"{reason}; `crane digest REPOSITORY:TAG` prints the digest")])
        repository, digest = reference.split("@")
        folder, slash, last = repository.rpartition("/")
        return f"{folder}{slash}{last.split(':')[0]}@{digest}" if slash else reference

    if isinstance(value, str):
        return pulumi.Output.from_input(check(value))
    return (value if isinstance(value, pulumi.Output) else pulumi.Output.from_input(value)).apply(check)


def portable_key(component: str, path: str, key: str, root: str) -> str:
    """The key as it stands in a command: `env://NAME`, a KMS address, or a path relative to the project.

    Raises:
        InvalidArgs: a path that is absolute and outside the project.
    """
    if key.startswith(("env://", *KMS_SCHEMES)):
        return key
    return portable_path(component, path, key, root)


def portable_path(component: str, path: str, value: str, root: str) -> str:
    """A file's path relative to the project: an absolute one would make the plan differ from machine to machine.

    Raises:
        InvalidArgs: it is absolute and outside the project.
    """
    file = PurePosixPath(value)
    if not file.is_absolute():
        return value
    for folder in (root, str(Path(root).resolve())):
        if file.is_relative_to(folder):
            return str(file.relative_to(folder))
    reason = "an absolute path outside the project differs from machine to machine; use a path relative to Pulumi.yaml"
    raise InvalidArgs(component, [(path, reason)])


def _check(component: str, value: Any, hint: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    hint, takes_outputs = _unwrap(hint)
    origin = typing.get_origin(hint)
    if isinstance(value, pulumi.Output | Awaitable):
        whole = typing.is_typeddict(hint) or origin in (dict, list)
        if not takes_outputs:
            problems.append((path, _WHOLE if whole else _SINGLE))
        return _checked_later(component, cast(Any, value), hint, path) if takes_outputs and whole else cast(Any, value)
    if typing.is_typeddict(hint):
        return _check_keys(component, value, hint, path, problems)
    if origin in (list, dict):
        return _check_items(component, value, hint, path, problems)
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if hint is float and type(value) is int:
        return float(value)
    # An unknown is within what was given as an output, in a preview.
    if type(value) is not hint and not isinstance(value, Unknown):
        problems.append((path, f"a {_NAMES[hint]} is expected"))
    return value


_MUST_BE_KNOWN = "must be known when the program runs: it can't be an output of another resource"
_SINGLE = f"{_MUST_BE_KNOWN}; give a plain value, such as one of the stack's configuration"
_WHOLE = (
    f"{_MUST_BE_KNOWN}, or a secret, as a whole; give a plain value, of which those members that the documentation "
    "calls `or output` may be outputs and secrets"
)
_NAMES = {str: "string", bool: "boolean", int: "whole number", float: "number"}


def _unwrap(hint: Any) -> tuple[Any, bool]:
    """The type inside `NotRequired` and `pulumi.Input`, and whether it may be an output."""
    if typing.get_origin(hint) is typing.NotRequired:
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return typing.get_args(hint)[0], True
    return hint, False


def _checked_later(component: str, value: pulumi.Input[Any], hint: Any, path: str) -> Any:
    """A mapping or a list that an output gives, checked once it is known.

    Where its keys are known beforehand, it is a mapping of outputs, each as secret as the whole; a key that turns out
    to be absent gives None. Any other is an output.
    """

    def check(known: Any) -> Any:
        problems: list[tuple[str, str]] = []
        checked = _check(component, known, hint, path, problems)
        if problems:
            raise InvalidArgs(component, problems)
        return checked

    def member(key: str) -> Any:
        return lambda known: known if isinstance(known, Unknown) else known.get(key)  # pyright: ignore

    whole = pulumi.Output.from_input(value).apply(check, run_with_unknowns=True)
    if not typing.is_typeddict(hint):
        return whole
    return {key: whole.apply(member(key), run_with_unknowns=True) for key in hint.__annotations__}


def _check_keys(component: str, value: Any, hint: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, Mapping):
        problems.append((path, "a mapping is expected"))
        return value
    given = {key: item for key, item in cast(Mapping[str, Any], value).items() if item is not None}
    hints: dict[str, Any] = hint.__annotations__
    checked: dict[str, Any] = {}
    for key, item in given.items():
        where = f"{path}.{key}" if path else key
        if key in hints:
            checked[key] = _check(component, item, hints[key], where, problems)
        else:
            problems.append((where, f"unknown argument; {near_miss(key, hints)}"))
    for key, item in hints.items():
        if typing.get_origin(item) is not typing.NotRequired and key not in given:
            problems.append((f"{path}.{key}" if path else key, "missing"))
    return checked


def _check_items(component: str, value: Any, hint: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    if isinstance(value, Unknown):
        return value
    item_hint = typing.get_args(hint)[-1]
    if typing.get_origin(hint) is list:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            problems.append((path, "a list is expected"))
            return cast(Any, value)
        items = cast(Sequence[Any], value)
        return [_check(component, item, item_hint, f"{path}[{index}]", problems) for index, item in enumerate(items)]
    if not isinstance(value, Mapping):
        problems.append((path, "a mapping is expected"))
        return value
    entries = cast(Mapping[str, Any], value)
    return {key: _check(component, item, item_hint, f"{path}.{key}", problems) for key, item in entries.items()}
