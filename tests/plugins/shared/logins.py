"""A program's own registry credentials beside the ambient ones: a docker configuration that only its owner reads."""

import base64
import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_HUB = "https://index.docker.io/v1/"  # what the docker configuration calls it


class Login(NamedTuple):
    """Credentials for one registry."""

    server: str
    username: str
    password: str


@contextlib.contextmanager
def logged_in(logins: Sequence[Login]) -> Iterator[dict[str, str]]:
    """Give the environment in which docker and its like know these credentials, and the ambient ones of others."""
    if not logins:
        yield dict(os.environ)
        return
    ambient = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with tempfile.TemporaryDirectory(prefix="sc-secure-docker-") as folder:  # only the owner may enter it
        for entry in ambient.iterdir() if ambient.is_dir() else ():  # contexts, the program's plugins
            if entry.name != "config.json":
                Path(folder, entry.name).symlink_to(entry.absolute())
        config = Path(ambient, "config.json")
        known = json.loads(config.read_text()) if config.is_file() else {}
        for login in logins:
            known = _with_login(known, login)
        Path(folder, "config.json").write_text(json.dumps(known))
        yield os.environ | {"DOCKER_CONFIG": folder}


def _server(address: str) -> str:
    host = re.sub(r"^https?://", "", address).partition("/")[0]
    return _HUB if host in ("docker.io", "index.docker.io", "registry-1.docker.io") else host


def _with_login(config: dict[str, Any], login: Login) -> dict[str, Any]:
    """Return the docker configuration with one more login, that no credential store or helper overrides."""
    server, store = _server(login.server), config.get("credsStore")
    helpers = {host: store for host in config.get("auths", {}) if store} | config.get("credHelpers", {})
    helpers.pop(server, None)
    auth = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
    rest = {key: value for key, value in config.items() if key != "credsStore"}
    return rest | {"credHelpers": helpers, "auths": config.get("auths", {}) | {server: {"auth": auth}}}
