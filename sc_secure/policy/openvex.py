"""OpenVEX 0.2.0 documents (https://github.com/openvex/spec), read strictly.

What isn't understood is refused, since a statement that is read otherwise than it was meant lets something through.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

CONTEXT = "https://openvex.dev/ns/v0.2.0"
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024

Status = Literal["not_affected", "affected", "fixed", "under_investigation"]
Justification = Literal[
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
]
_Hash = Literal[
    "md5",
    "sha1",
    "sha-256",
    "sha-384",
    "sha-512",
    "sha3-224",
    "sha3-256",
    "sha3-384",
    "sha3-512",
    "blake2s-256",
    "blake2b-256",
    "blake2b-512",
]
_Identifier = Literal["purl", "cpe22", "cpe23", "@cpe22", "@cpe23"]
_SHOWN = 3


def _is_moment(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):  # one of the year 1 or 9999 may lie outside of it in UTC
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("a time with its zone is expected, as 2026-12-01T00:00:00Z")
    return value


Moment = Annotated[str, AfterValidator(_is_moment)]
Text = Annotated[str, Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Vulnerability(_Model):
    """Which vulnerability a statement is about."""

    iri: str = Field(default="", alias="@id")
    name: Text
    description: str = ""
    aliases: list[Text] = Field(default_factory=list[str])


class Component(_Model):
    """A piece of software, by at least one of its names."""

    iri: str = Field(default="", alias="@id")
    identifiers: dict[_Identifier, Text] = Field(default_factory=dict[_Identifier, str])
    hashes: dict[_Hash, Text] = Field(default_factory=dict[_Hash, str])
    supplier: str = ""

    @model_validator(mode="after")
    def _is_named(self) -> Component:
        if not (self.iri or self.identifiers or self.hashes):
            raise ValueError("names nothing: @id, identifiers or hashes is needed")
        return self


class Product(Component):
    """What a statement applies to."""

    subcomponents: list[Component] = Field(default_factory=list[Component])


class Statement(_Model):
    """One vulnerability's status in some products."""

    iri: str = Field(default="", alias="@id")
    version: int = 0
    vulnerability: Vulnerability
    timestamp: Moment | None = None
    last_updated: Moment | None = None
    products: list[Product] = Field(min_length=1)
    status: Status
    supplier: str = ""
    status_notes: str = ""
    justification: Justification | None = None
    impact_statement: str = ""
    action_statement: str = ""
    action_statement_timestamp: Moment | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Statement:
        explained = bool(self.justification or self.impact_statement)
        if self.status == "not_affected" and not explained:
            raise ValueError("not_affected needs a justification or an impact_statement")
        if self.status != "not_affected" and explained:
            raise ValueError(f"{self.status} with a justification or an impact_statement contradicts itself")
        if self.status == "affected" and not self.action_statement:
            raise ValueError("affected needs an action_statement")
        return self


class Document(_Model):
    """A VEX document."""

    context: Literal["https://openvex.dev/ns/v0.2.0"] = Field(alias="@context")
    iri: Text = Field(alias="@id")
    author: Text
    role: str = ""
    supplier: str = ""
    timestamp: Moment
    last_updated: Moment | None = None
    version: int = Field(ge=1)
    tooling: str = ""
    statements: list[Statement] = Field(min_length=1)

    def moment(self, statement: Statement) -> datetime:
        """When a statement of this document was made."""
        return datetime.fromisoformat(statement.timestamp or self.timestamp).astimezone(UTC)


def read_content(path: Path) -> bytes:
    """A document's content; of what is endless, as a link to a device, as much as `parse_document` needs to refuse it.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return file.read(MAX_DOCUMENT_BYTES + 1)


def parse_document(content: bytes) -> Document:
    """The document.

    Args:
        content: its bytes.

    Raises:
        ValueError: it isn't an OpenVEX 0.2.0 document; says where, and what is expected.
    """
    if len(content) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"larger than {MAX_DOCUMENT_BYTES // 1024 // 1024} MiB")
    try:
        value: Any = json.loads(content, object_pairs_hook=_without_duplicates)
    except _Duplicate as error:
        raise ValueError(f"the key {str(error)[:80]!a} stands twice in one object") from None
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(value, dict) or value.get("@context") != CONTEXT:  # pyright: ignore[reportUnknownMemberType]
        raise ValueError(f"not an OpenVEX 0.2.0 document: its @context isn't {CONTEXT}")
    try:
        return Document.model_validate(value)
    except ValidationError as error:
        raise ValueError("; ".join(_problems(error))) from None


class _Duplicate(ValueError):
    """A key that stands twice: which of its values counts would depend on the reader."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _Duplicate(next(key for key in keys if keys.count(key) > 1))
    return found


def _problems(error: ValidationError) -> list[str]:
    found: list[str] = []
    for item in error.errors(include_input=False, include_url=False)[:_SHOWN]:
        where = ".".join(ascii(str(part))[1:-1] for part in item["loc"])
        found.append(f"{where}: {item['msg'].removeprefix('Value error, ')}")
    more = error.error_count() - _SHOWN
    return [*found, f"{more} more"] if more > 0 else found
