"""The JSON Schemas of what the commands print with `--output json`, in `docs/schemas/`, and the page that lists them.

`.venv/bin/python -m devtools.output_schemas` writes them anew, from the types that the commands fill. They are checked
in so that a program that reads them can be written, and so that a change of a form shows in a diff.
"""

from __future__ import annotations

import json
import types
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from devtools.cache import REPOSITORY
from devtools.console import run_main

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = REPOSITORY / "docs/schemas"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_STEPS = ("image scan", "image sign", "image verify", "sbom generate", "sbom attach", "sbom verify")
_MORE_STEPS = ("scan attach", "scan verify", "provenance generate", "provenance attach", "provenance verify")
OUTPUTS = {
    **dict.fromkeys([*_STEPS, *_MORE_STEPS], FOLDER / "step-result.schema.json"),
    **dict.fromkeys(["release create", "report"], REPOSITORY / "docs/release-result.schema.json"),
    "image status": FOLDER / "image-status.schema.json",
    "doctor": REPOSITORY / "docs/doctor.schema.json",
    "drift": FOLDER / "drift.schema.json",
    "config show": FOLDER / "config-show.schema.json",
    "config validate": FOLDER / "config-validate.schema.json",
    "changes": FOLDER / "changes.schema.json",
}
"""The schema of each command's output; `devtools.release_schema` writes the releases' and doctor's."""
_FORMATS = {"startedAt": {"format": "date-time"}, "finishedAt": {"format": "date-time"}}
_SHA256 = {"pattern": "^[0-9a-f]{64}$"}

_HEAD = """\
# What commands print for machines

Made by `python -m devtools.output_schemas`. With `--output json`, stdout is one line of JSON in the form below, or
nothing: a failure without a result says by its exit code what kind it is, and on stderr why. A result comes with the
exit code 0; with others too from `release create` (once the chain has begun), `config validate` (2) and `drift` (4, 6,
7). A program that reads them should pass over keys that it doesn't know: a later version may have more.

| command | schema |
| --- | --- |
"""


def files() -> dict[Path, str]:
    """Each file, and its text."""
    from sc_secure.cli import _documents as documents  # noqa: PLC0415 - needs the virtual environment
    from sc_secure.report.changes import ChangesDocument  # noqa: PLC0415 - needs the virtual environment
    from sc_secure.steps.result import StepResultDocument  # noqa: PLC0415 - needs the virtual environment

    models: dict[str, Any] = {
        "step-result": StepResultDocument,
        "image-status": documents.StatusDocument,
        "drift": documents.DriftDocument,
        "config-show": documents.PolicyDocument,
        "config-validate": documents.ValidationDocument,
        "changes": ChangesDocument,
    }
    written = {FOLDER / f"{name}.schema.json": json.dumps(_schema(model), indent=2) for name, model in models.items()}
    return {**{path: f"{text}\n" for path, text in written.items()}, FOLDER / "README.md": _page()}


def _schema(document: Any) -> dict[str, Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - needs the virtual environment

    return {"$schema": _DRAFT, **TypeAdapter(_for_pydantic(document)).json_schema()}


def _for_pydantic(hint: Any) -> Any:
    """The type with each TypedDict in it as one that pydantic reads on every Python, with its fields' docstrings.

    The code takes typing's, which costs nothing at each start.
    """
    from pydantic import ConfigDict, Field  # noqa: PLC0415 - needs the virtual environment
    from typing_extensions import TypedDict as Readable  # noqa: PLC0415 - needs the virtual environment

    from sc_secure.policy.schema import field_docs  # noqa: PLC0415 - needs the virtual environment

    if not isinstance(hint, type(TypedDict("T", {}))):
        arguments = get_args(hint)
        if not arguments or get_origin(hint) is Literal:
            return hint
        read = tuple(map(_for_pydantic, arguments))
        return Union[read] if isinstance(hint, types.UnionType) else get_origin(hint)[read]  # noqa: UP007 - of a tuple
    docs = field_docs(hint)  # type: ignore[arg-type]
    fields: dict[str, Any] = {}
    for name, field in get_type_hints(hint, include_extras=True).items():
        extra = _FORMATS.get(name) or (_SHA256 if name == "sha256" else {})
        about = Field(description=docs.get(name), json_schema_extra=dict(extra))
        if get_origin(field) is NotRequired:
            fields[name] = NotRequired[Annotated[_for_pydantic(get_args(field)[0]), about]]  # type: ignore[misc]
        else:
            fields[name] = Annotated[_for_pydantic(field), about]
    readable = Readable(hint.__name__, fields)  # type: ignore[operator]
    readable.__doc__ = hint.__doc__
    readable.__pydantic_config__ = ConfigDict(extra="forbid")
    return readable


def _page() -> str:
    rows: list[str] = []
    for schema in dict.fromkeys(OUTPUTS.values()):
        commands = ", ".join(f"`{words}`" for words, file in OUTPUTS.items() if file == schema)
        link = schema.name if schema.parent == FOLDER else f"../{schema.name}"
        rows.append(f"| {commands} | [{schema.name}]({link}) |")
    return _HEAD + "\n".join(rows) + "\n"


def main() -> None:
    """Writes them."""
    FOLDER.mkdir(exist_ok=True)
    for file, text in files().items():
        file.write_text(text)


if __name__ == "__main__":
    run_main(main)
