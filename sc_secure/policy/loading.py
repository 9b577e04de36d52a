"""Reading a `security:` block from a file: safely, within bounds, and with nothing silently dropped."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, cast

import yaml

from sc_secure.errors import ConfigError
from sc_secure.policy.security import parse_security

MAX_FILE_BYTES = 1024 * 1024
STACK_FILE = ".sc/stacks/{stack}/client.yaml"


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe subset, without the two things that hide a mistake or a bomb: duplicate keys and aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = cast(Any, self.peek_event()).start_mark  # pyright: ignore[reportUnknownMemberType]
            raise yaml.MarkedYAMLError(problem="aliases aren't allowed here", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key: Any = self.construct_object(key_node, deep=True)  # pyright: ignore[reportUnknownMemberType]
            if isinstance(key, Hashable) and key in seen:
                mark = key_node.start_mark
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} stands here twice", problem_mark=mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_security(path: str | None = None, *, stack: str | None = None) -> dict[str, Any]:
    """The `security:` block of a file, checked, in the form that `SecuredImage` takes as `security`.

    Args:
        path: a YAML file with a `security:` key at its top level.
        stack: instead of a path, the stack whose `.sc/stacks/<stack>/client.yaml` is read.

    Raises:
        ConfigError: the file can't be read, isn't YAML, has no `security:` block, or says what isn't allowed.
    """
    if (path is None) == (stack is None):
        raise ConfigError("load_security: give either a path or a stack")
    if stack is not None and (not stack or stack.startswith(".") or "/" in stack or "\\" in stack):
        raise ConfigError("stack: a stack's name is one folder's name, without slashes and leading dots")
    file = Path(path) if path is not None else Path(STACK_FILE.format(stack=stack))
    document = _read(file)
    if not isinstance(document, dict):
        raise ConfigError(f"{file}: a mapping with a security: key is expected at the top level")
    keys = cast(dict[str, Any], document)
    if "uses" in keys:
        raise ConfigError(f"{file}: uses: inheriting from a parent isn't available in this version; remove it")
    block: Any = keys.get("security")
    if not isinstance(block, dict):
        advice = "Write `security: {enabled: false}` to switch it off."
        raise ConfigError(f"{file}: security: missing, or not a mapping", advice=advice)
    security = parse_security(cast(dict[str, Any], block), root=f"{file}: security")
    return security.model_dump(exclude_unset=True)


def _read(file: Path) -> Any:
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from None
    if len(text) > MAX_FILE_BYTES:
        raise ConfigError(f"{file}: larger than {MAX_FILE_BYTES} bytes, which a security block never is")
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - it derives from SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise ConfigError(f"{where}: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{file}: not YAML: {type(error).__name__}") from None
