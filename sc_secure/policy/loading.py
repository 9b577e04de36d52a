"""Loading a `security:` block from a file and the files that it inherits from, checked as one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sc_secure.errors import ConfigError
from sc_secure.policy.document import SWITCH_OFF
from sc_secure.policy.inheritance import NAME, merge_chain, read_chain
from sc_secure.policy.located import Located
from sc_secure.policy.problems import InvalidPolicy, Problem, dotted
from sc_secure.policy.security import Security, problems

STACK_FILE = ".sc/stacks/{stack}/client.yaml"


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy, and where each part of it stands."""

    security: Security
    block: Located
    """The merged block, with the keys as the files write them, and without what they don't say."""
    files: tuple[str, ...]
    """The file, its parent, that one's parent, and so on."""


def load_security(path: str | None = None, *, stack: str | None = None) -> dict[str, Any]:
    """The `security:` block of a file, merged with what it inherits, in the form that `SecuredImage` takes.

    Args:
        path: a YAML file with `security:` at its top level, or `uses`, a parent's name: a file in `.sc/parent-stacks`.
        stack: instead of a path, the stack whose `.sc/stacks/<stack>/client.yaml` is read.

    Raises:
        ConfigError: a file can't be read, isn't YAML, has no `security:` block, or says what isn't allowed. Every
            problem of all files is in it, each with its file and line.
    """
    return load_policy(path, stack=stack).security.model_dump(exclude_unset=True, mode="json")


def load_policy(path: str | None = None, *, stack: str | None = None) -> LoadedPolicy:
    """What `load_security` reads, with the place of every value.

    Raises:
        ConfigError: as there.
    """
    if (path is None) == (stack is None):
        raise ConfigError("load_security: give either a path or a stack")
    if stack is not None and not NAME.fullmatch(stack):
        raise ConfigError("stack: a stack's name is one folder's name, without slashes and leading dots")
    file = Path(path) if path is not None else Path(STACK_FILE.format(stack=stack))
    found: list[Problem] = []
    documents = read_chain(file, found)
    block = merge_chain(documents, found)
    if block is None:
        found = found or [Problem(str(file), None, "security", f"missing, and inherited from nowhere. {SWITCH_OFF}")]
        raise InvalidPolicy(found)
    security = _checked(block, found)
    return LoadedPolicy(security, block, tuple(str(document.file) for document in documents))


def _checked(block: Located, found: list[Problem]) -> Security:
    """The block's model.

    Raises:
        InvalidPolicy: the problems found before, and those of the block, each at the line that its value comes from.
    """
    try:
        security = Security.model_validate(block.plain, by_alias=True, by_name=False)
    except ValidationError as error:
        left_out = [f"{each.path}." for each in found]
        for parts, reason in problems(error, camel=True):
            path, place = dotted(["security", *parts]), block.at(parts)
            # What stands around a value that was left out can't be judged: it would be called incomplete.
            if not any(each.startswith(f"{path}.") for each in left_out):
                found.append(Problem(place.file, place.line, path, reason))
        raise InvalidPolicy(found) from None
    if found:
        raise InvalidPolicy(found)
    return security
