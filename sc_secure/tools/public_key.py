"""The public key of a key pair, derived once on a machine: a private key is protected so that it takes 0.3 s each time.

Kept under the hash of the private key's file, which is encrypted: nothing of the password is in it. A key that a
service holds is asked for each time, since its address may name another one tomorrow.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from sc_secure.tools.key import Key
from sc_secure.tools.workspace import cache_folder, cache_subfolder, write_file

_FOLDER = "public-keys"
_BEGIN, _END = b"-----BEGIN PUBLIC KEY-----", b"-----END PUBLIC KEY-----"


class PublicKeys:
    """Files with public keys, for all threads of a run.

    Args:
        environ: our environment.
        temp: the run's private folder.
    """

    def __init__(self, environ: Mapping[str, str], temp: Path) -> None:
        self._environ = environ
        self._temp = temp
        self._files: dict[str, Path] = {}
        self._one = threading.Lock()

    def file(self, key: Key, derive: Callable[[Key], bytes]) -> Path:
        """The file with the public key.

        Args:
            key: a key pair's, private or public.
            derive: has the public key of a private one derived; returns PEM.

        Raises:
            Exception: what `derive` raises.
        """
        with self._one:
            if key.reference not in self._files:
                in_variable = key.reference.startswith("env://")
                if key.public and not in_variable:
                    self._files[key.reference] = Path(key.reference)
                else:
                    file = self._temp / f"key-{len(self._files)}.pub"
                    file.write_bytes(_in_variable(key) if key.public else self._kept(key, derive))
                    self._files[key.reference] = file
            return self._files[key.reference]

    def _kept(self, key: Key, derive: Callable[[Key], bytes]) -> bytes:
        private = _content(key)
        if not private:
            return derive(key)
        name = hashlib.sha256(private).hexdigest()
        with contextlib.suppress(OSError):
            known = Path(cache_folder(self._environ), _FOLDER, name).read_bytes()
            if known.startswith(_BEGIN) and known.rstrip().endswith(_END):
                return known
        derived = derive(key)
        with contextlib.suppress(OSError):  # a cache that can't be written costs time, nothing else
            write_file(cache_subfolder(cache_folder(self._environ), _FOLDER) / name, derived)
        return derived


def _in_variable(key: Key) -> bytes:
    return key.environment[key.reference.removeprefix("env://")].encode()


def _content(key: Key) -> bytes:
    """The private key as it is kept; empty where a service keeps it."""
    if key.reference.startswith("env://"):
        return _in_variable(key)
    if "://" in key.reference or key.reference.startswith("pkcs11:"):
        return b""
    try:
        return Path(key.reference).read_bytes()
    except OSError:
        return b""
