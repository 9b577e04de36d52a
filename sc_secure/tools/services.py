"""The Sigstore services that witness a signature, and cosign's flags for them.

cosign takes them as two files, the signing configuration (where to ask) and the trusted root (whom to believe); without
them it asks the public Sigstore's TUF repository, even for a key's signature that nobody is to witness.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.policy.sigstore import SETTINGS, URLS, SignatureFormat, SigstoreProblem, check, check_url
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.identity import check_root
from sc_secure.tools.logs import MEMBERS as LOG_MEMBERS
from sc_secure.tools.logs import Log, chosen
from sc_secure.tools.text import printable

_EMPTY_SIGNING_CONFIG = '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}'
_EMPTY_TRUSTED_ROOT = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
_SIGNING_CONFIG = "application/vnd.dev.sigstore.signingconfig.v0.2"
_MAX_FILE = 4 * 1024 * 1024
# cosign wants to know since when and by whom; it looks at the former alone, and a private Sigstore has no history here.
_ABOUT = "start-time=2020-01-01T00:00:00Z,operator=private"


@dataclass(frozen=True)
class Services:
    """A Sigstore. Made by `parse_services`; as it stands without arguments, the public one."""

    transparency_log: bool = True
    """True: a signature gets an entry in the log, and counts only with one."""
    trusted_root: Path | None = None
    """The authorities and logs that are trusted; None: those of the public Sigstore."""
    signing_config: Path | None = None
    """Where its services are; None: it is the public one, or said by the URLs."""
    fulcio_url: str = ""
    """The certificate authority."""
    rekor_url: str = ""
    """The transparency log."""
    tsa_url: str = ""
    """The timestamp authority."""
    oidc_issuer: str = ""
    """Whose identity tokens are used; empty: anybody's that the certificate authority takes."""

    @property
    def public(self) -> bool:
        """It is the public Sigstore."""
        return self.signing_config is None and not (self.fulcio_url or self.rekor_url or self.tsa_url)


@dataclass(frozen=True)
class Keyless:
    """Signs with a certificate, good for minutes, for whoever an identity token names."""

    services: Services
    form: SignatureFormat = "bundle"
    """How its signatures are kept in the registry."""


@dataclass(frozen=True)
class Witnesses:
    """Whom a signature is shown to."""

    flags: tuple[str, ...]
    """cosign's, where it asks them all itself."""
    unlogged: tuple[str, ...] = ()
    """cosign's, where we ask the logs."""
    logs: tuple[Log, ...] = ()
    """The logs that we ask for an entry when cosign has signed; empty: cosign does, or nobody."""


def flag(setting: str) -> str:
    """A setting as the command line writes it."""
    return f"--{setting.replace('_', '-')}"


def parse_services(
    said: Mapping[str, str | None], *, keyless: bool, transparency_log: bool | None, naming: Callable[[str], str] = flag
) -> Services | None:
    """The Sigstore that the flags or a policy name.

    Args:
        said: setting → value, of `policy.sigstore.SETTINGS`.
        keyless: signed with a certificate; else with a key.
        transparency_log: what is said of it; None: logged where keyless.
        naming: how messages write a setting.

    Returns:
        None: no service at all, for a key whose signature nobody witnesses.

    Raises:
        ConfigError: a file can't be read, or isn't what it should be, or the settings don't fit together.
    """
    given = {key: value for key, value in said.items() if value and key in SETTINGS}
    try:
        check(given, keyless=keyless, transparency_log=transparency_log)
    except SigstoreProblem as problem:
        raise ConfigError(f"{naming(problem.key)}: {problem.reason(naming)}") from None
    log = keyless if transparency_log is None else transparency_log
    if not (keyless or log or given):
        return None
    paths = {key: Path(given[key]) for key in ("trusted_root", "signing_config") if key in given}
    urls = {key: given[key] for key in (*URLS, "oidc_issuer") if key in given}
    services = Services(log, paths.get("trusted_root"), paths.get("signing_config"), **urls)
    if services.signing_config:
        _check_config(services, keyless=keyless, shown=naming("signing_config"))
    if services.trusted_root:
        needed = (("fulcio", keyless), ("rekor", log), ("tsa", not log))
        check_root(services.trusted_root, [name for name, wanted in needed if wanted], naming("trusted_root"))
    return services


def check_form(form: SignatureFormat, services: Services | None, shown: str) -> None:
    """Refuse a log whose entries the form can't hold: cosign's older one has entries of a Rekor 1 alone.

    Args:
        form: how signatures are kept.
        services: what witnesses them.
        shown: how messages write the form's setting.

    Raises:
        ConfigError: it can't hold them.
    """
    if form == "bundle" or services is None or services.public or not services.transparency_log:
        return
    if services.signing_config:
        config = _read(services.signing_config)
        held, where = bool(_of_version_1(config, LOG_MEMBERS[0])), str(services.signing_config)
    else:
        held = _log_version(services.rekor_url, cast("Path", services.trusted_root)) == 1
        where = services.rekor_url
    if not held:
        log = f"the log of {printable(where, limit=200)}"
        raise ConfigError(
            f"{shown}: {form} keeps entries of a Rekor 1 alone, and {log} is a Rekor 2",
            advice="use bundle, or a log that is a Rekor 1, or a timestamp authority without a log",
        )


def timestamp_url(services: Services | None) -> str:
    """The URL of the timestamp authority; empty: there is none."""
    if services is None or services.signing_config is None:
        return services.tsa_url if services else ""
    named = _of_version_1(_read(services.signing_config), "tsaUrls")
    return str(named[0].get("url")) if named else ""


def _of_version_1(config: Json, member: str) -> list[Json]:
    """The services of that kind in a signing configuration which speak the first version of their interface."""
    listed = config.get(member)
    every = cast("list[object]", listed) if isinstance(listed, list) else []
    objects = [cast("Json", each) for each in every if isinstance(each, dict)]
    return [each for each in objects if each.get("majorApiVersion") == 1]


def witnesses(
    services: Services | None,
    temp: Path,
    create: Callable[[list[str], Path], None],
    *,
    keyless: bool,
    older: bool = False,
) -> Witnesses:
    """Whom a signature with these services is shown to.

    Args:
        services: None: nobody witnesses the signature.
        temp: the run's private folder.
        create: runs `cosign signing-config create` with these flags, for this file.
        keyless: signed with a certificate; else with a key.
        older: with a log that is a Rekor 1, see `check_form`.
    """
    if services is None:
        config, root = temp / "signing-config.json", temp / "trusted-root.json"
        config.write_text(_EMPTY_SIGNING_CONFIG)
        root.write_text(_EMPTY_TRUSTED_ROOT)
        return Witnesses(_flags(config, root))
    if services.public:
        # The public Sigstore's own configuration may name a Rekor 2 one day; without it, cosign takes its Rekor 1.
        return Witnesses(("--use-signing-config=false",) if older else ())
    root, config = cast("Path", services.trusted_root), services.signing_config
    if config is None:
        config = temp / "signing-config-of-urls.json"
        create(_service_flags(services, root), config)
    without = temp / "signing-config-without-log.json"
    said = _read(config)
    without.write_text(json.dumps({name: value for name, value in said.items() if name not in LOG_MEMBERS}))
    unlogged = _flags(without, root)
    if not services.transparency_log:
        return Witnesses(unlogged)
    if older:
        config = _rekor_v1_alone(config, temp)
    logs = chosen(_read(config), _log_names(root))
    if keyless and not said.get("tsaUrls") and any(log.version > 1 for log in logs):
        return Witnesses(_flags(config, root))  # nobody would tell the time: cosign says so
    return Witnesses(_flags(config, root), unlogged, logs)


def _rekor_v1_alone(config: Path, temp: Path) -> Path:
    """The same configuration without the logs whose entries the older form can't hold."""
    said, file = _read(config), temp / "signing-config-of-rekor-1.json"
    file.write_text(json.dumps({**said, LOG_MEMBERS[0]: _of_version_1(said, LOG_MEMBERS[0])}))
    return file


def _log_names(root: Path) -> list[bytes]:
    """By which the trusted root knows its logs."""
    found: list[bytes] = []
    for each in _logs(root):
        with contextlib.suppress(KeyError, TypeError, ValueError):
            found.append(base64.b64decode(str(cast("Json", each["logId"])["keyId"]), validate=True))
    return found


def _flags(config: Path, root: Path) -> tuple[str, ...]:
    return (f"--signing-config={config}", f"--trusted-root={root}")


def _service_flags(services: Services, root: Path) -> list[str]:
    flags: list[str] = []
    if services.fulcio_url:
        flags.append(f"--fulcio=url={services.fulcio_url},api-version=1,{_ABOUT}")
    if services.rekor_url:
        version = _log_version(services.rekor_url, root)
        flags += [f"--rekor=url={services.rekor_url},api-version={version},{_ABOUT}", "--rekor-config=ANY"]
    if services.tsa_url:
        flags += [f"--tsa=url={services.tsa_url},api-version=1,{_ABOUT}", "--tsa-config=ANY"]
    return flags


def log_url(services: Services | None, log_id: str) -> str:
    """The URL of the private log of that name, as the trusted root has it; empty: it isn't known, or is public.

    Args:
        services: the Sigstore.
        log_id: the log's own name, in hexadecimal.
    """
    if services is None or services.public or services.trusted_root is None:
        return ""
    for each in _logs(services.trusted_root):
        try:
            name = base64.b64decode(str(cast("Json", each["logId"])["keyId"]), validate=True)
            if name.hex() == log_id:
                url = str(each.get("baseUrl") or "").rstrip("/")
                check_url("trusted_root", url)
                return url
        except (KeyError, TypeError, ValueError):  # without a name, or an address that a page could be at
            continue
    return ""


def _logs(root: Path) -> list[Json]:
    listed = cast("list[object]", _read(root).get("tlogs") or [])
    return [cast("Json", each) for each in listed if isinstance(each, dict)]


def _log_version(url: str, root: Path) -> int:
    """Which Rekor answers at the URL, from how the trusted root names it: 1 by its key's hash, 2 by its origin too.

    https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_common.proto (`LogId`).
    """
    logs = _logs(root)
    named = [each for each in logs if str(each.get("baseUrl")).rstrip("/") == url.rstrip("/")] or logs
    for each in named:
        try:
            key = base64.b64decode(str(cast("Json", each["publicKey"])["rawBytes"]), validate=True)
            name = base64.b64decode(str(cast("Json", each["logId"])["keyId"]), validate=True)
        except (KeyError, TypeError, ValueError):
            continue
        return 1 if name == hashlib.sha256(key).digest() else 2
    return 1


def _check_config(services: Services, *, keyless: bool, shown: str) -> None:
    """Without what it is about to be asked for, cosign would fail later, or sign what nobody can verify."""
    path = cast("Path", services.signing_config)
    where = f"{shown} {printable(str(path), limit=200)}"
    try:
        config = _read(path)
    except OSError as error:
        raise ConfigError(f"{where}: {error.strerror or 'cannot be read'}") from None
    except InfrastructureError:
        config = {}
    if not str(config.get("mediaType")).startswith(_SIGNING_CONFIG):
        raise ConfigError(f"{where}: not a Sigstore signing configuration", advice=_MAKE)
    needed = {"caUrls": ("certificate authority", keyless), "rekorTlogUrls": ("log", services.transparency_log)}
    needed["tsaUrls"] = ("timestamp authority", keyless and not services.transparency_log)
    for member, (name, wanted) in needed.items():
        if wanted and not config.get(member):
            raise ConfigError(f"{where}: names no {name} ({member})", advice=_MAKE)
        for url in _urls(config, member):
            try:
                check_url(member, url)
            except SigstoreProblem as problem:
                raise ConfigError(f"{where}: {problem}") from None


def _urls(config: Json, member: str) -> Iterator[str]:
    listed = config.get(member)
    for each in cast("list[object]", listed) if isinstance(listed, list) else []:
        yield str(cast("Json", each).get("url")) if isinstance(each, dict) else ""


_MAKE = "`cosign signing-config create` makes one, of --fulcio, --rekor and --tsa"


def _read(path: Path) -> Json:
    with path.open("rb") as file:
        return parse_object(file.read(_MAX_FILE), "a Sigstore file")
