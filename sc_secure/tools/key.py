"""A signing or verifying key, as `--key` names it: a file, an environment variable, or a key service's address."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sc_secure.errors import ConfigError
from sc_secure.policy.sigstore import SignatureFormat
from sc_secure.tools.services import Services
from sc_secure.tools.text import printable

DEFAULT_PASSWORD_ENV = "COSIGN_PASSWORD"  # noqa: S105 - a variable's name  # nosec B105
_MAX_KEY = 64 * 1024
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SERVICES = {
    "awskms://": re.compile(r"[\w.:-]*/[\w:/+=,.@-]+", re.ASCII),
    "gcpkms://": re.compile(r"projects/[\w.:-]+/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+[\w/-]*", re.ASCII),
    "azurekms://": re.compile(r"[\w.-]+/[\w-]+(?:/[\w-]+)?", re.ASCII),
    "hashivault://": re.compile(r"[\w./-]+", re.ASCII),
    "k8s://": re.compile(r"[a-z0-9.-]+/[a-z0-9.-]+", re.ASCII),
    "pkcs11:": re.compile(r"[\w;=%?&/.:,@+-]+", re.ASCII),
}


@dataclass(frozen=True)
class Key:
    """A key that was checked by form. Its secret parts are read only when a tool is given them."""

    reference: str
    """What cosign is given: a path, `env://NAME` or a key service's address."""
    public: bool
    """True: a public key, good for verifying alone."""
    environment: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    """Variables that the one program which uses the key gets: its password, and the key where it is in a variable."""
    warnings: tuple[str, ...] = ()
    services: Services | None = None
    """What witnesses its signatures, and what they need to count; None: the key alone."""
    also: tuple[Key, ...] = ()
    """Verifying: further keys, any of which is enough, as while a key is replaced."""
    form: SignatureFormat = "bundle"
    """How its signatures are kept in the registry."""

    @property
    def logged(self) -> bool:
        """Its signatures get an entry in a transparency log, and count only with one."""
        return self.services is not None and self.services.transparency_log


def parse_key(
    text: str, password_env: str | None, environ: Mapping[str, str], *, services: Services | None = None
) -> Key:
    """The key that `--key` names.

    Args:
        text: a path, `env://NAME`, or or a key service's address (awskms://…, pkcs11:…).
        password_env: the name of the variable that holds the key's password, as given; None: `COSIGN_PASSWORD`, if set.
        environ: our environment.
        services: what witnesses its signatures; None: nothing.

    Raises:
        ConfigError: there is no such key or variable, or the address isn't of its service's form.
    """
    shown = printable(text, limit=200)
    secrets = _password(password_env, environ)
    for scheme, form in _SERVICES.items():
        if text.startswith(scheme):
            if not form.fullmatch(text.removeprefix(scheme)):
                raise ConfigError(f"--key {shown}: not an address of the form that {scheme} takes")
            return Key(text, public=False, environment=secrets, services=services)
    if text.startswith("env://"):
        name = text.removeprefix("env://")
        if not _VARIABLE.fullmatch(name):
            raise ConfigError(f"--key {shown}: not the name of an environment variable")
        if not environ.get(name):
            raise ConfigError(f"--key {shown}: the environment variable {name} isn't set")
        public = "-----BEGIN PUBLIC KEY-----" in environ[name]
        return Key(text, public=public, environment={**secrets, name: environ[name]}, services=services)
    if "://" in text:
        raise ConfigError(
            f"--key {shown}: unknown kind of address", advice=f"known: {', '.join(_SERVICES)}, env://NAME"
        )
    return replace(_file(text, shown, secrets), services=services)


def _password(password_env: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    name = password_env or DEFAULT_PASSWORD_ENV
    if not _VARIABLE.fullmatch(name):
        raise ConfigError(f"--password-env {printable(name, limit=80)}: not the name of an environment variable")
    if password_env and name not in environ:
        raise ConfigError(
            f"--password-env {name}: this environment variable isn't set",
            advice=f"set {name} to the key's password where the step runs (it may be empty)",
        )
    # Always set, even empty: without it cosign asks on the terminal.
    return {DEFAULT_PASSWORD_ENV: environ.get(name, "")}


def _file(text: str, shown: str, secrets: dict[str, str]) -> Key:
    path = Path(text)
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_KEY)
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(
            f"--key {shown}: {error.strerror or 'cannot be read'}", advice="`cosign generate-key-pair` makes a key pair"
        ) from None
    if b"-----BEGIN PUBLIC KEY-----" in content:
        return Key(text, public=True)
    if b"PRIVATE KEY-----" not in content:
        raise ConfigError(f"--key {shown}: holds neither a private nor a public key in PEM form")
    open_to_others = mode & (stat.S_IRGRP | stat.S_IROTH)
    warnings = (f"{shown} can be read by others: chmod 600 {shown}",) if open_to_others else ()
    return Key(text, public=False, environment=secrets, warnings=warnings)
