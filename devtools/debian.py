"""Installs Debian's or Ubuntu's packages, for what the tests need and no language's registry has."""

import os
import shutil

from devtools.console import SetupError, capture, progress


def install(*packages: str, otherwise: str) -> None:
    """Installs the packages.

    Args:
        packages: their names.
        otherwise: what a person can do instead, for the error.

    Raises:
        SetupError: there's no apt-get, we aren't root, or it failed.
    """
    apt, names = shutil.which("apt-get"), " and ".join(packages)
    if not apt:
        raise SetupError(f"There's no apt-get here to install {names} with. {otherwise}")
    if os.geteuid() != 0:
        raise SetupError(f"Only root can install {names}. {otherwise}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = [apt, "install", "-y", "-q", "--no-install-recommends", *packages]
    with progress(f"apt-get install {' '.join(packages)}"):
        answer = capture(command, env=env)
        if answer.returncode:
            # Usually there are no package lists yet, or old ones.
            capture([apt, "update", "-q"], env=env)
            answer = capture(command, env=env)
    if answer.returncode:
        said = "\n".join((answer.stdout + answer.stderr).strip().splitlines()[-8:])
        raise SetupError(f"`apt-get install {' '.join(packages)}` failed:\n{said}\n{otherwise}")
