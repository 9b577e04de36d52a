"""What a verifier demands of provenance: who built, from which source, at which commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sc_secure.errors import ConfigError
from sc_secure.policy.source import check_builder, check_commit, check_source, place
from sc_secure.tools.documents import Json
from sc_secure.tools.text import printable

_SHOWN = 200


@dataclass(frozen=True)
class Origin:
    """What provenance has to name; what is empty may be anything. Made by `parse_origin`."""

    builder_id: str = ""
    """The very `builder.id`."""
    source_uri: str = ""
    """The source's repository, with `@refs/…` where the ref counts too."""
    source_commit: str = ""
    """The commit that it was built from, whole."""

    def __bool__(self) -> bool:
        """Whether anything is demanded."""
        return bool(self.builder_id or self.source_uri or self.source_commit)

    def problem(self, provenance: Json) -> str:
        """Why this provenance (SLSA v1.0's predicate) isn't the one demanded, with what it says; empty: it is."""
        builder = _text(_object(_object(provenance.get("runDetails")).get("builder")).get("id"))
        if self.builder_id and builder != self.builder_id:
            return f"it names the builder {_shown(builder)}, not {_shown(self.builder_id)}"
        source = _source(provenance)
        uri, commit = _text(source.get("uri")), _text(_object(source.get("digest")).get("gitCommit"))
        if self.source_uri and not _covers(self.source_uri, uri):
            return f"it names the source {_shown(uri)}, not {_shown(self.source_uri)}"
        if self.source_commit and commit != self.source_commit:
            return f"it names the commit {_shown(commit)}, not {_shown(self.source_commit)}"
        if (self.source_uri or self.source_commit) and _object(source.get("annotations")).get("dirty") is True:
            return "it names that source with changes that aren't in its commit (dirty)"
        return ""


def parse_origin(builder_id: str | None, source_uri: str | None, source_commit: str | None) -> Origin:
    """What the flags `--builder-id`, `--source-uri` and `--source-commit` demand.

    Raises:
        ConfigError: one isn't of its form: an empty one would demand nothing.
    """
    given = {
        "--builder-id": (builder_id, check_builder),
        "--source-uri": (source_uri, check_source),
        "--source-commit": (source_commit, check_commit),
    }
    for flag, (value, check) in given.items():
        try:
            if value is not None:
                check(value)
        except ValueError as error:
            raise ConfigError(f"{flag} {_shown(value or '')}: {error}") from None
    return Origin(builder_id or "", source_uri or "", source_commit or "")


def _covers(wanted: str, found: str) -> bool:
    host, path, ref = place(wanted)
    return (host, path) == place(found)[:2] and ref in ("", place(found)[2])


def _source(provenance: Json) -> Json:
    """The one dependency that is the source; nothing, if there are several: it isn't known then which was built."""
    listed = _object(provenance.get("buildDefinition")).get("resolvedDependencies")
    every = [_object(each) for each in cast("list[object]", listed)] if isinstance(listed, list) else []
    found = [each for each in every if "gitCommit" in _object(each.get("digest"))]
    return found[0] if len(found) == 1 else {}


def _object(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _shown(text: str) -> str:
    return printable(text, limit=_SHOWN) or "none"
