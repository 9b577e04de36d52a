"""Which Sigstore witnesses a signature: the rules for what is said together, for flags, policies and arguments alike.

A Sigstore is a certificate authority (Fulcio), a transparency log (Rekor) and a timestamp authority. The public one
needs no setting. A private one is a signing configuration's file, or its services' URLs; and a trusted root, without
which nothing that it signs could be verified.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Literal

URLS = ("fulcio_url", "rekor_url", "tsa_url")
"""The services of a private Sigstore."""
SETTINGS = (*URLS, "oidc_issuer", "trusted_root", "signing_config")
"""All that is said of a Sigstore, by the names that a Pulumi program uses."""
SignatureFormat = Literal["bundle", "legacy", "both"]
"""How a signature is kept in the registry: as a Sigstore bundle that refers to the image, or in cosign's older way, in
the tags `sha256-….sig` and `.att`, for verifiers that don't know bundles; or in both ways. The older way holds log
entries of a Rekor 1 alone: which one a private log is, its files or its URL say, where the step runs."""
_SAFE = re.compile(r"[!-+\--~]{1,1000}", re.ASCII)
"""Printable, and without the comma that separates what cosign is told of a service."""


class SigstoreProblem(ValueError):
    """A setting that doesn't fit.

    Args:
        key: the setting, by the name that a Pulumi program uses; one inside of another after a dot.
        reason: why, with other settings' names in braces.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self._reason = reason

    def reason(self, naming: Callable[[str], str]) -> str:
        """Why, with other settings as `naming` writes them."""
        return re.sub(r"\{(\w+)\}", lambda match: naming(match[1]), self._reason)


def check(said: Mapping[str, object], *, keyless: bool, transparency_log: bool | None) -> None:
    """Refuse what isn't one Sigstore, or what couldn't be verified afterwards.

    Args:
        said: setting → value, of `SETTINGS`; one that is absent, None or empty isn't said.
        keyless: signed with a certificate; else with a key.
        transparency_log: what is said of it; None: logged where keyless.

    Raises:
        SigstoreProblem: a setting doesn't fit.
    """
    given = {key: str(value) for key, value in said.items() if value}
    for key in (*URLS, "oidc_issuer"):
        if key in given:
            check_url(key, given[key])
    urls = [key for key in URLS if key in given]
    if "signing_config" in given and urls:
        raise SigstoreProblem(urls[0], "excludes {signing_config}, which names the services")
    private = bool(urls) or "signing_config" in given
    if private and "trusted_root" not in given:
        raise SigstoreProblem("trusted_root", "missing: what a private Sigstore signs is verified by its trusted root")
    if "trusted_root" in given and not private:
        reason = "goes with {signing_config}, or with the URLs of its services: the public Sigstore has its own"
        raise SigstoreProblem("trusted_root", reason)
    if keyless:
        _check_keyless(given, private=private, log=transparency_log is not False)
    else:
        _check_key(given, private=private, log=bool(transparency_log))


def _check_keyless(given: Mapping[str, str], *, private: bool, log: bool) -> None:
    if not private:
        if not log:
            raise SigstoreProblem("transparency_log", "the public Sigstore always logs; name a private one, or a key")
        return
    if "signing_config" in given:
        return
    if "fulcio_url" not in given:
        raise SigstoreProblem("fulcio_url", "missing: who gives out the certificate")
    if log and "rekor_url" not in given:
        reason = "missing: where the signature is logged; without a log, say {transparency_log} false and {tsa_url}"
        raise SigstoreProblem("rekor_url", reason)
    if not log and "rekor_url" in given:
        raise SigstoreProblem("rekor_url", "excludes {transparency_log} false")
    if not log and "tsa_url" not in given:
        reason = "missing: without a log, a timestamp has to say that the certificate was good when it was used"
        raise SigstoreProblem("tsa_url", reason)


def _check_key(given: Mapping[str, str], *, private: bool, log: bool) -> None:
    for key in ("fulcio_url", "oidc_issuer"):
        if key in given:
            raise SigstoreProblem(key, "has no meaning with a key: it goes with {keyless}")
    if not log and "rekor_url" in given:
        raise SigstoreProblem("rekor_url", "needs {transparency_log}: a key's signatures are logged only on request")
    if log and private and "signing_config" not in given and "rekor_url" not in given:
        raise SigstoreProblem("rekor_url", "missing: where the signature is logged")


def check_url(key: str, url: str) -> None:
    """Refuse what isn't a service's URL: an identity token, or what is signed, goes there, never in the clear.

    Args:
        key: the setting, by the name that a Pulumi program uses.
        url: its value.

    Raises:
        SigstoreProblem: it isn't one.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, clean = parts.hostname or "", not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        raise SigstoreProblem(key, "not a URL") from None
    if not host or not clean or not _SAFE.fullmatch(url) or not (parts.scheme == "https" or _is_local(parts)):
        raise SigstoreProblem(key, "an https:// URL without a query is expected (http:// only on this very machine)")


def _is_local(parts: urllib.parse.SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    return parts.scheme == "http" and local
