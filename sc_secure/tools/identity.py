"""Who must have signed, where nobody keeps a key: an identity, as a Sigstore certificate names it.

cosign looks for its expression anywhere in the identity: `github.com/acme/` also takes
`https://evil.example/github.com/acme/`. Here an expression always has to match the whole identity.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.tools.documents import parse_object
from sc_secure.tools.text import printable

REGEXP_FLAG = "--certificate-identity-regexp"
ISSUER_FLAG = "--certificate-oidc-issuer"
ROOT_FLAG = "--trusted-root"
TIMESTAMPED = "--use-signed-timestamps"
"""For a certificate to count that was good at the time that a timestamp authority signed."""
_LONGEST = 1000
_MEMBERS = {
    "certificateAuthorities": ("certificate authority", "fulcio"),
    "ctlogs": ("certificate-transparency log", "fulcio"),
    "tlogs": ("transparency log", "rekor"),
    "timestampAuthorities": ("timestamp authority", "tsa"),
}
"""A member of a trusted root → what it names, and the service that needs it."""
_MAX_ROOT = 4 * 1024 * 1024
_ESCAPE = r"\\(?:[dDwWsSfnrtv]|x[0-9A-Fa-f]{2}|[!-/:-@\[-`{-~])"
# What Python's expressions and cosign's (https://golang.org/s/re2syntax) both have and read alike. Where the two differ
# in what closes a group, an expression could end the one around it here, and stand beside it.
_IN_BOTH = re.compile(
    rf"""(?: {_ESCAPE} | \\[bBA]
           | \[\^?\]?(?:{_ESCAPE}|[^\]\[\\])*\]
           | \((?:\?(?::|P<[A-Za-z_]\w*>|[ims]+[:)])|(?!\?)) | \)
           | (?:[*+?]|\{{\d{{1,3}}(?:,(?:\d{{1,3}})?)?\}})\??(?![*+?{{])
           | [.^$|]
           | [^\\\[\]{{}}()*+?.^$|]
         )+""",
    re.VERBOSE | re.ASCII,
)
_ANYBODY = (
    "zq7x@zq7x.example",
    "zq7x@gmail.com",
    "zq7x@outlook.com",
    "zq7x@users.noreply.github.com",
    "https://github.com/zq7x/zq7x/.github/workflows/zq7x.yml@refs/heads/zq7x",
    "https://gitlab.com/zq7x/zq7x//.gitlab-ci.yml@refs/heads/zq7x",
    "https://zq7x.example/zq7x/zq7x",
    "spiffe://zq7x.example/zq7x",
    "zq7x",
)
"""Identities that a stranger can have: an expression that takes one of them says nothing of who signed."""


@dataclass(frozen=True)
class Identity:
    """An identity that was checked by form. Made by `parse_identity`."""

    regexp: str
    """Must match the whole identity: an e-mail address, or a workflow's URL."""
    issuer: str
    """The URL of the OIDC issuer that vouched for the identity, as in the certificate."""
    trusted_root: Path | None = None
    """The authorities and logs that are trusted; None: those of the public Sigstore."""
    transparency_log: bool = True
    """True: the signature must be in a transparency log. False: a timestamp authority must have signed its time."""
    name: str = ""
    """The one identity that `regexp` stands for; empty: it may match several."""

    @classmethod
    def exactly(cls, name: str, issuer: str, trusted_root: Path | None, *, transparency_log: bool) -> Identity:
        """This very identity, whatever characters are in its name."""
        return cls(re.escape(name), issuer, trusted_root, transparency_log, name)

    @property
    def logged(self) -> bool:
        """As `Key.logged`."""
        return self.transparency_log

    @property
    def flags(self) -> list[str]:
        """cosign's flags for what a signature must have."""
        whole = rf"\A(?:{self.regexp})\z"
        return [f"{REGEXP_FLAG}={whole}", f"{ISSUER_FLAG}={self.issuer}", *self.trust]

    @property
    def trust(self) -> list[str]:
        """Of these, the ones for whose certificates, logs and timestamps count."""
        root = [f"{ROOT_FLAG}={self.trusted_root}"] if self.trusted_root else []
        # Without a log, cosign would look whether the certificate is good now, which it is for ten minutes, by any
        # clock. What was signed while it was good has a timestamp.
        return root if self.transparency_log else [*root, "--insecure-ignore-tlog", TIMESTAMPED]

    def __str__(self) -> str:
        """For people."""
        return f"{printable(self.regexp, limit=200)} of the issuer {printable(self.issuer, limit=200)}"


def parse_identity(regexp: str, issuer: str, trusted_root: str | None, *, transparency_log: bool) -> Identity:
    """The identity that the flags name.

    Args:
        regexp: of `--certificate-identity-regexp`.
        issuer: of `--certificate-oidc-issuer`.
        trusted_root: of `--trusted-root`: a file, or None.
        transparency_log: whether a log entry is needed.

    Raises:
        ConfigError: one isn't what it should be, or the expression takes just anybody.
    """
    _check_regexp(regexp)
    parts = urllib.parse.urlsplit(issuer)
    if parts.scheme not in ("https", "http") or not parts.netloc or printable(issuer) != issuer or " " in issuer:
        raise ConfigError(
            f"{ISSUER_FLAG} {printable(issuer, limit=200)}: not the URL of an issuer",
            advice="such as https://token.actions.githubusercontent.com, or https://accounts.google.com",
        )
    root = None if trusted_root is None else Path(trusted_root)
    if root:
        check_root(root, ("fulcio", "rekor" if transparency_log else "tsa"), ROOT_FLAG)
    return Identity(regexp, issuer, root, transparency_log)


def _check_regexp(regexp: str) -> None:
    shown = f"{REGEXP_FLAG} {printable(regexp, limit=200)}"
    if not regexp.strip():
        raise ConfigError(f"{REGEXP_FLAG}: is empty, which anybody's identity would match")
    if len(regexp) > _LONGEST or not _IN_BOTH.fullmatch(regexp):
        raise ConfigError(
            f"{shown}: not an expression that cosign and this program read alike",
            advice="see https://golang.org/s/re2syntax; put a backslash before [ ] { } where they stand for themselves",
        )
    try:
        # ASCII, because cosign's \w, \d and \s are.
        compiled = re.compile(regexp, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigError(f"{shown}: not a regular expression: {printable(str(error), limit=200)}") from None
    for stranger in _ANYBODY:
        if compiled.fullmatch(stranger):
            raise ConfigError(
                f"{shown}: anybody can have an identity that it matches, such as {stranger}",
                advice=r"say whose it is: ^https://github\.com/OWNER/REPOSITORY/, or @DOMAIN$ of your own",
            )


def check_root(path: Path, services: Collection[str], flag: str) -> None:
    """Refuse a trusted root without what it is about to be asked for: it refuses everything, and doesn't say why.

    Args:
        path: the file.
        services: what it must name: `fulcio`, `rekor`, `tsa`.
        flag: names the file in the error.

    Raises:
        ConfigError: it can't be read, is none, or names none of them.
    """
    shown = f"{flag} {printable(str(path), limit=200)}"
    try:
        with path.open("rb") as file:
            root = parse_object(file.read(_MAX_ROOT), "a trusted root")
    except OSError as error:
        raise ConfigError(f"{shown}: {error.strerror or 'cannot be read'}") from None
    except InfrastructureError:
        root = {}
    if not str(root.get("mediaType")).startswith("application/vnd.dev.sigstore.trustedroot"):
        raise ConfigError(f"{shown}: not a Sigstore trusted root", advice="`cosign trusted-root create` makes one")
    for member, (name, service) in _MEMBERS.items():
        if service in services and not root.get(member):
            raise ConfigError(
                f"{shown}: names no {name} ({member}), so that nothing could be verified",
                advice="`cosign trusted-root create` takes them as --fulcio, --ctfe, --rekor and --tsa",
            )
