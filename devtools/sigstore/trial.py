"""`make sigstore`: a local Sigstore for trying keyless signing, and the shell settings that use it.

Used as: eval "$(make sigstore)"

It goes on until `make down`. Its keys protect nothing: whoever can read its folder can be anybody.
"""

import re
import shlex
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from devtools import cache, processes
from devtools.console import progress, run_main, say
from devtools.sigstore import services
from devtools.sigstore.services import Sigstore

IDENTITY = "dev@example.com"
"""Who the identity token is of."""
_FOLDER = "sigstore"
_LIFETIME = 3600
"""Seconds for which the token is good."""


def running(folder: Path) -> Sigstore:
    """The one in this folder; started, if it isn't running whole."""
    try:
        known = Sigstore.load(folder)
        if all(part.alive() for part in known.parts):
            return known
        for log in sorted(folder.glob("*.log")):
            say(f"# of the local Sigstore not all runs any more; {log.stem} said last:\n{processes.tail(log, 3)}")
        known.stop()
    except (FileNotFoundError, KeyError, ValueError):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    with progress("starting a local Sigstore"):
        return services.start(folder)


def settings(sigstore: Sigstore) -> Mapping[str, str]:
    """What a shell needs to sign and to verify with it: a fresh identity token, and flags."""
    issuer = sigstore.issuer()
    root = f"--trusted-root {sigstore.trusted_root}"
    return {
        "SIGSTORE_ID_TOKEN": sigstore.token(IDENTITY, exp=int(time.time()) + _LIFETIME),
        "SIGN": f"--keyless --signing-config {sigstore.signing_config} {root}",
        "VERIFY": f"--certificate-identity-regexp ^{re.escape(IDENTITY)}$ --certificate-oidc-issuer {issuer} {root}",
    }


def stop() -> bool:
    """Ends the one of `make sigstore`; whether there was one."""
    folder = cache.location() / _FOLDER
    try:
        known = Sigstore.load(folder)
    except (FileNotFoundError, KeyError, ValueError):
        return False
    was_there = any(part.alive() for part in known.parts)
    known.stop()
    shutil.rmtree(folder, ignore_errors=True)
    return was_there


def main() -> None:
    """Starts it, and prints the settings."""
    with cache.locked(_FOLDER):
        sigstore = running(cache.root() / _FOLDER)
    for name, value in settings(sigstore).items():
        print(f"export {name}={shlex.quote(value)}")
    say("# the token is good for an hour; `make sigstore` gives another, `make down` ends the Sigstore")


if __name__ == "__main__":
    run_main(main)
