"""An image reference with a digest, parsed strictly and only here.

Grammar: https://github.com/distribution/reference (`domain/path:tag@sha256:hex`). A step works on a digest only: a tag
can be moved between two steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sc_secure.errors import ConfigError
from sc_secure.tools.text import printable

_MAX_NAME = 255
_DOMAIN_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_DOMAIN_LABEL}(?:\.{_DOMAIN_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]{{1,5}})?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?:(?P<domain>{_DOMAIN})/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)", re.ASCII)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_DOCKER_HUB = ("index.docker.io", "docker.io")


@dataclass(frozen=True)
class Place:
    """A checked name of a repository, or of what a tag or a digest of it names."""

    registry: str
    """Host and port; Docker Hub's is `index.docker.io`."""
    repository: str
    """The path in the registry; empty: the registry as a whole."""
    reference: str
    """A digest, else a tag; empty: neither is named."""
    name: str
    """As it was given, without tag and digest."""


@dataclass(frozen=True)
class ImageReference:
    """A checked reference to one image by its digest."""

    registry: str
    """Host and port; Docker Hub's is `index.docker.io`."""
    repository: str
    """The path in the registry, such as `library/debian`."""
    digest: str
    """`sha256:` and 64 hexadecimal digits."""
    name: str
    """Registry and repository as they were given: `debian` stays `debian`."""

    @property
    def subject(self) -> str:
        """`name@digest`: what tools are given and results name."""
        return f"{self.name}@{self.digest}"

    @property
    def hex(self) -> str:
        """The digest without its algorithm."""
        return self.digest.removeprefix("sha256:")

    def __str__(self) -> str:
        """As `subject`."""
        return self.subject


def is_digest(text: str) -> bool:
    """Whether it is `sha256:` and 64 hexadecimal digits."""
    return _DIGEST.fullmatch(text) is not None


def parse_reference(text: str) -> ImageReference:
    """The reference, checked.

    Raises:
        ConfigError: it isn't `repository@sha256:…` or `repository:tag@sha256:…`.
    """
    if "@" not in text:
        shown = printable(text, limit=200)
        raise ConfigError(
            f"--image {shown}: has no digest, and a tag can change between two steps",
            advice=f"give it as REPOSITORY@sha256:…; `crane digest {shown}` prints the digest",
        )
    found = parse_place(text)
    return ImageReference(found.registry, found.repository, found.reference, found.name)


def parse_registry(text: str) -> Place:
    """A registry as a whole, by its host and port.

    Raises:
        ConfigError: it isn't one.
    """
    if not re.fullmatch(_DOMAIN, text, re.ASCII):
        raise ConfigError(
            f"--registry {printable(text, limit=200)}: not a registry's host",
            advice="such as ghcr.io, or localhost:5000",
        )
    return Place(_DOCKER_HUB[0] if text in _DOCKER_HUB else text, "", "", text)


def parse_place(text: str) -> Place:
    """A repository, with the tag or the digest where there is one.

    Raises:
        ConfigError: it isn't `repository`, `repository:tag`, `repository@sha256:…` or `repository:tag@sha256:…`.
    """
    shown = printable(text, limit=200)
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise ConfigError(f"--image {shown}: the digest must be sha256: and 64 lower-case hexadecimal digits")
    name, tag = rest, ""
    colon = rest.rfind(":")
    if colon > rest.rfind("/"):
        name, tag = rest[:colon], rest[colon + 1 :]
        if not _TAG.fullmatch(tag):
            raise ConfigError(f"--image {shown}: not a valid tag" + (" before the digest" if at else ""))
    match = _NAME.fullmatch(name) if len(name) <= _MAX_NAME else None
    if match is None:
        raise ConfigError(f"--image {shown}: not a valid repository name")
    domain, path = match["domain"], match["path"]
    if domain and not ("." in domain or ":" in domain or domain == "localhost"):
        domain, path = None, name  # `library/debian`: the first part isn't a host
        if not _NAME.fullmatch(f"x.y/{name}"):
            raise ConfigError(f"--image {shown}: not a valid repository name")
    if domain is None or domain in _DOCKER_HUB:
        domain = _DOCKER_HUB[0]
        path = path if "/" in path else f"library/{path}"
    return Place(domain, path, digest or tag, name)
