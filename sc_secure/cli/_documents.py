"""What commands that are no step print with `--output json`: one line each. `docs/schemas/` is made of these types.

A step prints `StepResultDocument`, `release create` and `report` a `ReleaseResult`, `changes` a `ChangesDocument`.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class AttachedDocument(TypedDict):
    """Something that is attached to an image in its registry."""

    digest: str
    """Its manifest's digest."""
    kind: str
    """The predicate type of a Sigstore bundle, else the artifact's type. As the manifest says: it isn't verified."""


class ImageStatus(TypedDict):
    """One image."""

    subject: str
    """`repository@sha256:…`."""
    attached: list[AttachedDocument] | None
    """In the registry's order; null: it isn't known."""
    reason: NotRequired[str]
    """Why it isn't known."""


class StatusDocument(TypedDict):
    """What is attached to images: the result of `image status`."""

    images: list[ImageStatus]
    """In the order of the flags."""


class ImageDrift(TypedDict):
    """One image that the stack secured."""

    subject: str
    """`repository@sha256:…`."""
    gone: list[AttachedDocument]
    """What the last update attached, and the registry doesn't list any more."""
    softFailed: list[str]
    """Steps that failed softly in the last update, by their names."""
    unknown: NotRequired[str]
    """Why it isn't known what is gone."""


class DriftDocument(TypedDict):
    """What the next update would do again: the result of `drift`."""

    images: list[ImageDrift]


class Place(TypedDict):
    """Where a value stands."""

    file: str
    line: int
    """Counted from 1."""


class PolicyDocument(TypedDict):
    """A policy with all it inherits: the result of `config show`."""

    files: list[str]
    """The policy's own file, then its parent's, and so on."""
    security: dict[str, Any]
    """The merged block, as client.schema.json has it."""
    origins: dict[str, Place]
    """Where each value stands, by its path."""


class ProblemDocument(TypedDict):
    """One thing that is wrong."""

    file: str
    line: int | None
    """Counted from 1; null: it is about the whole file."""
    path: str
    """The key's path (`security.scan.failOn`); empty where there is none."""
    reason: str


class ValidationDocument(TypedDict):
    """Whether a policy is valid: the result of `config validate`."""

    valid: bool
    files: list[str]
    """The policy's own file, then its parent's, and so on; empty where it isn't valid."""
    problems: list[ProblemDocument]
    """What is wrong; empty where it is valid."""
    warnings: list[ProblemDocument]
    """What a deployment refuses of a valid policy."""
