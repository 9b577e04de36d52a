"""`uses:` — a policy that inherits from a parent's file, which may inherit in turn.

Mappings merge. So do the two lists whose items have a name of their own (`KEYED_LISTS`); any other list replaces what
is inherited. `null` removes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sc_secure.policy.document import Document, read_document
from sc_secure.policy.located import Located
from sc_secure.policy.problems import InvalidPolicy, Problem, dotted
from sc_secure.policy.security import near_miss

MAX_FILES = 8
"""How long a chain of parents may be, the first file included."""

KEYED_LISTS: Mapping[tuple[str, ...], str] = {("scan", "tools"): "name", ("scan", "ignore"): "id"}
"""A list whose items merge -> the key that an item is known by."""

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", re.ASCII)
"""A stack's or a parent's name: one folder's or file's, so that no path can be made of it."""


def read_chain(file: Path, problems: list[Problem]) -> list[Document]:
    """A file, its parent, that one's parent, and so on. What is wrong in one is added to the problems.

    Raises:
        InvalidPolicy: one can't be read, isn't there, or inherits from itself; with the problems known so far.
    """
    documents = [read_document(file, problems)]
    folder = parents_folder(file)
    while (uses := documents[-1].uses) is not None:
        parent = folder / f"{dotted([str(uses.value)])}.yaml"
        reason = _refusal(str(uses.value), parent, documents)
        if reason:
            chain = " → ".join([*(str(document.file) for document in documents), str(parent)])
            raise InvalidPolicy([*problems, Problem(uses.file, uses.line, "uses", f"{reason} ({chain})")])
        documents.append(read_document(parent, problems))
    return documents


def parents_folder(file: Path) -> Path:
    """Where the parents of a file are: in the `.sc` that it is in, else in the one beside it, else in the project's,
    which is the working directory's."""
    for folder in (*file.parents, *file.absolute().parents):
        if folder.name == ".sc":
            return folder / "parent-stacks"
    beside = file.parent / ".sc" / "parent-stacks"
    return beside if beside.is_dir() else Path(".sc/parent-stacks")


def _refusal(name: str, parent: Path, documents: list[Document]) -> str:
    """Why the parent can't be taken; empty: it can."""
    if not NAME.fullmatch(name):
        return "a parent's name is one file's name in .sc/parent-stacks, without .yaml, slashes and leading dots"
    if any(parent.resolve() == document.file.resolve() for document in documents):
        return "the files inherit in a circle; remove one `uses`"
    if len(documents) == MAX_FILES:
        return f"a chain of more than {MAX_FILES} files"
    if not parent.exists():
        there = [other.stem for other in parent.parent.glob("*.yaml")]
        return f"there is no {parent}; {near_miss(name, there) if there else 'the folder has no .yaml file'}"
    return ""


def merge_chain(documents: list[Document], problems: list[Problem]) -> Located | None:
    """The blocks of a chain of files as one; None: no file has one."""
    merged: Located | None = None
    for document in reversed(documents):
        if document.security is not None:
            merged = merge(merged, document.security, problems)
    return merged


def merge(base: Located | None, own: Located, problems: list[Problem], path: tuple[str, ...] = ()) -> Located:
    """What a file says, over what it inherits.

    Args:
        base: what is inherited there; None: nothing.
        own: what the file says.
        problems: where it is noted that a null has nothing to remove: it is a value that was forgotten, a key that is
            misspelt, or a parent that no longer says what it did, and each of them changes a policy unseen.
        path: the block's keys down to here.
    """
    if isinstance(own.value, dict):
        inherited = base.value if base is not None and isinstance(base.value, dict) else {}
        merged = dict(inherited)
        for key, item in own.value.items():
            here = (*path, key)
            if item.value is not None:
                merged[key] = merge(inherited.get(key), item, problems, here)
            elif merged.pop(key, None) is None:
                reason = "null removes what is inherited, and nothing is; remove this line"
                problems.append(Problem(item.file, item.line, dotted(["security", *here]), reason))
        return Located(merged, own.file, own.line)
    if isinstance(own.value, list):
        known_by = KEYED_LISTS.get(path)
        if known_by is None or base is None or not isinstance(base.value, list):
            items = [merge(None, item, problems, (*path, str(index))) for index, item in enumerate(own.value)]
        else:
            items = _merged_items(base.value, own.value, known_by, problems, path)
        return Located(items, own.file, own.line)
    return own


def _merged_items(
    base: list[Located], own: list[Located], known_by: str, problems: list[Problem], path: tuple[str, ...]
) -> list[Located]:
    """The inherited items, each with its changes, and then the new ones.

    A name that stands several times on one side (an id that is ignored in two packages) is replaced as a whole: which
    of the items a change is for can't be told.
    """
    merged = _grouped(base, known_by)
    for name, changes in _grouped(own, known_by).items():
        inherited = merged.get(name, [])
        single = inherited[0][1] if len(inherited) == len(changes) == 1 else None
        merged[name] = [(index, merge(single, item, problems, (*path, str(index)))) for index, item in changes]
    return [item for items in merged.values() for _, item in items]


def _grouped(items: list[Located], known_by: str) -> dict[object, list[tuple[int, Located]]]:
    """Name -> the items of that name, each with its index."""
    groups: dict[object, list[tuple[int, Located]]] = {}
    for index, item in enumerate(items):
        groups.setdefault(_name(item, known_by), []).append((index, item))
    return groups


def _name(item: Located, known_by: str) -> object:
    """What an item is known by, whatever its case: a rule for `cve-1` is one for `CVE-1`. One without a name is known
    by nothing but itself; its model refuses it."""
    entries = item.value if isinstance(item.value, dict) else {}
    name = entries.get(known_by)
    return name.value.upper() if name is not None and isinstance(name.value, str) else id(item)
