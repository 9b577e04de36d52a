"""Package URLs (https://github.com/package-url/purl-spec): read, and compared as a VEX statement means them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

_LOWER_CASE = frozenset({"apk", "bitbucket", "composer", "deb", "github", "oci", "pypi"})
"""The types whose names have no capitals. In any other, a name in other letters is another name."""


@dataclass(frozen=True)
class Purl:
    """A package URL: `pkg:type/namespace/name@version?qualifiers#subpath`, decoded."""

    type: str
    namespace: str
    name: str
    version: str
    """Empty: every version."""
    qualifiers: tuple[tuple[str, str], ...]
    """Sorted."""
    subpath: str

    def covers(self, other: Purl) -> bool:
        """Whether what is said of this one is said of the other: the same package, and all that this one restricts."""
        return (
            (self.type, self.namespace, self.name) == (other.type, other.namespace, other.name)
            and self.version in ("", other.version)
            and self.subpath in ("", other.subpath)
            and set(self.qualifiers) <= set(other.qualifiers)
        )

    def qualifier(self, key: str) -> str:
        """A qualifier's value; empty: there is none."""
        return dict(self.qualifiers).get(key, "")


def parse_purl(text: str) -> Purl:
    """The package URL that the text is.

    Raises:
        ValueError: it isn't one.
    """
    scheme, colon, rest = text.partition(":")
    rest, _, subpath = rest.partition("#")
    rest, _, query = rest.partition("?")
    path, _, version = _at_version(rest.lstrip("/"))
    kind, _, place = path.partition("/")
    names = [unquote(part) for part in place.split("/") if part]
    if scheme.lower() != "pkg" or not colon or not kind or not names:
        raise ValueError("not a package URL (pkg:type/namespace/name@version)")
    kind = kind.lower()
    if kind in _LOWER_CASE:
        names = [name.lower() for name in names]
    if kind == "pypi":
        names = [name.replace("_", "-") for name in names]
    *namespace, name = names
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    qualifiers = sorted((key.lower(), unquote(value)) for key, _, value in pairs if value)
    return Purl(kind, "/".join(namespace), name, unquote(version), tuple(qualifiers), unquote(subpath).strip("/"))


def _at_version(text: str) -> tuple[str, str, str]:
    """The path, and the version behind its last `@`. An npm namespace begins with one too, and a slash follows it."""
    path, at, version = text.rpartition("@")
    return (path, at, version) if at and "/" not in version else (text, "", "")
