"""Where an image's source is: a repository and a commit, as policies, flags and provenance write them."""

from __future__ import annotations

import re
import urllib.parse

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_SCP_LIKE = re.compile(r"(?:[^@/\s]+@)?([\w.-]+):(?!//)(\S+)", re.ASCII)


def place(uri: str) -> tuple[str, str, str]:
    """A repository's host, path and ref, however it is reached: `git+https://`, `ssh://` and `git@host:` are one.

    What it doesn't name is empty.
    """
    text, at, ref = uri.removeprefix("git+").partition("@refs/")
    ref = f"refs/{ref}" if at else ""
    scp = _SCP_LIKE.fullmatch(text)
    if "://" not in text and scp:
        text = f"ssh://{scp[1]}/{scp[2].lstrip('/')}"
    try:
        parts = urllib.parse.urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return "", "", ""
    return host, parts.path.strip("/").removesuffix(".git"), ref


def check_source(uri: str) -> str:
    """The URI, if it names a repository.

    Raises:
        ValueError: it doesn't.
    """
    if not uri.isprintable() or " " in uri or not all(place(uri)[:2]):
        raise ValueError("names no repository, such as https://github.com/OWNER/REPOSITORY or …@refs/heads/main")
    return uri


def check_commit(commit: str) -> str:
    """The commit, if it is a whole one.

    Raises:
        ValueError: it isn't.
    """
    if not _COMMIT.fullmatch(commit):
        raise ValueError("not a whole commit (40 or 64 hexadecimal digits; `git rev-parse HEAD` prints it)")
    return commit


def check_builder(uri: str) -> str:
    """The builder's id, if it is something to compare with.

    Raises:
        ValueError: it isn't.
    """
    if not uri.strip() or not uri.isprintable():
        raise ValueError("not a URI")
    return uri
