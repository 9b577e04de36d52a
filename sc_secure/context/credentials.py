"""Registry credentials: named variables, a file, docker's configuration, podman's, or the ambient cloud identity, in
this order.

Docker's configuration is where docker, cosign and syft find theirs too; for the other two they get a private one.
https://docs.docker.com/reference/cli/docker/login/#configuration-file (`auths`, `credsStore`, `credHelpers`).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sc_secure.context.cloud import helper_of, token_for
from sc_secure.context.podman import Entry, podman_entries
from sc_secure.errors import ConfigError, InfrastructureError, NotAuthorised, ToolMissing
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.environment import environment_for
from sc_secure.tools.process import MIB, Runner
from sc_secure.tools.registry import Credentials
from sc_secure.tools.text import printable

_DOCKER_HUB = "https://index.docker.io/v1/"
_MAX_CONFIG = MIB
_HAS_NONE = b"credentials not found"
"""How a helper says that it has none (`errCredentialsNotFoundMessage` of docker-credential-helpers)."""
_HELPER = re.compile(r"[\w.-]+", re.ASCII)
_TOKEN_USER = "<token>"  # noqa: S105 - the helper protocol's mark of an identity token  # nosec B105


@dataclass(frozen=True)
class NamedVariables:
    """The names of the environment variables that hold the registry's user name and password."""

    username: str
    password: str


@dataclass(frozen=True)
class Given:
    """Where the user says that the registry's credentials are."""

    variables: NamedVariables | None = None
    file: Path | None = None
    """Written as docker's configuration; passed over where it isn't, as when a person runs a deployment's command."""


NOWHERE = Given()


def login(
    host: str, given: Given, runner: Runner, environ: Mapping[str, str], temp: Path, *, repository: str = ""
) -> Path | None:
    """A private docker configuration with the registry's credentials; None: docker's own has them, or nobody has.

    Args:
        host: the registry's host and port, `index.docker.io` for Docker Hub.
        given: where the user says that they are.
        runner: runs a credential helper or a cloud's program.
        environ: our environment.
        temp: the run's private folder: the configuration goes with it, however the run ends.
        repository: the path in the registry, for which podman may have a login of its own.

    Raises:
        ConfigError: a named variable isn't set, others can read the file, or podman's can't be read.
        NotAuthorised: podman leaves it to a helper that doesn't work.
    """
    found = _said(host, given, runner, environ)
    if found is None and not _is_configured(host, environ):
        found = _unconfigured(host, repository, runner, environ, temp)
    return _private_config(host, found, temp) if found else None


def registry_credentials(
    host: str, given: Given, runner: Runner, environ: Mapping[str, str], temp: Path, *, repository: str = ""
) -> Credentials | None:
    """What a registry is asked with by a run that may ask several; None: nothing.

    Args:
        host: the registry's host and port, `index.docker.io` for Docker Hub.
        given: where the user says that credentials are. Named variables are for whichever registry is asked.
        runner: runs a credential helper or a cloud's program.
        environ: our environment.
        temp: the run's private folder.
        repository: see `credentials_for`.

    Raises:
        ConfigError, InfrastructureError, NotAuthorised: see `login` and `credentials_for`.
    """
    found = _said(host, given, runner, environ)
    if found is None and not _is_configured(host, environ):
        return _unconfigured(host, repository, runner, environ, temp)
    return found or credentials_for(host, runner, environ, temp, repository=repository)


def has_own_entry(host: str, repository: str, environ: Mapping[str, str]) -> bool:
    """Whether docker's configuration, or podman's, has an entry that isn't for the whole registry.

    Raises:
        ConfigError: podman's can't be read.
    """
    config = _read_config(environ)
    if _is_configured(host, environ):
        return any(f"{host}/{repository}" in _mapping(config, key) for key in ("auths", "credHelpers"))
    return any(entry.path for entry in podman_entries(host, repository, environ))


def podman_file(host: str, repository: str, environ: Mapping[str, str]) -> Path | None:
    """The file from which podman's login for a repository would be taken; None: there is none.

    Raises:
        ConfigError: it can't be read.
    """
    if _is_configured(host, environ):
        return None
    entries = podman_entries(host, repository, environ)
    return next((entry.file for entry in entries if entry.helper or _entry(entry.login)), None)


def check_given(given: Given, environ: Mapping[str, str]) -> None:
    """Refuses what can't be used, before a registry is asked that may want no credentials.

    Raises:
        ConfigError: a named variable isn't set, or others can read the file.
    """
    if given.variables:
        _from_variables(given.variables, environ)
    else:
        _from_file(given.file, "")


def _said(host: str, given: Given, runner: Runner, environ: Mapping[str, str]) -> Credentials | None:
    """What is where the user says."""
    found = _from_variables(given.variables, environ) if given.variables else _from_file(given.file, host)
    if found:
        runner.hide([found.password, found.identity_token])
    return found


def _unconfigured(
    host: str, repository: str, runner: Runner, environ: Mapping[str, str], temp: Path
) -> Credentials | None:
    """What there is where docker's configuration doesn't say whom to ask: podman's, else by the cloud's identity."""
    for entry in podman_entries(host, repository, environ):
        if found := _of_podman(entry, runner, environ, temp):
            runner.hide([found.password, found.identity_token])
            return found
    return _from_cloud(host, runner, environ, temp)


def _of_podman(entry: Entry, runner: Runner, environ: Mapping[str, str], temp: Path) -> Credentials | None:
    if not entry.helper:
        return _entry(entry.login)
    if not _HELPER.fullmatch(entry.helper):
        return None
    return _ask_helper(entry.helper, entry.server, runner, environ, temp, source=str(entry.file))


def _from_variables(named: NamedVariables, environ: Mapping[str, str]) -> Credentials:
    unset = [name for name in (named.username, named.password) if not environ.get(name)]
    if unset:
        raise ConfigError(
            f"--registry-username-env, --registry-password-env: {' and '.join(unset)} not set",
            advice="set them where the step runs, or leave both flags out to use docker's configuration",
        )
    return Credentials(environ[named.username], environ[named.password])


def _from_file(path: Path | None, host: str) -> Credentials | None:
    if path is None:
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = "is a symbolic link" if error.errno == errno.ELOOP else str(error.strerror)
        raise ConfigError(f"--registry-config {path}: {reason}", advice="name a file of your own") from None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.geteuid():
            raise ConfigError(
                f"--registry-config {path}: others can read or write it", advice="make it yours alone: chmod 600"
            )
        config = parse_object(file.read(_MAX_CONFIG), f"--registry-config {path}")
    entry = _auth_of(config, host)
    return _entry(entry) if entry else None


def _host(server: str) -> str:
    """The host that a server's name means, in docker's configuration or a program: `https://ghcr.io/v2/` is ghcr.io."""
    host = re.sub(r"^https?://", "", server).split("/")[0]
    return "index.docker.io" if host in {"docker.io", "registry-1.docker.io"} else host


def _is_configured(host: str, environ: Mapping[str, str]) -> bool:
    """Whether docker's configuration says where the registry's credentials are; nobody is asked for them yet."""
    config = _read_config(environ)
    return bool(
        config.get("credsStore")
        or any(_mapping(config, "credHelpers").get(name) for name in (_server(host), host))
        or _auth_of(config, host) is not None
    )


def _from_cloud(host: str, runner: Runner, environ: Mapping[str, str], temp: Path) -> Credentials | None:
    helper = helper_of(host)
    if helper is None:
        return None
    with contextlib.suppress(NotAuthorised):
        found = _ask_helper(helper, host, runner, environ, temp)
        if found:
            return found
    return token_for(host, runner, environ, temp)


def _private_config(host: str, credentials: Credentials, temp: Path) -> Path:
    entry = {"auth": base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()}
    if credentials.identity_token:
        entry = {"identitytoken": credentials.identity_token}
    folder = temp / "docker"
    folder.mkdir(mode=0o700)
    handle = os.open(folder / "config.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump({"auths": {_server(host): entry}}, file)
    return folder


def _server(host: str) -> str:
    """The registry's name in docker's configuration."""
    return _DOCKER_HUB if host == "index.docker.io" else host


def credentials_for(
    host: str, runner: Runner, environ: Mapping[str, str], temp: Path, *, repository: str = ""
) -> Credentials | None:
    """What docker's configuration holds for a registry; None: nothing.

    Args:
        host: the registry's host and port, `index.docker.io` for Docker Hub.
        runner: runs a credential helper.
        environ: our environment (`DOCKER_CONFIG`, `HOME`).
        temp: the run's private folder.
        repository: the path in the registry: an entry of its own, as podman writes it, comes first.

    Raises:
        NotAuthorised: all it holds is a helper's name, and that helper doesn't work.
    """
    config = _read_config(environ)
    wanted = (f"{host}/{repository}", _server(host), host) if repository else (_server(host), host)
    helpers = _mapping(config, "credHelpers")
    helper = next((helpers[name] for name in wanted if helpers.get(name)), config.get("credsStore"))
    failed: NotAuthorised | None = None
    if isinstance(helper, str) and _HELPER.fullmatch(helper):
        try:
            found = _ask_helper(helper, _server(host), runner, environ, temp)
            if found:
                return found
        except NotAuthorised as error:
            failed = error
    entry = _auth_of(config, host, wanted)
    if failed and entry is None:
        raise failed
    return _entry(entry) if entry else None


def _auth_of(config: Json, host: str, wanted: Sequence[str] = ()) -> Json | None:
    """The entry of `auths` for a registry: under one of the names, else under any name with that host, as docker looks
    for it (`ConvertToHostname` of https://github.com/docker/cli)."""
    auths = _mapping(config, "auths")
    same = sorted(name for name in auths if _host(name) == host)
    entries = (auths.get(name) for name in (*wanted, *same))
    return next((cast("Json", entry) for entry in entries if isinstance(entry, dict)), None)


def _read_config(environ: Mapping[str, str]) -> Json:
    folder = environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path(environ.get("HOME") or Path.home()) / ".docker") / "config.json"
    try:
        with path.open("rb") as file:
            return parse_object(file.read(_MAX_CONFIG), "docker's configuration")
    except (OSError, InfrastructureError):
        return {}


def _mapping(config: Json, key: str) -> Json:
    value = config.get(key)
    return cast("Json", value) if isinstance(value, dict) else {}


def _text(entry: Json, key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _entry(entry: Json) -> Credentials | None:
    username, password = _text(entry, "username"), _text(entry, "password")
    if _text(entry, "auth"):
        try:
            username, _, password = base64.b64decode(_text(entry, "auth")).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
    found = Credentials(username, password.rstrip("\x00"), _text(entry, "identitytoken"))
    return found if found.identity_token or found.username else None


def _ask_helper(
    helper: str,
    server: str,
    runner: Runner,
    environ: Mapping[str, str],
    temp: Path,
    *,
    source: str = "docker's configuration",
) -> Credentials | None:
    """https://github.com/docker/docker-credential-helpers: `get` reads the server's name, prints JSON.

    Returns:
        What it has for that server; None: nothing.

    Raises:
        NotAuthorised: it isn't there, fails, or prints something else.
    """
    env, program = environment_for("docker-credential", environ, temp), f"docker-credential-{helper}"
    try:
        done = runner.run([program, "get"], env=env, stdin=server.encode(), stdout_limit=MIB)
        if done.code != 0 and _HAS_NONE in done.stdout + done.stderr.encode():
            return None
        answer = parse_object(done.stdout, program) if done.code == 0 else {}
        # Never what it printed: that may be the secret.
        why = done.summary() if done.code != 0 else f"{program}: its answer holds no login"
    except (ToolMissing, InfrastructureError) as error:
        answer, why = {}, error.message
    username, secret = _text(answer, "Username"), _text(answer, "Secret")
    runner.hide([secret])
    if username == _TOKEN_USER and secret:
        return Credentials(identity_token=secret)
    if username:
        return Credentials(username, secret)
    raise NotAuthorised(
        f"no login for {_host(server)}: {printable(source, limit=200)} leaves it to a helper that fails: {why}",
        advice=f"`echo {_host(server)} | {program} get` shows why; or `docker login {_host(server)}`",
    )
