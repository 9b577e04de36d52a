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
    shown = printable(text, limit=200)
    rest, at, digest = text.partition("@")
    if not at:
        raise ConfigError(
            f"--image {shown}: has no digest, and a tag can change between two steps",
            advice=f"give it as REPOSITORY@sha256:…; `crane digest {shown}` prints the digest",
        )
    if not _DIGEST.fullmatch(digest):
        raise ConfigError(f"--image {shown}: the digest must be sha256: and 64 lower-case hexadecimal digits")
    name = rest
    colon = rest.rfind(":")
    if colon > rest.rfind("/"):
        name = rest[:colon]
        if not _TAG.fullmatch(rest[colon + 1 :]):
            raise ConfigError(f"--image {shown}: not a valid tag before the digest")
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
    return ImageReference(registry=domain, repository=path, digest=digest, name=name)
