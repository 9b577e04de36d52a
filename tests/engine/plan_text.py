"""A preview as a person reads it: what would be done to which resource, and which words of its command differ.

It is made of the engine's own events, without anything that differs from one run or machine to the next.
"""

import difflib
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine's JSON has for a value that isn't known yet."""
SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "+-"}
"""As in Pulumi's own diffs. Of a replacement's three steps, one is shown."""
_SAME = ("same", "create-replacement", "delete-replaced")
_OURS = "sc-secure:index:"
_ORDER = ("SecuredImage", "Image", "SbomCommand", "ScanCommand", "SignCommand", "AttestCommand", "VerifyCommand")
"""The types that come first, in the order of the steps; others come after them."""
_HASH = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{16}\b")
_SHORT = 60  # characters of a value that is shown whole on one line

Metadata = Mapping[str, Any]


def plan_text(events: str, places: Mapping[str, str]) -> str:
    """The text.

    Args:
        events: what `pulumi preview --event-log` wrote.
        places: a text of this machine -> what stands for it.
    """
    resources: dict[str, Metadata] = {}
    said: set[str] = set()
    for event in map(json.loads, events.splitlines()):
        for kind in ("resourcePreEvent", "resOutputsEvent"):
            metadata = event.get(kind, {}).get("metadata")
            # The first of a replacement's steps is the one that says why.
            if metadata and resources.get(metadata["urn"], {}).get("op") != "replace":
                resources[metadata["urn"]] = metadata
        message = event.get("diagnosticEvent", {})
        if _OURS in message.get("urn", "") and message["severity"] != "debug":
            said.add(f"{message['severity']}: {message['message'].strip()}")
    stack = next(each for each in resources.values() if each["type"] == "pulumi:pulumi:Stack")
    rest = {urn: each for urn, each in resources.items() if not each["type"].startswith("pulumi:")}
    lines = [*_tree(rest), *_outputs(stack), *sorted(said)]
    return _stable("\n".join(lines) + "\n", places)


def _tree(resources: Mapping[str, Metadata]) -> Iterator[str]:
    """What changes, each below its component where that changes too."""
    changed = {urn for urn, each in resources.items() if each["op"] not in _SAME}
    if not changed:
        yield f"no change ({len(resources)} resources)"
        return
    for urn in sorted(changed, key=lambda urn: [_rank(each) for each in _way(urn, resources)]):
        metadata = resources[urn]
        indent = "  " * sum(1 for above in _way(urn, resources)[:-1] if above["urn"] in changed)
        yield f"{indent}{SIGNS[metadata['op']]} {_kind(metadata)} {urn.rpartition('::')[2]}"
        yield from (f"{indent}    {line}" for line in _details(metadata))
    yield f"{len(resources) - len(changed)} unchanged"


def _way(urn: str, resources: Mapping[str, Metadata]) -> list[Metadata]:
    """The components above the resource, from the stack down, and the resource."""
    metadata = resources.get(urn)
    if metadata is None:
        return []
    state = metadata.get("new") or metadata["old"]
    return [*_way(state["parent"], resources), metadata]


def _kind(metadata: Metadata) -> str:
    return metadata["type"].rpartition(":")[2]


def _rank(metadata: Metadata) -> tuple[int, str]:
    kind = _kind(metadata)
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER), metadata["urn"].rpartition("::")[2])


def _details(metadata: Metadata) -> Iterator[str]:
    """What differs in the inputs; of a command that is made, its text. What is deleted has no more to say."""
    old, new = (_flat((metadata.get(state) or {}).get("inputs", {})) for state in ("old", "new"))
    if metadata["op"] == "create":
        ours = metadata["type"] == "command:local:Command"
        shown = {key: value for key, value in new.items() if key == "create" or key.startswith("environment.")}
        yield from (f"{key}: {_short(value)}" for key, value in sorted(shown.items()) if ours)
    elif metadata["op"] != "delete":
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                yield from _difference(key, old.get(key), new.get(key))


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Each leaf of nested mappings, by its path. A list is a leaf."""
    if not isinstance(value, dict):
        return {path: value}
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if not key.startswith("__"):  # the engine's own marks
            flat |= _flat(item, f"{path}.{key}" if path else key)
    return flat


def _difference(key: str, old: Any, new: Any) -> Iterator[str]:
    if key == "create" and isinstance(old, str) and isinstance(new, str) and UNKNOWN not in (old, new):
        yield f"{key}:"
        for line in difflib.ndiff(_words(old), _words(new)):
            if line[0] in "+-":
                yield f"  {line}"
    else:
        yield _change(key, old, new)


def _words(command: str) -> list[str]:
    """A command's words, each flag with its value."""
    found: list[str] = []
    for word in shlex.split(command):
        if found and found[-1].startswith("--") and " " not in found[-1] and not word.startswith("--"):
            found[-1] += f" {shlex.quote(word)}"
        else:
            found.append(shlex.quote(word))
    return found


def _outputs(stack: Metadata) -> Iterator[str]:
    old, new = ((stack.get(state) or {}).get("outputs", {}) for state in ("old", "new"))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield f"output {_change(key, old.get(key), new.get(key))}"


def _change(key: str, old: Any, new: Any) -> str:
    before, after = _short(old), _short(new)
    return f"{key}: {before} => {after}" if before != after else f"{key}: changed"


def _short(value: Any) -> str:
    if value is None:
        return "(none)"
    if UNKNOWN in json.dumps(value):
        return "[unknown]"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHORT else "(known)"


def _stable(text: str, places: Mapping[str, str]) -> str:
    for place, name in places.items():
        text = text.replace(place, name)
    numbers: dict[str, int] = {}
    return _HASH.sub(lambda found: f"HASH-{numbers.setdefault(found[0], len(numbers) + 1)}", text)
