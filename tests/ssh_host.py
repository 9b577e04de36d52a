"""A build host: Debian's sshd on loopback, with a host key, a user's key and a home folder of its own."""

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from devtools import debian

_PATIENCE = 10.0
_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
ForceCommand {folder}/enter
"""
_ENTER = """\
#!/bin/sh
# What a login on a machine of its own would give: a home, an environment, and nothing of whoever runs the tests.
cd {home} && exec env -i {variables} /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""


class SshHost:
    """A host that runs commands until it is stopped.

    Args:
        folder: for its keys and its home.
        environment: what a command finds set there; HOME is the host's own.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.home = folder, folder / "home"
        self.home.mkdir(parents=True)
        for name in ("host_key", "user_key", "other_key"):
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
            subprocess.run(make, check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._enter(environment)
        config = folder / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, folder=folder))
        self._log = (folder / "sshd.log").open("w")
        # By its absolute path, with which it starts itself anew for each connection.
        self._process = subprocess.Popen([_sshd(), "-D", "-e", "-f", str(config)], stderr=self._log)
        self._wait()

    @property
    def user(self) -> str:
        """Whoever runs the tests: without privileges sshd lets in nobody else."""
        return subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()

    @property
    def private_key(self) -> str:
        return (self.folder / "user_key").read_text()

    @property
    def host_key(self) -> str:
        """As `ssh-keyscan` prints it, without the host's name."""
        return _public(self.folder / "host_key.pub")

    @property
    def other_key(self) -> str:
        """A key that isn't the host's."""
        return _public(self.folder / "other_key.pub")

    def _enter(self, environment: Mapping[str, str]) -> None:
        """Set the environment of the commands that begin from now on."""
        variables = environment | {"HOME": str(self.home)}
        words = shlex.join(f"{name}={value}" for name, value in variables.items())
        enter = self.folder / "enter"
        enter.write_text(_ENTER.format(home=shlex.quote(str(self.home)), variables=words))
        enter.chmod(0o755)

    def set_environment(self, environment: Mapping[str, str]) -> None:
        """What a command finds set from now on."""
        self._enter(environment)

    def stop(self) -> None:
        """End it, and the connections that still stand."""
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def _wait(self) -> None:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.02)
        self.stop()
        raise AssertionError(f"sshd didn't start: {(self.folder / 'sshd.log').read_text()}")


def _public(file: Path) -> str:
    return " ".join(file.read_text().split()[:2])


def _sshd() -> str:
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
    if not shutil.which("sshd", path=path):
        debian.install("openssh-server", otherwise="The tests of remote execution need an sshd on PATH.")
    if os.geteuid() == 0:
        # Debian's, made when its service starts: as root, sshd doesn't run without it.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    found = shutil.which("sshd", path=path)
    assert found, "openssh-server is installed, and there is no sshd"
    return found
