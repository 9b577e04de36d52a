"""The JSON Schema (draft 2020-12) of a policy's file, made from the models: for editors, which complete keys by it.

A file may inherit, so it may leave out what its parent says, and may say `null` anywhere; the merged policy is checked
by the models themselves, which also know the rules that a schema can't express.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, get_origin

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from sc_secure.policy.inheritance import KEYED_LISTS, NAME
from sc_secure.policy.security import Security, model_in

USES = "Inherit from this file in .sc/parent-stacks, named without .yaml; what is said here wins, and null removes."


def file_schema() -> dict[str, Any]:
    """The schema of a file with a policy. Its other top-level keys are the stack's, and may be anything."""
    schema = Security.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = {**schema.pop("$defs"), "Security": schema}
    for model, known_by in _models().items():
        definition = definitions[model.__name__]
        _describe(definition, model, known_by)
        if model is not Security and known_by is None:
            # Here rather than where it is used, as one of two kinds: editors then mark the very key that is wrong.
            definition["type"] = ["object", "null"]
    uses = {"type": "string", "pattern": f"^{NAME.pattern}$", "description": USES}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A policy of sc-secure",
        "type": "object",
        "properties": {"uses": uses, "security": {"$ref": "#/$defs/Security"}},
        "anyOf": [{"required": ["security"]}, {"required": ["uses"]}],
        "$defs": dict(sorted(definitions.items())),
    }


@dataclass(frozen=True)
class Key:
    """A key of the block."""

    path: tuple[str, ...]
    """As YAML writes it; `[]` stands for an item of a list."""
    model: type[BaseModel]
    """The model that has it."""
    name: str
    """Its name there."""


def keys(model: type[BaseModel] = Security, path: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key of the block, each section followed by its own."""
    for name, field in model.model_fields.items():
        here = (*path, to_camel(name))
        yield Key(here, model, name)
        inner = model_in(field.annotation)
        if inner is not None:
            yield from keys(inner, (*here, "[]") if get_origin(field.annotation) is list else here)


def _models() -> dict[type[BaseModel], str | None]:
    """Every model of the block -> the key that it is known by as an item of a list that merges (empty: the list doesn't
    merge); None: it is a section."""
    return {key.model: KEYED_LISTS.get(key.path[:-2], "") if key.path[-2:-1] == ("[]",) else None for key in keys()}


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """What the source says of each of a model's keys, in the string under it.

    Read when asked for: pydantic's own way would read the sources at every start of every program.
    """
    tree = ast.parse(inspect.getsource(sys.modules[model.__module__]))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == model.__name__)
    docs: dict[str, str] = {}
    for field, under in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = under.value if isinstance(under, ast.Expr) else None
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                docs[field.target.id] = " ".join(said.value.split())
    return docs


def _describe(definition: dict[str, Any], model: type[BaseModel], known_by: str | None) -> None:
    """Adds what the source says of each key, lets each but `known_by` be absent or null, and drops titles, which only
    repeat the names."""
    del definition["title"]
    if known_by != "":
        definition.pop("required", None)
    if known_by:
        definition["required"] = [known_by]
    docs = field_docs(model)
    for name in model.model_fields:
        key = to_camel(name)
        described: dict[str, Any] = definition["properties"][key]
        described.pop("title", None)
        if key != known_by:
            described = _nullable(described)
        if name in docs:
            described["description"] = docs[name]
        definition["properties"][key] = described


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value that may be null, too. A default of null is no default."""
    if "$ref" in schema:
        return schema
    outer = {key: schema[key] for key in ("default",) if schema.get(key) is not None}
    value = {key: item for key, item in schema.items() if key != "default"}
    kinds: list[dict[str, Any]] = [kind for kind in value.pop("anyOf", [value]) if kind != {"type": "null"}]
    if len(kinds) > 1 or not isinstance(kinds[0].get("type"), str) or "const" in kinds[0]:
        return {"anyOf": [*kinds, {"type": "null"}], **outer}
    only = kinds[0] | {"type": [kinds[0]["type"], "null"]}
    return (only | {"enum": [*only["enum"], None]} if "enum" in only else only) | outer
