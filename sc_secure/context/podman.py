"""The logins that podman, buildah and skopeo keep, where docker's configuration says nothing of a registry.

They are read as containers-auth.json(5) has it: in an entry's name a path may follow the host, and the longest that the
repository begins with counts. The tools of the steps know no such names, so what is found gets to them under the host's
own. Docker's configuration comes first, as for them (go-containerregistry, pkg/authn/keychain.go); unlike there,
another registry's login in it doesn't hide these.
https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.process import MIB
from sc_secure.tools.text import printable

FILE_VARIABLE = "REGISTRY_AUTH_FILE"
_HUB, _HUB_S_NAMES = "index.docker.io", ("docker.io", "index.docker.io", "registry-1.docker.io")
_LONGEST = MIB


@dataclass(frozen=True)
class Entry:
    """What a file says of a registry, or of a part of it."""

    file: Path
    server: str
    """The host, as the file's writers call it: docker.io for Docker Hub."""
    path: str
    """The part of the registry that it is for: empty for all of it."""
    login: Json
    """As in docker's configuration; empty where a helper has the login."""
    helper: str = ""
    """The name of the credential helper that has it."""


def podman_entries(host: str, repository: str, environ: Mapping[str, str]) -> Iterator[Entry]:
    """What there is for a repository, the most specific first.

    Args:
        host: the registry's host and port, `index.docker.io` for Docker Hub.
        repository: the path in the registry; empty: what is for the whole registry.
        environ: our environment.

    Raises:
        ConfigError: a file that is there can't be read, or holds something else.
    """
    names = _HUB_S_NAMES if host == _HUB else (host,)
    for file in _files(environ):
        config = _read(file)
        for name in names:
            helper = _mapping(config, "credHelpers").get(name)
            if isinstance(helper, str) and helper:
                yield Entry(file, names[0], "", {}, helper)
        auths = _mapping(config, "auths")
        for path in _paths(repository):
            keys = [f"{name}/{path}" if path else name for name in names]
            # As `docker login` wrote them: with a scheme, and for the whole registry whatever follows.
            keys += [] if path else sorted(key for key in auths if _host_of_url(key) in names)
            for key in keys:
                login = auths.get(key)
                if isinstance(login, dict):
                    yield Entry(file, names[0], path, cast("Json", login))


def _files(environ: Mapping[str, str]) -> list[Path]:
    """The files that are looked at: the one that is named alone, else where podman writes and where it stays."""
    if named := environ.get(FILE_VARIABLE):
        return [Path(named)]
    config = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME") or Path.home(), ".config")
    folders = [environ.get("XDG_RUNTIME_DIR"), config]
    return [Path(folder, "containers/auth.json") for folder in folders if folder]


def _read(file: Path) -> Json:
    try:
        if not file.is_file():
            return {}
        with file.open("rb") as opened:
            return parse_object(opened.read(_LONGEST), "it")
    except OSError as error:
        why = str(error.strerror)
    except InfrastructureError:
        why = "not a JSON object of at most 1 MiB"
    shown = printable(str(file), limit=200)
    advice = f"`podman login` writes it anew; or name another file in {FILE_VARIABLE}"
    raise ConfigError(f"{shown}, for the registry's credentials: {why}", advice=advice) from None


def _paths(repository: str) -> Iterator[str]:
    """The repository, its folders, and at last the whole registry."""
    while repository:
        yield repository
        repository = repository.rpartition("/")[0]
    yield ""


def _host_of_url(key: str) -> str:
    match = re.match(r"https?://([^/]+)", key)
    return match[1] if match else ""


def _mapping(config: Json, key: str) -> Json:
    value = config.get(key)
    return cast("Json", value) if isinstance(value, dict) else {}
