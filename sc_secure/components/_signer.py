"""Who signs, and who witnesses it, as the words of a command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sc_secure.components._launcher import project_root
from sc_secure.components._step import key_file, key_words
from sc_secure.components._validate import InvalidArgs, policy_checked, portable_path
from sc_secure.policy.sigstore import SETTINGS

SIGNER = ("key", "password_env", "keyless", "transparency_log", *SETTINGS)
"""The arguments that say who signs: those of `SignCommand`, of `AttestCommand` and of a policy's `signing`."""
FORMAT = "signature_format"
"""The argument that says how signatures are kept; `format` in a policy's `signing`."""
_FILES = {"signing_config": "SC_SECURE_SIGNING_CONFIG", "trusted_root": "SC_SECURE_TRUSTED_ROOT"}


@dataclass(frozen=True)
class SignerWords:
    """Who signs, as the words of a command."""

    words: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict[str, str])
    """The files that the words name, whose content decides a re-run too: a step's `files`."""


def signer_words(component: str, given: Mapping[str, Any], prefix: str = "") -> SignerWords:
    """Who signs, from a component's arguments, checked before anything is registered.

    Args:
        component: whose arguments they are.
        given: the arguments; those that aren't of `SIGNER` don't matter.
        prefix: the path of these arguments, with its dot; empty for a component's own.

    Raises:
        InvalidArgs: neither a key nor keyless, both, a Sigstore that isn't one, or a path outside the project.
    """
    said = {key: given[key] for key in SIGNER if key in given}
    if not said.get("keyless") and not said.get("key"):
        raise InvalidArgs(component, [(f"{prefix}key", "missing: say how to sign: a key, or keyless: true")])
    form = given.get(FORMAT)
    names = {**{name: f"{prefix}{name}" for name in SIGNER}, "format": f"{prefix}{'format' if prefix else FORMAT}"}
    policy_checked(component, "signing", said | ({"format": form} if form is not None else {}), names)
    log = said.get("transparency_log")
    if said.get("keyless"):
        words = ["--keyless", *(["--no-transparency-log"] if log is False else [])]
    else:
        words = key_words(component, said["key"], said.get("password_env"), prefix, log=bool(log))
    files = key_file(words)
    for name in SETTINGS:
        if not said.get(name):
            continue
        value = said[name]
        if name in _FILES:
            value = portable_path(component, f"{prefix}{name}", value, project_root())
            files[_FILES[name]] = value
        words += [f"--{name.replace('_', '-')}", value]
    words += ["--signature-format", form] if form not in (None, "bundle") else []
    return SignerWords(tuple(words), files)
