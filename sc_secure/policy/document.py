"""Reading a policy's YAML file: safely, within bounds, and with the place of every value kept.

The file may hold much else (it is the stack's), so only `uses` and `security` are looked into; the rest is parsed,
which is linear in the file's size, and never constructed.
"""

from __future__ import annotations

import difflib
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from sc_secure.policy.located import Located
from sc_secure.policy.problems import InvalidPolicy, Problem, dotted

MAX_FILE_BYTES = 256 * 1024
"""About two seconds of parsing, and a hundred times what a policy needs."""
MAX_NODES = 20_000
"""How many values a block may have once its aliases are written out."""
MAX_DEPTH = 20
"""How deep a block may be nested; the models nest five deep."""
_MAX_NUMBER = 64
"""How many characters a number may have: Python takes quadratic time for longer ones, and no key needs them."""

SWITCH_OFF = "Write `security: {enabled: false}` to switch it off."

_TAG = "tag:yaml.org,2002:"
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_SCALARS: dict[str, Callable[[yaml.ScalarNode], Any]] = {
    f"{_TAG}null": _CONSTRUCTOR.construct_yaml_null,
    f"{_TAG}bool": _CONSTRUCTOR.construct_yaml_bool,
    f"{_TAG}int": _CONSTRUCTOR.construct_yaml_int,
    f"{_TAG}float": _CONSTRUCTOR.construct_yaml_float,
    f"{_TAG}str": lambda node: node.value,
    # A date stays as it is written: a program in another language gives the same key as text, too.
    f"{_TAG}timestamp": lambda node: node.value,
}


@dataclass(frozen=True)
class Document:
    """What a file says."""

    file: Path
    uses: Located | None
    """The parent's name."""
    security: Located | None
    """The block: a mapping. None: the file has none, or not a usable one, which is then among the problems."""


def read_document(file: Path, problems: list[Problem]) -> Document:
    """What a file says; what is wrong in it is added to the problems, and left out.

    Raises:
        InvalidPolicy: nothing of the file can be used; with the problems known so far.
    """
    root = _compose(file, problems)
    name = str(file)
    if not isinstance(root, yaml.MappingNode):
        reason = "a mapping with a security: key is expected at the top level"
        raise InvalidPolicy([*problems, Problem(name, None, "", reason)], advice=SWITCH_OFF)
    problems += _repeated_keys(name, root)
    entries = {key.value: (key, node) for key, node in root.value if key.tag == f"{_TAG}str"}
    problems += _misspelt(name, entries)
    reader = _Reader(name, problems)
    uses = reader.uses(*entries["uses"]) if "uses" in entries else None
    if "security" in entries:
        return Document(file, uses, reader.security(*entries["security"]))
    if "uses" not in entries:
        problems.append(Problem(name, None, "security", f"missing. {SWITCH_OFF}"))
    return Document(file, uses, None)


def _compose(file: Path, problems: list[Problem]) -> yaml.Node | None:
    """The file's nodes: parsed, and nothing constructed.

    Raises:
        InvalidPolicy: it can't be read, is too large, or isn't YAML.
    """

    def failed(reason: str, line: int | None = None) -> InvalidPolicy:
        return InvalidPolicy([*problems, Problem(str(file), line, "", reason)])

    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise failed("not a regular file")
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise failed(error.strerror or type(error).__name__) from None
    except ValueError:
        raise failed("not a file's name") from None
    if len(content) > MAX_FILE_BYTES:
        raise failed(f"larger than {MAX_FILE_BYTES} bytes, which a policy never is")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise failed("not UTF-8", content.count(b"\n", 0, error.start) + 1) from None
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)  # pyright: ignore[reportUnknownMemberType]
    except yaml.MarkedYAMLError as error:
        said = ", ".join(part for part in (error.context, error.problem) if part)
        mark = error.problem_mark or error.context_mark
        column = f" (column {mark.column + 1})" if mark else ""
        raise failed(f"not YAML{column}: {said}", mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        position = cast(Any, error).position if hasattr(error, "position") else 0
        raise failed("not YAML: a control character", text.count("\n", 0, position) + 1) from None
    except RecursionError:
        raise failed("nested too deeply") from None


def _repeated_keys(file: str, root: yaml.Node) -> Iterator[Problem]:
    """Keys that stand twice in one mapping, of which YAML would silently take the last; in the whole file."""
    waiting: list[tuple[yaml.Node, tuple[str, ...]]] = [(root, ())]
    visited: set[int] = set()
    while waiting:
        node, path = waiting.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += [(item, (*path, str(index))) for index, item in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            first: dict[tuple[str, str], int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                here = (*path, key.value if isinstance(key, yaml.ScalarNode) else "")
                waiting.append((value, here))
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if (key.tag, key.value) in first:
                    reason = f"this key stands here twice, first in line {first[key.tag, key.value]}; keep one of them"
                    yield Problem(file, line, dotted(here), reason)
                first.setdefault((key.tag, key.value), line)


def _misspelt(file: str, entries: dict[str, tuple[yaml.Node, yaml.Node]]) -> Iterator[Problem]:
    """Top-level keys that are almost ours. Others may be there, since the file is the stack's, but a policy under a
    misspelt key would silently not be followed."""
    for word, (key, _) in entries.items():
        if word in ("uses", "security"):
            continue
        near = difflib.get_close_matches(word.casefold(), ["security"], n=1, cutoff=0.8)
        meant = "uses" if word.casefold() in ("uses", "use") else near[0] if near else ""
        if meant:
            yield Problem(file, key.start_mark.line + 1, dotted([word]), f"did you mean {meant}?")


class _Reader:
    """Turns a file's nodes into located values; what isn't allowed becomes a problem and is left out."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._nodes = 0
        self._start = 1

    def uses(self, key: yaml.Node, node: yaml.Node) -> Located | None:
        """The parent's name."""
        if node.tag != f"{_TAG}str" or not node.value:
            return self._wrong(key, ("uses",), "one parent's name is expected: that of a file in .sc/parent-stacks")
        return Located(node.value, self._file, key.start_mark.line + 1)

    def security(self, key: yaml.Node, node: yaml.Node) -> Located | None:
        """The block."""
        if not isinstance(node, yaml.MappingNode):
            return self._wrong(key, ("security",), f"a mapping is expected. {SWITCH_OFF}")
        self._start = key.start_mark.line + 1
        return self._value(key, node, ("security",))

    def _wrong(self, node: yaml.Node, path: tuple[str, ...], reason: str) -> None:
        self._problems.append(Problem(self._file, node.start_mark.line + 1, dotted(path), reason))

    def _value(self, key: yaml.Node, node: yaml.Node, path: tuple[str, ...]) -> Located | None:
        """A value under its key, or an item of a list under itself.

        Aliases are followed, since the stack's other sections share values by them, and a policy in the same file may.
        They are harmless within bounds: each use counts as if written out, which stops both exponential and endless
        growth. Merge keys (`<<`) are refused: `uses` is the one way to inherit.

        Raises:
            InvalidPolicy: the block is larger or deeper than the bounds.
        """
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            reason = f"more than {MAX_NODES} values or {MAX_DEPTH} levels, with aliases written out"
            raise InvalidPolicy([*self._problems, Problem(self._file, self._start, "security", reason)])
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            value: Any = self._entries(node, path)
        elif isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            items = (self._value(item, item, (*path, str(index))) for index, item in enumerate(node.value))
            value = [item for item in items if item is not None]
        elif isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            return self._scalar(key, node, path)
        else:
            return self._wrong(node, path, f"the tag {dotted([node.tag.removeprefix(_TAG)])} isn't allowed here")
        return Located(value, self._file, key.start_mark.line + 1)

    def _entries(self, node: yaml.MappingNode, path: tuple[str, ...]) -> dict[str, Located]:
        entries: dict[str, Located] = {}
        for key, value in node.value:
            if key.tag == f"{_TAG}merge":
                self._wrong(key, (*path, "<<"), "merge keys aren't read in a policy; inherit with `uses`")
            elif key.tag != f"{_TAG}str":
                self._wrong(key, path, "a key that isn't a text")
            elif (located := self._value(key, value, (*path, key.value))) is not None:
                entries[key.value] = located
        return entries

    def _scalar(self, key: yaml.Node, node: yaml.ScalarNode, path: tuple[str, ...]) -> Located | None:
        if node.tag == f"{_TAG}null" and not node.value:
            reason = "no value; write {} for a section's defaults, or null to remove what is inherited"
            return self._wrong(key, path, reason)
        if node.tag in (f"{_TAG}int", f"{_TAG}float") and len(node.value) > _MAX_NUMBER:
            return self._wrong(key, path, f"a number of more than {_MAX_NUMBER} characters")
        try:
            return Located(_SCALARS[node.tag](node), self._file, key.start_mark.line + 1)
        except (ValueError, KeyError, IndexError):
            return self._wrong(key, path, "its tag says another type than its text is")
